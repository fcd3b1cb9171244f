# ruff: noqa: INP001 - a script to run by hand, not part of a package
"""Draws the add-on's icon and fanart: a shield with a keyhole, in flat colours.

Owns icon.png (512 by 512, opaque, as Kodi wants it) and fanart.jpg (1920 by 1080, below
1000 KB). Needs Pillow. It is run by hand when the pictures change and is not part of the package.
Shapes are drawn four times too large and reduced, which smooths their edges.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

RESOURCES = Path(__file__).resolve().parent.parent
NIGHT, DUSK, LAKE = "#101b33", "#16264a", "#1d3461"
GOLD, AMBER, CREAM = "#ffc145", "#f59e0b", "#fff3d6"
OVERSIZE = 4


def draw_icon() -> Image.Image:
    side = 512 * OVERSIZE
    picture = Image.new("RGB", (side, side), NIGHT)
    pen = ImageDraw.Draw(picture)
    for radius, colour in ((0.47, DUSK), (0.36, LAKE)):
        disc(pen, side / 2, side / 2, side * radius, colour)
    shield(pen, side / 2, side * 0.5, side * 0.58)
    return picture.resize((512, 512), Image.LANCZOS)


def draw_fanart() -> Image.Image:
    width, height = 1920 * OVERSIZE // 2, 1080 * OVERSIZE // 2
    picture = Image.new("RGB", (width, height), NIGHT)
    pen = ImageDraw.Draw(picture)
    centre = width * 0.68
    for radius, colour in ((1.0, "#12203d"), (0.78, "#142544"), (0.58, DUSK), (0.38, LAKE)):
        disc(pen, centre, height / 2, height * radius, colour)
    shield(pen, centre, height * 0.5, height * 0.56)
    return picture.resize((1920, 1080), Image.LANCZOS)


def shield(pen: ImageDraw.ImageDraw, x: float, y: float, height: float) -> None:
    """A shield of two halves, light and dark, with a rim and a keyhole."""
    pen.polygon(outline(x, y, height * 1.14), fill=CREAM)
    pen.polygon(outline(x, y, height), fill=GOLD)
    right_half = [(max(px, x), py) for px, py in outline(x, y, height)]
    pen.polygon(right_half, fill=AMBER)
    bow = height * 0.135
    hole_y = y - height * 0.10
    disc(pen, x, hole_y, bow, NIGHT)
    pen.polygon(
        [
            (x - bow * 0.42, hole_y + bow * 0.5),
            (x + bow * 0.42, hole_y + bow * 0.5),
            (x + bow * 0.80, hole_y + height * 0.34),
            (x - bow * 0.80, hole_y + height * 0.34),
        ],
        fill=NIGHT,
    )


def outline(x: float, y: float, height: float) -> list[tuple[float, float]]:
    """The edge of the shield: a shallow dip on top, sides that bend to a point."""
    half, top, bottom = height * 0.42, y - height * 0.5, y + height * 0.5
    shoulder = top + height * 0.10
    left_top = curve(
        (x, top - height * 0.02), (x - half * 0.45, top + height * 0.09), (x - half, shoulder)
    )
    left_side = curve((x - half, shoulder), (x - half * 1.02, y + height * 0.24), (x, bottom))
    left = left_top + left_side
    return left + [(2 * x - px, py) for px, py in reversed(left)]


def curve(
    start: tuple[float, float], bend: tuple[float, float], end: tuple[float, float], steps: int = 60
) -> list[tuple[float, float]]:
    """A quadratic Bézier curve as points."""
    points = []
    for step in range(steps + 1):
        t = step / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        points.append(
            (a * start[0] + b * bend[0] + c * end[0], a * start[1] + b * bend[1] + c * end[1])
        )
    return points


def disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


if __name__ == "__main__":
    draw_icon().save(RESOURCES / "icon.png", optimize=True)
    draw_fanart().save(RESOURCES / "fanart.jpg", quality=88, optimize=True)
