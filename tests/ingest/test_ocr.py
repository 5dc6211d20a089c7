"""OCR: one real picture read with the packaged models, and what is made of recognised lines."""

import io

import pymupdf
import pytest
from PIL import Image

from ingest.errors import BrokenError
from ingest.ocr import LONG_SIDE, MAX_SCALE, OcrLine, page_scale, read_picture, typeset
from ingest.types import Word

LABELS = {"Passengers 814,100": (40, 60), "Revenue in 2024": (300, 160)}
"""What is drawn, and where its base line begins, in points."""
DRAWN_SCALE = 2.0


def png_of(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def lines() -> list[OcrLine]:
    """A picture of two labels, read."""
    with pymupdf.open() as document:
        page = document.new_page(width=500, height=220)
        for text, at in LABELS.items():
            page.insert_text(at, text, fontsize=18)
        return read_picture(page.get_pixmap(matrix=pymupdf.Matrix(DRAWN_SCALE, DRAWN_SCALE)).tobytes("png"))


def test_every_label_is_read_from_top_to_bottom(lines):
    assert [line.text for line in lines] == list(LABELS)
    assert all(0.8 < line.confidence <= 1 for line in lines)


def test_boxes_are_in_pixels_of_the_picture_around_what_is_drawn(lines):
    for line, (x, base) in zip(lines, LABELS.values(), strict=True):
        x0, y0, _, y1 = (v / DRAWN_SCALE for v in line.box)
        assert x0 == pytest.approx(x, abs=5)
        assert y0 < base - 8 < base < y1 + 3
        assert y1 - y0 < 40


def test_each_word_has_its_own_box_inside_its_lines(lines):
    for line in lines:
        assert " ".join(w.text for w in line.words).replace(" ", "") == line.text.replace(" ", "")
        lefts = [w.box[0] for w in line.words]
        assert lefts == sorted(lefts)
        assert len(lefts) > 1
        assert all(line.box[0] - 4 <= w.box[0] < w.box[2] <= line.box[2] + 4 for w in line.words)


@pytest.mark.parametrize("data", [b"", b"no picture", png_of(Image.new("RGB", (90, 90)))[:60]])
def test_bytes_that_are_no_picture_are_named_broken(data):
    with pytest.raises(BrokenError, match="not a readable picture"):
        read_picture(data)


@pytest.mark.parametrize("size", [(595, 842), (842, 595), (2000, 3000), (72, 72), (0, 0)])
def test_pages_are_drawn_as_large_as_the_models_read_and_no_larger(size):
    scale = page_scale(*size)
    assert 0 < scale <= MAX_SCALE
    assert max(size) * scale <= LONG_SIDE + 1
    assert scale == MAX_SCALE or max(size) * scale == pytest.approx(LONG_SIDE)


def line(text: str, x: float, y: float, wide: float, high: float = 12.0) -> OcrLine:
    box = (x, y, x + wide, y + high)
    return OcrLine(text=text, box=box, confidence=0.9, words=(Word(text, box),))


def test_lines_are_typeset_where_they_were_recognised():
    found = [line("Passengers carried", 72, 100, 96), line("船客の数", 300, 400, 48)]
    with pymupdf.open("pdf", typeset(found, 500, 700)) as document:
        page = document[0]
        assert (page.rect.width, page.rect.height) == (500, 700)
        for made in found:
            (place,) = page.search_for(made.text)
            assert place.x0 == pytest.approx(made.box[0], abs=2)
            assert place.x1 == pytest.approx(made.box[2], rel=0.05)
            assert place.y0 - 4 < (made.box[1] + made.box[3]) / 2 < place.y1 + 4


def test_lines_of_nearly_one_size_are_typeset_in_one_size_and_headings_larger():
    found = [
        line("A heading of it", 72, 60, 180, 24),
        *(line("the same words", 72, 100 + i * 16, 80 + i) for i in range(4)),
    ]
    with pymupdf.open("pdf", typeset(found, 500, 700)) as document:
        spans = [s for b in document[0].get_text("dict")["blocks"] for row in b["lines"] for s in row["spans"]]
    sizes = {round(s["size"], 1) for s in spans if s["text"] == "the same words"}
    assert len(sizes) == 1
    assert next(s["size"] for s in spans if s["text"].startswith("A heading")) > 1.5 * max(sizes)


def test_a_line_of_no_width_is_typeset_all_the_same():
    with pymupdf.open("pdf", typeset([line("I", 72, 100, 0.0)], 500, 700)) as document:
        assert "I" in document[0].get_text()
