"""The QR code as a picture and on a terminal: every module where it belongs, and the quiet zone
around them.
"""

from __future__ import annotations

import struct
import zlib

import pytest

import sessionkeeper
from sessionkeeper import loading, qr
from sessionkeeper.cli import terminal_qr
from tests.python.native_double import QR_ROWS

# The finder pattern in three corners of every QR code.
FINDER = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]


def framed(rows: list[str]) -> list[str]:
    quiet = ["0" * (len(rows) + 8)] * 4
    return [*quiet, *(f"0000{row}0000" for row in rows), *quiet]


def chunks(png: bytes) -> dict[bytes, bytes]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert png[at + 8 + length : at + 12 + length] == struct.pack(">I", zlib.crc32(kind + data))
        found[kind] = data
        at += 12 + length
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"]
    return found


def pixels(png: bytes) -> list[str]:
    """The picture as rows of "1" for black and "0" for white."""
    found = chunks(png)
    width, height, depth, colour, *methods = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert (depth, colour, methods) == (1, 0, [0, 0, 0])
    data = zlib.decompress(found[b"IDAT"])
    line = 1 + (width + 7) // 8
    assert len(data) == line * height
    rows = []
    for at in range(0, len(data), line):
        assert data[at] == 0
        bits = "".join(f"{byte:08b}" for byte in data[at + 1 : at + line])[:width]
        rows.append(bits.translate({48: "1", 49: "0"}))
    return rows


@pytest.mark.parametrize("scale", [1, 2, 3, 8])
def test_the_png_shows_each_module(scale: int) -> None:
    shown = pixels(qr.png(QR_ROWS, scale))
    expected = framed(QR_ROWS)
    assert len(shown) == len(expected) * scale
    assert all(shown[y] == shown[y - y % scale] for y in range(len(shown)))
    assert [row[::scale] for row in shown[::scale]] == expected
    assert all(row == "".join(c * scale for c in row[::scale]) for row in shown)


UPPER = {" ": "00", "▀": "10", "▄": "01", "█": "11"}


def read_blocks(lines: list[str]) -> list[str]:
    """The modules of half blocks, where what is drawn is dark."""
    rows = []
    for line in lines:
        rows.append("".join(UPPER[c][0] for c in line))
        rows.append("".join(UPPER[c][1] for c in line))
    return rows


def test_half_blocks_are_black_on_white_on_every_terminal() -> None:
    lines = terminal_qr.draw(QR_ROWS, "utf-8", colours=True)
    before, after = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
    assert all(line.startswith(before) and line.endswith(after) for line in lines)
    bare = [line[len(before) : -len(after)] for line in lines]
    # Two rows a line: an odd number is filled up with light.
    assert read_blocks(bare) == [*framed(QR_ROWS), "0" * 29]
    assert terminal_qr.width(QR_ROWS, "utf-8") == 29 == len(bare[0])


def test_without_colours_the_light_modules_are_drawn() -> None:
    lines = terminal_qr.draw(QR_ROWS, "utf-8", colours=False)
    assert "\x1b" not in "".join(lines)
    inverted = [row.translate({48: "1", 49: "0"}) for row in read_blocks(lines)]
    assert inverted == [*framed(QR_ROWS), "0" * 29]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no such encoding"])
def test_ascii_where_the_encoding_lacks_half_blocks(encoding: str) -> None:
    plain = terminal_qr.draw(QR_ROWS, encoding, colours=False)
    assert "".join(plain).isascii()
    rows = ["".join("0" if line[x] == "#" else "1" for x in range(0, 58, 2)) for line in plain]
    assert rows == framed(QR_ROWS)
    coloured = terminal_qr.draw(QR_ROWS, encoding, colours=True)
    assert "".join(coloured).isascii()
    bare = [
        line.replace("\x1b[48;5;16m  ", "1").replace("\x1b[48;5;231m  ", "0") for line in coloured
    ]
    assert [line.replace("\x1b[0m", "") for line in bare] == framed(QR_ROWS)
    assert terminal_qr.width(QR_ROWS, encoding) == 58 == len(plain[0])


@pytest.mark.parametrize("rows", [[], ["1"] * 2, ["10", "1"], ["12", "21"]])
def test_what_is_no_qr_code_is_refused(rows: list[str]) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="no QR code"):
        qr.png(rows)
    with pytest.raises(sessionkeeper.InvalidInput, match="no QR code"):
        terminal_qr.draw(rows, "utf-8", colours=True)


@pytest.mark.parametrize("scale", [0, -1])
def test_a_scale_below_one_is_refused(scale: int) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="scale"):
        qr.png(QR_ROWS, scale)


@pytest.mark.parametrize("text", ["A", "https://op.oidc-demo.example/device?user_code=WDJB-MJHT"])
def test_the_module_makes_qr_codes(text: str) -> None:
    rows = loading.native().qr(text)
    size = len(rows)
    assert size >= 21
    assert (size - 21) % 4 == 0
    assert all(len(row) == size for row in rows)
    assert set("".join(rows)) == {"0", "1"}
    corner = slice(size - 7, size)
    assert [row[:7] for row in rows[:7]] == FINDER
    assert [row[corner] for row in rows[:7]] == FINDER
    assert [row[:7] for row in rows[corner]] == FINDER
    assert pixels(qr.png(rows, 1)) == framed(rows)


def test_a_text_that_is_too_long_has_none() -> None:
    assert loading.native().qr("x" * 5000) == []
