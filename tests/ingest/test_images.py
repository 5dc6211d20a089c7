"""Pictures: what counts as one, how captions open, and how they are stored."""

import hashlib
import io

import pytest
from PIL import Image, ImageDraw

from ingest.errors import BrokenError
from ingest.images import (
    LONG_SIDE,
    SENT_SIDE,
    caption_kind,
    is_blank,
    is_plain,
    is_plain_beside,
    is_too_small,
    left_out_warning,
    opaque,
    png_size,
    sent_png,
    stored_png,
    without_decoration,
)
from ingest.types import Element, Page, Partition


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


def test_a_picture_that_shows_nothing_beside_words_is_told_from_one_that_does():
    assert is_plain_beside(drawn(), [(15, 15, 265, 185)])
    assert not is_plain_beside(drawn(), [(15, 15, 155, 155)])


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


# --- decoration ---------------------------------------------------------------------------------


def document(*placed: tuple[Image.Image, int | None, str], pages: int = 0, captioned: int | None = None) -> Partition:
    """Pictures with their pages and what is said of them, in a document of so many pages."""
    made = [(stored_png(picture), page, text) for picture, page, text in placed]
    elements = [
        Element(element_id=str(n), category="Image", text=text, page_number=page, image_path=key)
        for n, ((key, _), page, text) in enumerate(made)
    ]
    if captioned is not None:
        elements.append(Element(element_id="c", category="FigureCaption", text="Figure 1", parent_id=str(captioned)))
    return Partition(
        elements=tuple(elements),
        pages=tuple(Page(page=n + 1, width=720.0, height=540.0) for n in range(pages)),
        images=dict(stored for stored, _, _ in made),
    )


@pytest.mark.parametrize(
    ("size", "reason"),
    [((32, 32), "small"), ((120, 30), "small"), ((600, 4), "rules"), ((30, 900), "rules"), ((300, 30), None)],
)
def test_icons_and_rules_are_left_out_and_counted_and_a_line_of_a_formula_is_not(size, reason):
    found = without_decoration(document((drawn().resize(size), None, "")))
    assert found.left_out == ({reason: 1} if reason else {})
    assert (len(found.elements), len(found.images)) == ((0, 0) if reason else (1, 1))


def test_a_picture_of_one_colour_is_left_out():
    found = without_decoration(document((Image.new("RGB", (400, 300), "navy"), None, ""), (drawn(), None, "")))
    assert found.left_out == {"empty": 1}
    assert len(found.images) == 1


def test_a_logo_on_half_of_the_slides_is_left_out_and_a_figure_on_two_is_not():
    logo, figure = drawn((200, 150)), drawn((400, 300))
    placed = [(logo, n, "") for n in range(1, 6)] + [(figure, 3, ""), (figure, 4, "")]
    found = without_decoration(document(*placed, pages=8))
    assert found.left_out == {"repeated": 5}
    assert [e.page_number for e in found.elements] == [3, 4]


def test_a_small_picture_that_comes_again_and_again_in_a_web_page_is_left_out():
    found = without_decoration(document(*[(drawn((150, 100)), None, "")] * 3, (drawn((300, 200)), None, "")))
    assert found.left_out == {"repeated": 3}


def test_what_is_said_of_a_picture_stays_without_it():
    (element,) = without_decoration(document((drawn().resize((32, 32)), None, "Seal of the harbour board"))).elements
    assert (element.text, element.image_path) == ("Seal of the harbour board", None)


def test_a_picture_with_a_caption_is_never_decoration():
    found = without_decoration(document((drawn().resize((32, 32)), None, ""), captioned=0))
    assert found.left_out == {}
    assert len(found.images) == 1


def test_what_is_left_out_is_told_in_a_line():
    assert left_out_warning({}) == ()
    assert left_out_warning({"small": 2, "repeated": 5}) == ("7 pictures left out as decoration: 5 repeated, 2 small",)
    assert left_out_warning({"small": 1}) == ("1 picture left out as decoration: 1 small",)


# --- what a model is sent -----------------------------------------------------------------------


def test_a_model_is_sent_the_stored_picture_or_a_smaller_copy():
    _, small = stored_png(drawn())
    _, large = stored_png(drawn((2000, 1000)))
    assert sent_png(small) == small
    assert png_size(sent_png(large)) == (SENT_SIDE, SENT_SIDE // 2)


@pytest.mark.parametrize(
    "data", [b"", b"no picture at all, but long enough to have a head", stored_png(drawn())[1][:30]]
)
def test_what_is_no_picture_is_sent_nowhere(data):
    with pytest.raises(BrokenError, match="not a readable picture"):
        sent_png(data if data[:4] != b"\x89PNG" else data[:16] + b"\x00\x00\xff\xff" * 2 + data[24:])


# --- transparency -------------------------------------------------------------------------------


def clear_drawing(colour: str) -> Image.Image:
    """A drawing of one colour on nothing: what is transparent is stored as black."""
    image = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((50, 50, 200, 150), fill=colour)
    return image


@pytest.mark.parametrize(("colour", "ground"), [("black", (255, 255, 255)), ("white", (0, 0, 0))])
def test_a_drawing_on_nothing_is_seen_against_a_ground_that_it_stands_out_of(colour, ground):
    seen = opaque(clear_drawing(colour))
    assert (seen.mode, seen.getpixel((5, 5))) == ("RGB", ground)
    assert not is_blank(clear_drawing(colour))


def test_a_model_is_sent_a_clear_picture_on_its_ground():
    _, png = stored_png(clear_drawing("black"))
    sent = Image.open(io.BytesIO(sent_png(png)))
    assert (sent.mode, sent.getpixel((5, 5)), sent.getpixel((100, 100))) == ("RGB", (255, 255, 255), (0, 0, 0))


def test_a_picture_with_nothing_on_it_is_blank():
    assert is_blank(Image.new("RGBA", (40, 40), (0, 0, 0, 0)))
