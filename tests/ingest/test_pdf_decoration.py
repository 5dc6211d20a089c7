"""Which raster pictures of a PDF are decoration: logos, shadows of titles, what stands on many pages; and the count."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ingest.partition import PartitionOptions, partition_text
from ingest.types import Partition, Source

PROSE = "The ferries carried more people in each year of the decade, and the purser counted them. "
LARGE = ImageFont.load_default(60)


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def a_logo() -> bytes:
    image = Image.new("RGB", (300, 120), "white")
    pen = ImageDraw.Draw(image)
    pen.polygon([(10, 110), (60, 10), (110, 110)], fill="#c8102e")
    pen.text((130, 20), "EIDER", fill="#12305a", font=LARGE)
    return png(image)


def a_photo() -> bytes:
    noise = np.random.default_rng(7).normal(0, 18, (120, 300, 3))
    wide = np.linspace((60, 90, 160), (190, 120, 40), 300)[None, :, :] + noise
    return png(Image.fromarray(np.clip(wide, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1)))


def a_formula() -> bytes:
    image = Image.new("RGB", (300, 120), "white")
    ImageDraw.Draw(image).text((20, 20), "E = mc\u00b2", fill="black", font=LARGE)
    return png(image)


def a_chart() -> bytes:
    image = Image.new("RGB", (300, 120), "white")
    for i, colour in enumerate(("#c8102e", "#1f9e3f", "#12509a", "#e0a020", "#7a2f9a")):
        ImageDraw.Draw(image).rectangle((20 + 50 * i, 100 - 15 * i, 60 + 50 * i, 110), fill=colour)
    return png(image)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Callable[[pymupdf.Document], None]], Partition]:
    """What the fast tier makes of a document that a test draws."""

    def made(draw: Callable[[pymupdf.Document], None]) -> Partition:
        document = pymupdf.open()
        draw(document)
        path = tmp_path / "drawn.pdf"
        document.save(path)
        return partition_text(Source(id="0" * 64, path=path, format="pdf", size=1), PartitionOptions(parser="fast"))

    return made


def pictures(found: Partition) -> list[tuple[int, bool]]:
    return [(e.page_number or 0, e.image_path in found.images) for e in found.elements if e.category == "Image"]


def a_page(document: pymupdf.Document) -> pymupdf.Page:
    page = document.new_page()
    page.insert_textbox((72, 200, 520, 330), PROSE * 4, fontsize=11)
    return page


@pytest.mark.parametrize(("content", "kept"), [(a_logo, 0), (a_photo, 1), (a_formula, 1), (a_chart, 1)])
def test_a_small_flat_picture_of_few_colours_is_a_logo(read, content, kept):
    found = read(lambda document: a_page(document).insert_image((72, 72, 172, 112), stream=content()))
    assert pictures(found) == [(1, True)] * kept
    assert found.left_out == ({} if kept else {"logos": 1})


def test_a_badge_without_a_caption_is_too_small_to_show_anything(read):
    found = read(
        lambda document: a_page(document).insert_image((72, 72, 127, 127), stream=a_photo(), keep_proportion=False)
    )
    assert (pictures(found), found.left_out) == ([], {"small": 1})


def test_a_logo_with_a_caption_or_of_a_picture_s_size_is_a_picture(read):
    def draw(document: pymupdf.Document) -> None:
        page = a_page(document)
        page.insert_image((72, 72, 172, 112), stream=a_logo())
        page.insert_text((72, 130), "Figure 1: The old sign of the line", fontsize=10)
        page.insert_image((72, 400, 372, 520), stream=a_logo())

    assert pictures(read(draw)) == [(1, True), (1, True)]


def test_a_picture_is_repeated_by_the_pages_that_show_it_and_not_by_its_uses_on_one(read):
    def on_one(document: pymupdf.Document) -> None:
        page = a_page(document)
        for i in range(3):
            page.insert_image((72, 350 + 130 * i, 372, 470 + 130 * i), stream=a_photo())

    def on_three(document: pymupdf.Document) -> None:
        for _ in range(3):
            a_page(document).insert_image((72, 350, 372, 470), stream=a_photo())

    assert len(pictures(read(on_one))) == 3
    found = read(on_three)
    assert (pictures(found), found.left_out) == ([], {"repeated": 1})


def test_the_shadow_of_a_title_is_nothing_beside_a_cut_line_and_a_rule(read):
    """A picture that holds the shadow of a title and reaches into a rule above and the line below shows nothing."""

    def draw(document: pymupdf.Document) -> None:
        page = document.new_page(width=720, height=540)
        shadow = Image.new("RGB", (600, 150), "white")
        ImageDraw.Draw(shadow).text((22, 42), "Barriers to Sailing", fill="#dddddd", font=LARGE)
        page.insert_image((60, 50, 660, 200), stream=png(shadow))
        page.draw_line((60, 50), (660, 50), width=1)
        page.insert_text((80, 146), "Barriers to Sailing", fontsize=62, color=(0.4, 0, 0))
        page.insert_text((200, 209), "(this year and the one before)", fontsize=14)
        page.insert_textbox((80, 240, 640, 500), PROSE * 6, fontsize=14)

    found = read(draw)
    assert (pictures(found), found.left_out) == ([], {"empty": 1})
