"""Pictures: what counts as one, how captions open, and how they are stored."""

import hashlib
import io

import pytest
from PIL import Image, ImageDraw

from ingest.images import LONG_SIDE, caption_kind, is_blank, is_plain, is_too_small, png_size, stored_png


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Table 2: Sailings", "table"),
        ("TABLE IV. Results", "table"),
        ("Tabelle 3 Zahlen", "table"),
        ("Figure 3.1 A map", "figure"),
        ("Fig. 7 – Fuel", "figure"),
        ("Chart 12", "figure"),
        ("Abb. 4: Karte", "figure"),
        ("Figure A.2 Routes", "figure"),
        ("Tables are set out below", None),
        ("Figures rose by 3 percent", None),
        ("The figure 3 shows it", None),
        ("", None),
    ],
)
def test_captions_are_known_by_their_opening(text, kind):
    assert caption_kind(text) == kind


@pytest.mark.parametrize(("box", "small"), [((0, 0, 20, 300), True), ((0, 0, 300, 20), True), ((0, 0, 40, 40), False)])
def test_a_picture_with_a_short_side_is_decoration(box, small):
    assert is_too_small(box) is small


def drawn(size: tuple[int, int] = (300, 200), mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((20, 20, 150, 150), fill=(200, 30, 30))
    pen.ellipse((120, 60, 260, 180), fill=(30, 120, 30), outline=(0, 0, 90), width=6)
    return image.convert(mode)


def test_one_colour_is_plain_and_a_drawing_is_not():
    assert is_plain(Image.new("RGB", (500, 400), (240, 240, 240)))
    assert not is_plain(drawn())


def test_only_a_picture_without_any_mark_is_blank():
    page = Image.new("RGB", (2000, 2800), "white")
    assert is_blank(page)
    page.putpixel((1000, 1000), (254, 255, 255))
    assert not is_blank(page)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK", "P", "1"])
def test_a_picture_is_stored_as_png_under_its_own_hash(mode):
    key, data = stored_png(drawn(mode=mode))
    assert key == f"images/{hashlib.sha256(data).hexdigest()}.png"
    stored = Image.open(io.BytesIO(data))
    assert (stored.format, stored.size) == ("PNG", (300, 200))
    assert png_size(data) == (300, 200)
    assert stored_png(drawn(mode=mode)) == (key, data)


def test_a_large_picture_is_stored_smaller_and_left_as_it_was():
    image = drawn((3000, 1500))
    _, data = stored_png(image)
    assert png_size(data) == (LONG_SIDE, LONG_SIDE // 2)
    assert image.size == (3000, 1500)
