"""A QR code as text: dark on light, in half blocks, or in ASCII where the encoding lacks those."""

from __future__ import annotations

from sessionkeeper.qr import framed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

# Of the 256 colours that no theme changes: black on white, white on white, and the way back.
_BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"
_ON_BLACK, _ON_WHITE = "\x1b[48;5;16m", "\x1b[48;5;231m"
_PLAIN = "\x1b[0m"
# By the upper and the lower module of a character.
_BLOCKS = {"00": " ", "10": "▀", "01": "▄", "11": "█"}


def draw(rows: Sequence[str], encoding: str, *, colours: bool) -> list[str]:
    """The lines, each as wide as the others.

    With `colours` they are black on white on every terminal. Without, they look right where the
    text is lighter than its background, and inverted elsewhere. Raises `InvalidInput` where there
    are no modules to draw.
    """
    lines = _half_blocks if has_blocks(encoding) else _ascii
    return lines(framed(rows), colours)


def width(rows: Sequence[str], encoding: str) -> int:
    """How many columns `draw()` takes."""
    return len(framed(rows)) * (1 if has_blocks(encoding) else 2)


def has_blocks(encoding: str) -> bool:
    """Whether half blocks can be written in this encoding."""
    try:
        "▀▄█".encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def _half_blocks(modules: list[str], colours: bool) -> list[str]:
    if len(modules) % 2:
        modules = [*modules, "0" * len(modules[0])]
    if not colours:
        # What is drawn is light, so the light modules are.
        modules = [row.translate({48: "1", 49: "0"}) for row in modules]
    lines = [
        "".join(_BLOCKS[upper + lower] for upper, lower in zip(above, below))
        for above, below in zip(modules[::2], modules[1::2])
    ]
    return [f"{_BLACK_ON_WHITE}{line}{_PLAIN}" for line in lines] if colours else lines


def _ascii(modules: list[str], colours: bool) -> list[str]:
    dark, light = (f"{_ON_BLACK}  ", f"{_ON_WHITE}  ") if colours else ("  ", "##")
    end = _PLAIN if colours else ""
    return ["".join(dark if m == "1" else light for m in row) + end for row in modules]
