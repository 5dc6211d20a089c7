"""Pictures drawn with Pillow, four times too large and then reduced, so that their edges are smooth."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

SEA, LAND, SHORE, STONE = "#cfe3ee", "#d9d8b4", "#8d9a6b", "#5a6068"
RED, NAVY, WHITE, ORANGE, GREEN = "#b8352c", "#1d3f5e", "#fbfbf8", "#e08a2c", "#3f7f5f"

Point = tuple[float, float]


def _canvas(width: int, height: int, colour: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width * 4, height * 4), colour)
    return image, ImageDraw.Draw(image)


def _png(image: Image.Image) -> bytes:
    small = image.resize((image.width // 4, image.height // 4), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.quantize(64).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * 4, y * 4) for x, y in points]


def _island(draw: ImageDraw.ImageDraw, x: float, y: float, rx: float, ry: float) -> None:
    """A lobed outline around a centre."""
    angles = [n * math.tau / 60 for n in range(60)]
    lobes = [1 + 0.13 * math.sin(3 * a + rx) + 0.07 * math.sin(7 * a + ry) for a in angles]
    outline = [(x + rx * k * math.cos(a), y + ry * k * math.sin(a)) for a, k in zip(angles, lobes, strict=True)]
    draw.polygon(_scaled(outline), fill=LAND, outline=SHORE, width=8)


def _dashes(draw: ImageDraw.ImageDraw, start: Point, end: Point, colour: str) -> None:
    count = max(4, round(math.dist(start, end) / 14))
    for n in range(count):
        a, b = n / count, (n + 0.6) / count
        ends = [(start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t) for t in (a, b)]
        draw.line(_scaled(ends), fill=colour, width=16)


def route_map() -> bytes:
    """A chart of the sound: the mainland to the west, four islands, four dashed routes and their ports."""
    image, draw = _canvas(840, 430, SEA)
    coast = [
        (0, 0),
        (150, 0),
        (128, 60),
        (165, 120),
        (140, 190),
        (172, 240),
        (135, 320),
        (160, 380),
        (140, 430),
        (0, 430),
    ]
    draw.polygon(_scaled(coast), fill=LAND, outline=SHORE, width=8)
    for x, y, rx, ry in (
        (400, 130, 92, 62),
        (430, 330, 74, 48),
        (650, 90, 58, 42),
        (705, 320, 66, 52),
        (560, 215, 16, 11),
    ):
        _island(draw, x, y, rx, ry)
    marrowick, halvane, ostrey = (165.0, 240.0), (318.0, 150.0), (365.0, 322.0)
    legs = ((marrowick, halvane, RED), (marrowick, ostrey, NAVY))
    far = (((488.0, 120.0), (597.0, 96.0), ORANGE), ((500.0, 330.0), (640.0, 326.0), GREEN))
    for start, end, colour in legs + far:
        _dashes(draw, start, end, colour)
        for px, py in (start, end):
            draw.ellipse(_scaled([(px - 7, py - 7), (px + 7, py + 7)]), fill=WHITE, outline=STONE, width=12)
    draw.polygon(_scaled([(780, 40), (792, 84), (780, 74), (768, 84)]), fill=STONE)
    return _png(image)


def ferry_side() -> bytes:
    """The starboard side of a small car ferry with two muster points marked in green."""
    image, draw = _canvas(640, 260, "#e6eef3")
    draw.rectangle(_scaled([(0, 196), (640, 260)]), fill=SEA)
    hull = [(50, 140), (600, 140), (578, 214), (84, 214)]
    draw.polygon(_scaled(hull), fill=NAVY)
    draw.polygon(_scaled([(67, 185), (591, 185), (578, 214), (84, 214)]), fill=RED)
    draw.rectangle(_scaled([(110, 96), (520, 140)]), fill=WHITE, outline=STONE, width=8)
    draw.rectangle(_scaled([(190, 56), (430, 96)]), fill=WHITE, outline=STONE, width=8)
    draw.rectangle(_scaled([(352, 22), (392, 56)]), fill=ORANGE, outline=STONE, width=8)
    for n in range(11):
        draw.rectangle(_scaled([(128 + n * 35, 108), (148 + n * 35, 124)]), fill=SEA, outline=STONE, width=6)
    for n in range(6):
        draw.rectangle(_scaled([(206 + n * 36, 66), (230 + n * 36, 82)]), fill=SEA, outline=STONE, width=6)
    for x in (150.0, 478.0):
        draw.ellipse(_scaled([(x - 13, 143), (x + 13, 169)]), fill=GREEN, outline=WHITE, width=10)
    return _png(image)


def lane_plan() -> bytes:
    """Boarding lanes on a pier seen from above: three lanes of cars, one of them closed, and the ferry's bow."""
    image, draw = _canvas(520, 220, SEA)
    draw.rectangle(_scaled([(0, 30), (380, 190)]), fill="#b9bcbf", outline=STONE, width=8)
    for y in (83, 137):
        for n in range(12):
            draw.line(_scaled([(12 + n * 30, y), (28 + n * 30, y)]), fill=WHITE, width=10)
    for lane, colours in ((0, (RED, NAVY, WHITE, GREEN)), (2, (ORANGE, WHITE, NAVY))):
        for n, colour in enumerate(colours):
            x, y = 300 - n * 74, 44 + lane * 54
            draw.rounded_rectangle(_scaled([(x, y), (x + 52, y + 26)]), radius=24, fill=colour, outline=STONE, width=6)
    for n in range(8):
        draw.line(_scaled([(20 + n * 44, 130), (48 + n * 44, 92)]), fill=ORANGE, width=14)
    draw.polygon(_scaled([(392, 60), (470, 40), (520, 40), (520, 180), (470, 180), (392, 160)]), fill=NAVY)
    return _png(image)


def charging_tower() -> bytes:
    """A charging tower on a quay with its arm reaching out to a ferry."""
    image, draw = _canvas(480, 300, "#e6eef3")
    draw.rectangle(_scaled([(0, 240), (480, 300)]), fill=SEA)
    draw.rectangle(_scaled([(0, 214), (190, 300)]), fill=STONE)
    draw.rectangle(_scaled([(96, 50), (136, 214)]), fill=WHITE, outline=STONE, width=10)
    draw.polygon(_scaled([(122, 84), (108, 128), (116, 128), (110, 164), (128, 116), (119, 116)]), fill=ORANGE)
    draw.line(_scaled([(116, 60), (250, 96), (272, 176)]), fill=ORANGE, width=36, joint="curve")
    draw.polygon(_scaled([(230, 176), (480, 176), (480, 262), (256, 262)]), fill=NAVY)
    draw.rectangle(_scaled([(330, 110), (480, 176)]), fill=WHITE, outline=STONE, width=8)
    return _png(image)


def badge(colour: str) -> bytes:
    """An add-on's icon: a wave on a rounded square."""
    image, draw = _canvas(64, 64, WHITE)
    draw.rounded_rectangle(_scaled([(2, 2), (62, 62)]), radius=48, fill=colour)
    wave = [(8 + n, 36 + 9 * math.sin(n / 6.0)) for n in range(49)]
    draw.line(_scaled(wave), fill=WHITE, width=24, joint="curve")
    return _png(image)
