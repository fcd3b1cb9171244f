"""A QR code as a picture: a PNG file, or text for a terminal.

The modules come from the core as rows of "0" and "1" ("1" is dark), without a quiet zone; here they
are only drawn, and nobody else is asked to. Both drawings are dark on light, with the quiet zone of
four modules that ISO/IEC 18004 wants.
"""

from __future__ import annotations

from .errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

QUIET_ZONE = 4
# Of the 256 colours that no theme changes: black on white, white on white, and the way back.
_BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"
_ON_BLACK, _ON_WHITE = "\x1b[48;5;16m", "\x1b[48;5;231m"
_PLAIN = "\x1b[0m"
# By the upper and the lower module of a character.
_BLOCKS = {"00": " ", "10": "▀", "01": "▄", "11": "█"}


def png(rows: Sequence[str], scale: int = 8) -> bytes:
    """The QR code as a PNG file, black on white, `scale` pixels for the side of a module.

    Raises `InvalidInput` where there are no modules to draw, or for a scale below 1.
    """
    if scale < 1:
        raise InvalidInput("The scale of a QR code must be 1 or more.")
    from struct import pack
    from zlib import compress, crc32

    modules = _framed(rows)
    size = len(modules) * scale
    width = (size + 7) // 8
    lines = []
    for row in modules:
        # One bit a pixel, the leftmost in the highest bit; 1 is white. The 0 is the line's filter.
        bits = "".join(("0" if module == "1" else "1") * scale for module in row)
        line = b"\0" + int(bits.ljust(width * 8, "0"), 2).to_bytes(width, "big")
        lines.append(line * scale)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))

    # One bit deep, shades of grey, then the only methods that there are, not interlaced.
    head = pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    data = compress(b"".join(lines), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def terminal(rows: Sequence[str], encoding: str = "utf-8", colours: bool = True) -> str:
    """The QR code as lines of text, in half blocks, or in ASCII where the encoding lacks those.

    With `colours` it is black on white on every terminal. Without them it looks right where the
    text is lighter than its background, and inverted elsewhere. `width()` says how much room it
    needs. Raises `InvalidInput` where there are no modules to draw.
    """
    modules = _framed(rows)
    draw = _half_blocks if has_blocks(encoding) else _ascii
    return "\n".join(draw(modules, colours))


def width(rows: Sequence[str], encoding: str = "utf-8") -> int:
    """How many columns `terminal()` takes."""
    return (len(rows) + 2 * QUIET_ZONE) * (1 if has_blocks(encoding) else 2)


def has_blocks(encoding: str) -> bool:
    """Whether half blocks can be written in this encoding."""
    try:
        "▀▄█".encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def _framed(rows: Sequence[str]) -> list[str]:
    """The modules with their quiet zone."""
    if not rows or any(len(row) != len(rows) or not set(row) <= {"0", "1"} for row in rows):
        raise InvalidInput("There is no QR code to draw.", "The text may be too long for one.")
    side = "0" * QUIET_ZONE
    outside = ["0" * (len(rows) + 2 * QUIET_ZONE)] * QUIET_ZONE
    return [*outside, *(side + row + side for row in rows), *outside]


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
