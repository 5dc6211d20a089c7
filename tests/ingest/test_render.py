import hashlib
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.discover import identify
from ingest.errors import BrokenError, EncryptedError, SourceError
from ingest.partition import PartitionOptions, partition
from ingest.partition.pdf_careful import read_tables
from ingest.render import (
    LOCKED,
    MAX_PIXELS,
    WRONG_PASSWORD,
    bounded_scale,
    check_original,
    crop,
    draw_pages,
    mark,
    open_page,
    open_picture,
    png_bytes,
    scale_of,
)
from ingest.types import BoundingBox

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

    expected = draw_pages(two_pages, [2])[2]
    monkeypatch.setattr(liteparse.LiteParse, "screenshot", raises_parse_error)
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


# --- the same place, whatever the page says of itself -------------------------------------------


@dataclass(frozen=True)
class Turned:
    """A page of 300 × 400 points: a red word, black lines, and a ruled table with a red word of its own."""

    path: Path
    size: tuple[float, float]


GEOMETRIES = list(product((0, 90, 180, 270), (False, True), (1, 2)))


@pytest.fixture(scope="module", params=GEOMETRIES, ids=lambda p: f"turned {p[0]}, cropped {p[1]}, unit {p[2]}")
def turned(request, tmp_path_factory) -> Turned:
    import pymupdf

    rotation, cropped, unit = request.param
    path = tmp_path_factory.mktemp("turned") / "page.pdf"
    with pymupdf.open() as pdf:
        page = pdf.new_page(width=300, height=400)
        page.insert_text((80, 120), "Halvane", fontsize=14, color=(1, 0, 0))
        for row in range(3):
            page.insert_text((80, 150 + 14 * row), "The ferry leaves from the pier.", fontsize=9)
        for row, texts in enumerate((("Fare", "Euro"), ("Adult", "4.50"), ("Child", "Puffin"))):
            for column, text in enumerate(texts):
                page.draw_rect((80 + 80 * column, 220 + 20 * row, 160 + 80 * column, 240 + 20 * row))
                red = (1, 0, 0) if text == "Puffin" else (0, 0, 0)
                page.insert_text((85 + 80 * column, 234 + 20 * row), text, fontsize=10, color=red)
        if cropped:
            page.set_cropbox(pymupdf.Rect(40, 60, 270, 370))
        page.set_rotation(rotation)
        pdf.xref_set_key(page.xref, "UserUnit", str(unit))
        pdf.save(path)
    width, height = (230, 310) if cropped else (300, 400)
    width, height = (height, width) if rotation in (90, 270) else (width, height)
    return Turned(path, (width * unit, height * unit))


def ink(picture: Image.Image) -> list[BoundingBox]:
    """The boxes (in points) of what is red on a drawn page, one a stretch of columns with a gap of 10 pixels around."""
    pixels = np.asarray(picture).astype(int)
    red = (pixels[:, :, 0] > 150) & (pixels[:, :, 1] < 110) & (pixels[:, :, 2] < 110)
    return [
        (left / 2, top / 2, right / 2, bottom / 2)
        for top, bottom in stretches(red.any(axis=1))
        for left, right in stretches(red[top:bottom].any(axis=0))
    ]


def stretches(marks: np.ndarray) -> list[tuple[int, int]]:
    """Where a row of marks has some, gaps of up to 30 not counted: start and end of each."""
    places = np.flatnonzero(marks)
    breaks = np.flatnonzero(np.diff(places) > 30)
    starts, ends = [0, *(breaks + 1)], [*breaks, len(places) - 1]
    return [(int(places[a]), int(places[b]) + 1) for a, b in zip(starts, ends, strict=True)]


def lies_in(inner: BoundingBox, outer: BoundingBox, slack: float = 1.0) -> bool:
    return all(a >= b - slack for a, b in zip(inner[:2], outer[:2], strict=True)) and all(
        a <= b + slack for a, b in zip(inner[2:], outer[2:], strict=True)
    )


def test_both_engines_draw_a_page_as_it_is_displayed(turned, monkeypatch):
    import liteparse

    first = draw_pages(turned.path, [1])[1]
    monkeypatch.setattr(liteparse.LiteParse, "screenshot", raises_parse_error)
    second = draw_pages(turned.path, [1])[1]
    assert first.size == second.size == tuple(2 * side for side in turned.size)
    assert len(ink(first)) == 2
    for one, other in zip(ink(first), ink(second), strict=True):
        assert one == pytest.approx(other, abs=1.5)


def raises_parse_error(*_, **__):
    import liteparse

    raise liteparse.ParseError("no")


def test_a_words_box_holds_its_ink_and_marks_lie_on_it(turned):
    found = partition(identify(str(turned.path), max_bytes=2**20), PartitionOptions(images="off", parser="fast"))
    (page,) = found.pages
    assert (page.width, page.height) == pytest.approx(turned.size)
    boxes = [word.box for text in ("Halvane", "Puffin") for word in page.words if word.text == text]
    picture = draw_pages(turned.path, [1])[1]
    assert len(boxes) == 2
    for place in ink(picture):
        (box,) = [b for b in boxes if lies_in(place, b)]
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        marked = mark(picture, [box])
        assert colour_at(marked, *middle) != colour_at(picture, *middle)
        assert ink(crop(picture, box, margin=2)), "the crop does not show the word"
        assert max(place[2] - place[0], place[3] - place[1]) > 0.8 * max(box[2] - box[0], box[3] - box[1])


def test_the_second_engine_reads_words_where_the_page_shows_them(turned):
    with open_page(turned.path, 1) as page:
        read = [tuple(w[:4]) for w in page.get_text("words") if w[4] in ("Halvane", "Puffin")]
    places = ink(draw_pages(turned.path, [1])[1])
    assert [sum(lies_in(place, box) for box in read) for place in places] == [1, 1]


@pytest.mark.parametrize(
    "turned", [(rotation, True, 2) for rotation in (0, 90, 180, 270)], ids=lambda p: f"turned {p[0]}", indirect=True
)
def test_the_second_engine_sees_tables_where_the_page_shows_them(turned):
    (grid,) = read_tables(turned.path, 1)
    cells = [box for row in grid.rows for box in row if box]
    _, place = ink_by_size(turned.path)
    assert any(lies_in(place, box, slack=3) for box in cells), cells
    assert all(lies_in(box, (0, 0, *turned.size)) for box in cells)


def ink_by_size(path: Path) -> list[BoundingBox]:
    """The boxes of the two red words of a page, that of the larger letters first."""
    return sorted(ink(draw_pages(path, [1])[1]), key=lambda b: (b[2] - b[0]) * (b[3] - b[1]), reverse=True)


# --- pages of unusual size ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def wall(tmp_path_factory) -> Path:
    """A page 20 m wide and high, with a red box in its lower half."""
    import pymupdf

    path = tmp_path_factory.mktemp("wall") / "wall.pdf"
    with pymupdf.open() as pdf:
        page = pdf.new_page(width=14400, height=14400)
        page.draw_rect((2000, 8000, 4000, 9000), color=None, fill=(1, 0, 0))
        pdf.xref_set_key(page.xref, "UserUnit", "4")
        pdf.save(path)
    return path


@pytest.mark.parametrize("engine", ["first", "second"])
def test_a_huge_page_is_drawn_within_the_limit_and_crops_of_it_are_right(wall, engine, monkeypatch):
    import liteparse

    if engine == "second":
        monkeypatch.setattr(liteparse.LiteParse, "screenshot", raises_parse_error)
    drawn = draw_pages(wall, [1])[1]
    assert drawn.width * drawn.height <= MAX_PIXELS * 1.01
    assert drawn.width == pytest.approx(57600 * scale_of(drawn), abs=2)
    part = crop(drawn, (8000, 32000, 16000, 36000))
    assert part.getpixel((part.width // 2, part.height // 2)) == RED
    assert part.size == pytest.approx((8000 * scale_of(drawn), 4000 * scale_of(drawn)), abs=2)
    marked = mark(drawn, [(40000, 40000, 48000, 48000)])
    middle = round(44000 * scale_of(drawn))
    assert marked.getpixel((middle, middle)) != drawn.getpixel((middle, middle))
    assert scale_of(marked) == scale_of(drawn)


def test_an_ordinary_page_keeps_its_scale():
    assert bounded_scale(595, 842) == 2.0
    assert bounded_scale(1684, 2384) == 2.0, "a sheet of A1"
    assert bounded_scale(0, 0) == 2.0


# --- passwords ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked(two_pages, tmp_path_factory) -> Path:
    """The folder of the two pages with a password to open them, and with one that only bars changes."""
    import pymupdf

    folder = tmp_path_factory.mktemp("locked")
    with pymupdf.open(two_pages) as pdf:
        encryption = pymupdf.PDF_ENCRYPT_AES_256
        pdf.save(folder / "locked.pdf", encryption=encryption, user_pw="kelp", owner_pw="wrack")
        pdf.save(folder / "barred.pdf", encryption=encryption, owner_pw="wrack")
    return folder


@pytest.mark.parametrize("engine", ["first", "second"])
def test_a_locked_page_is_drawn_with_its_password_alone(locked, engine, monkeypatch):
    if engine == "second":
        monkeypatch.setattr("ingest.render._by_scale", raises_parse_error)
    path = locked / "locked.pdf"
    assert colour_at(draw_pages(path, [1], password="kelp")[1], 30, 30) == RED
    with pytest.raises(EncryptedError) as raised:
        draw_pages(path, [1])
    assert raised.value.reason == LOCKED
    with pytest.raises(EncryptedError) as raised:
        draw_pages(path, [1], password="dulse")
    assert raised.value.reason == WRONG_PASSWORD


@pytest.mark.parametrize("password", [None, "kelp"])
def test_a_page_that_opens_without_a_password_is_drawn_whatever_one_is_given(locked, two_pages, password):
    for path in (locked / "barred.pdf", two_pages):
        assert colour_at(draw_pages(path, [1], password=password)[1], 30, 30) == RED
