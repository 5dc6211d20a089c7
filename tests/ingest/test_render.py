import hashlib
from pathlib import Path

import pytest
from PIL import Image

from ingest.errors import BrokenError, SourceError
from ingest.render import check_original, crop, draw_pages, mark, open_picture, png_bytes

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(scope="module")
def two_pages(tmp_path_factory) -> Path:
    """A page with a red box at 10-60 × 20-40 points from the top left, and a landscape page with a blue one."""
    import pymupdf

    path = tmp_path_factory.mktemp("render") / "pages.pdf"
    with pymupdf.open() as pdf:
        pdf.new_page(width=200, height=300).draw_rect((10, 20, 60, 40), color=None, fill=(1, 0, 0))
        page = pdf.new_page(width=200, height=300)
        page.draw_rect((10, 20, 60, 40), color=None, fill=(0, 0, 1))
        page.set_rotation(90)
        pdf.save(path)
    return path


def colour_at(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """The colour at a place in points of a picture with two pixels a point."""
    return image.getpixel((int(x * 2), int(y * 2)))


def test_pages_are_drawn_as_displayed_two_pixels_a_point(two_pages):
    drawn = draw_pages(two_pages, [1, 2])
    assert {page: image.size for page, image in drawn.items()} == {1: (400, 600), 2: (600, 400)}
    assert [colour_at(drawn[1], x, y) for x, y in ((11, 21), (59, 39), (62, 30), (30, 18))] == [RED, RED, WHITE, WHITE]
    # Turned clockwise, (x, y) comes to (300 - y, x).
    assert [colour_at(drawn[2], x, y) for x, y in ((300 - 21, 11), (300 - 39, 59), (11, 21))] == [BLUE, BLUE, WHITE]


def test_the_scale_is_in_pixels_a_point(two_pages):
    assert draw_pages(two_pages, [1], scale=1.0)[1].size == (200, 300)


def test_where_the_first_engine_fails_the_second_draws_the_same(two_pages, monkeypatch):
    import liteparse

    def fails(*_, **__):
        raise liteparse.ParseError("no")

    expected = draw_pages(two_pages, [2])[2]
    monkeypatch.setattr(liteparse.LiteParse, "screenshot", fails)
    drawn = draw_pages(two_pages, [2])[2]
    assert drawn.size == expected.size
    assert [colour_at(drawn, x, y) for x, y in ((300 - 30, 30), (11, 21))] == [BLUE, WHITE]


def test_what_no_engine_can_draw_names_the_page(tmp_path, two_pages):
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nbroken\n")
    with pytest.raises(BrokenError, match=r"^broken\.pdf, page 1: cannot be drawn"):
        draw_pages(broken, [1])
    with pytest.raises(BrokenError, match=r"^pages\.pdf, page 3: cannot be drawn"):
        draw_pages(two_pages, [3])


def test_a_crop_holds_the_box_and_its_margin_and_stays_on_the_page(two_pages):
    page = draw_pages(two_pages, [1])[1]
    exact = crop(page, (10, 20, 60, 40))
    assert (exact.size, exact.getpixel((0, 0)), exact.getpixel((99, 39))) == ((101, 41), RED, RED)
    assert crop(page, (10, 20, 60, 40), margin=5).getpixel((9, 9)) == WHITE
    assert crop(page, (10, 20, 60, 40), margin=5).getpixel((11, 11)) == RED
    assert crop(page, (-50, -50, 1000, 1000), margin=50).size == page.size
    assert crop(page, (500, 500, 600, 600)).size == page.size


def test_marks_lie_on_their_boxes_and_let_the_page_show_through(two_pages):
    page = draw_pages(two_pages, [1])[1]
    marked = mark(page, [(10, 20, 60, 40), (100, 100, 120, 110)])
    changed = [
        colour_at(marked, x, y) != colour_at(page, x, y) for x, y in ((30, 30), (110, 105), (80, 70), (150, 200))
    ]
    assert changed == [True, True, False, False]
    red, _, blue = colour_at(marked, 110, 105)
    assert red == 255
    assert blue < 200
    assert colour_at(marked, 30, 30) != colour_at(marked, 110, 105)
    assert marked.mode == "RGB"


def test_an_original_is_checked_by_its_bytes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("as ingested")
    sha256 = hashlib.sha256(b"as ingested").hexdigest()
    check_original(path, sha256)
    path.write_text("changed")
    with pytest.raises(SourceError, match=r"a\.txt: the original has changed .* run `pincite ingest` again"):
        check_original(path, sha256)
    path.unlink()
    with pytest.raises(SourceError, match=r"a\.txt: the original is gone"):
        check_original(path, sha256)


def test_a_frame_of_a_picture_is_opened_as_rgb_and_a_missing_one_is_broken(tmp_path):
    path = tmp_path / "frames.tiff"
    Image.new("L", (4, 3), 255).save(path, save_all=True, append_images=[Image.new("L", (5, 2), 0)])
    assert open_picture(path).size == (4, 3)
    second = open_picture(path, 2)
    assert (second.size, second.mode, second.getpixel((0, 0))) == ((5, 2), "RGB", (0, 0, 0))
    with pytest.raises(BrokenError, match=r"frames\.tiff: not a readable picture"):
        open_picture(path, 3)
    path.write_bytes(b"no picture")
    with pytest.raises(BrokenError, match="not a readable picture"):
        open_picture(path)


def test_png_bytes_are_a_png_of_the_picture():
    import io

    picture = Image.new("RGB", (3, 2), BLUE)
    found = Image.open(io.BytesIO(png_bytes(picture)))
    assert (found.format, found.size, found.getpixel((0, 0))) == ("PNG", (3, 2), BLUE)


def test_a_photo_is_turned_as_it_says(tmp_path):
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), "white").save(path, exif=exif)
    assert open_picture(path).size == (20, 40)
