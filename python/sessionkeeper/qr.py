"""A QR code as a PNG file.

The modules come from the core as rows of "0" and "1" ("1" is dark), without a quiet zone; here they
are only drawn, and no service is asked to do it.
"""

from __future__ import annotations

from .errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

# Modules of light on every side: ISO/IEC 18004 wants four.
QUIET_ZONE = 4


def png(rows: Sequence[str], scale: int = 8) -> bytes:
    """The QR code as a PNG file, black on white, `scale` pixels for the side of a module.

    Raises `InvalidInput` where there are no modules to draw, or for a scale below 1.
    """
    if scale < 1:
        raise InvalidInput("The scale of a QR code must be 1 or more.")
    from struct import pack
    from zlib import compress, crc32

    modules = framed(rows)
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


def framed(rows: Sequence[str]) -> list[str]:
    """The modules with their quiet zone. Raises `InvalidInput` where they are not square."""
    if not rows or any(len(row) != len(rows) or not set(row) <= {"0", "1"} for row in rows):
        raise InvalidInput("There is no QR code to draw.", "The text may be too long for one.")
    side = "0" * QUIET_ZONE
    outside = ["0" * (len(rows) + 2 * QUIET_ZONE)] * QUIET_ZONE
    return [*outside, *(side + row + side for row in rows), *outside]
