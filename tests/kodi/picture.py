"""Looks at a screenshot: whether a QR code of these modules is on it, where the code window has it.

Knows the place from the window's layout, which is drawn for 1920 by 1080. Needs ImageMagick, as the
screenshots do.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

# The white square of resources/skins/Default/1080i/sessionkeeper-device-login.xml.
LEFT, TOP, SIDE = 260 + 860, 190 + 130, 490
WIDTH = 1920
QUIET_ZONE = 4


def shows_qr(screenshot: Path, rows: list[str]) -> bool:
    """Whether the middle of each module is as dark or light as it should be."""
    pixels, width = grey(screenshot)
    scale = width / WIDTH
    module = SIDE * scale / (len(rows) + 2 * QUIET_ZONE)

    def is_dark(row: int, column: int) -> bool:
        x = int(LEFT * scale + (column + QUIET_ZONE + 0.5) * module)
        y = int(TOP * scale + (row + QUIET_ZONE + 0.5) * module)
        return pixels[y * width + x] < 128

    return all(
        is_dark(y, x) == (modules[x] == "1")
        for y, modules in enumerate(rows)
        for x in range(len(rows))
    )


def grey(screenshot: Path) -> tuple[bytes, int]:
    """The pixels as bytes, row by row, and how many are in a row."""
    size = _run("identify", "-format", "%w", str(screenshot))
    pixels = _run("convert", str(screenshot), "-depth", "8", "gray:-")
    return pixels, int(size)


def _run(*command: str) -> bytes:
    return subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
