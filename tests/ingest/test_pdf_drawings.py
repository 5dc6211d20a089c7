"""Charts that are drawn with strokes and fills are found without a caption; tables and boxes are not charts."""

from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest

from ingest.partition import PartitionOptions, partition_text
from ingest.types import Element, Source

RED = (0.8, 0.2, 0.2)


@pytest.fixture
def figures(tmp_path: Path) -> Callable[[Callable[[pymupdf.Page], None]], list[Element]]:
    """The pictures that are found on a page that a test draws."""

    def read(draw: Callable[[pymupdf.Page], None]) -> list[Element]:
        document = pymupdf.open()
        page = document.new_page()
        page.insert_textbox(
            (72, 60, 520, 110), "The ferries carried more people in each year of the decade.", fontsize=11
        )
        draw(page)
        path = tmp_path / "drawn.pdf"
        document.save(path)
        source = Source(id="0" * 64, path=path, format="pdf", size=1)
        found = partition_text(source, PartitionOptions(parser="fast"))
        assert [w for w in found.warnings if "lost" in w or "twice" in w] == []
        return [e for e in found.elements if e.category == "Image"]

    return read


def bars(page: pymupdf.Page, left: float = 120) -> None:
    for number, height in enumerate([40, 90, 60, 120]):
        x = left + 30 * number
        page.draw_rect((x, 400 - height, x + 20, 400), fill=RED, color=None)
        page.insert_text((x, 412), f"Q{number + 1}", fontsize=8)


def test_bars_on_one_base_line_are_a_chart_with_the_labels_below_them(figures):
    (chart,) = figures(bars)
    assert chart.text.split() == ["Q1", "Q2", "Q3", "Q4"]
    x0, y0, x1, y1 = chart.boxes[0].box
    assert (x0, x1) == pytest.approx((120, 230), abs=5)
    assert (y0, y1) == pytest.approx((280, 413), abs=5)


def test_a_line_beside_evenly_stepped_numbers_is_a_chart_and_the_numbers_are_of_it(figures):
    def draw(page: pymupdf.Page) -> None:
        for number in range(5):
            page.insert_text((100, 400 - 40 * number), f"{10 * number}", fontsize=8)
            page.draw_line((120, 398 - 40 * number), (300, 398 - 40 * number), color=(0.8, 0.8, 0.8))
        page.draw_polyline([(120, 390), (180, 300), (240, 330), (300, 250)], color=RED)

    (chart,) = figures(draw)
    assert sorted(chart.text.split()) == ["0", "10", "20", "30", "40"]


def test_two_charts_side_by_side_keep_their_labels_apart(figures):
    def draw(page: pymupdf.Page) -> None:
        bars(page, 80)
        bars(page, 340)

    assert [chart.text.split() for chart in figures(draw)] == [["Q1", "Q2", "Q3", "Q4"]] * 2


def test_the_rules_of_a_table_of_years_are_no_chart(figures):
    def draw(page: pymupdf.Page) -> None:
        for number in range(7):
            y = 200 + 20 * number
            page.draw_line((100, y), (300, y))
            if number < 6:
                page.insert_text((110, y + 14), f"{1950 + 10 * number}", fontsize=10)
                page.insert_text((220, y + 14), f"{(number * 7919) % 997}", fontsize=10)
        for x in (100, 200, 300):
            page.draw_line((x, 200), (x, 320))

    assert figures(draw) == []


def test_a_table_of_years_with_a_shaded_head_is_no_chart(figures):
    def draw(page: pymupdf.Page) -> None:
        page.draw_rect((100, 180, 300, 200), fill=(0.9, 0.9, 0.9), color=None)
        for number in range(7):
            y = 200 + 20 * number
            page.draw_line((100, y), (300, y))
            if number < 6:
                page.insert_text((110, y + 14), f"{1950 + 10 * number}", fontsize=10)
                page.insert_text((170, y + 14), f"{(number * 7919) % 997}", fontsize=10)
        page.draw_line((100, 180), (100, 320))
        page.draw_line((300, 180), (300, 320))

    assert figures(draw) == []


def test_a_frame_around_a_drawing_its_caption_and_text_is_not_of_the_drawing(figures):
    def draw(page: pymupdf.Page) -> None:
        bars(page)
        page.insert_text((100, 440), "Figure 1: Passengers by quarter", fontsize=10)
        page.insert_textbox((80, 470, 500, 560), "The ferries carried more people in each year. " * 8, fontsize=10)
        page.draw_rect((70, 250, 520, 600))

    (chart,) = figures(draw)
    x0, y0, x1, y1 = chart.boxes[0].box
    assert (x0, x1) == pytest.approx((120, 230), abs=5)
    assert (y0, y1) == pytest.approx((280, 413), abs=5)


def test_rules_that_a_table_s_caption_stands_by_are_not_of_the_figure_above(figures):
    def draw(page: pymupdf.Page) -> None:
        bars(page)
        page.insert_text((100, 440), "Figure 1: Passengers by quarter", fontsize=10)
        for y in (470, 490, 530):
            page.draw_line((100, y), (300, y))
        for number in range(3):
            page.insert_text((110, 484 + 14 * number), f"Route H{number} {977 * number}", fontsize=8)
        page.insert_text((100, 545), "Table 1: Passengers by route", fontsize=10)

    (chart,) = figures(draw)
    assert chart.text.split() == ["Q1", "Q2", "Q3", "Q4"]


def test_a_filled_box_behind_text_is_no_figure(figures):
    def draw(page: pymupdf.Page) -> None:
        for number in range(3):
            top = 200 + 120 * number
            page.draw_rect((100, top, 400, top + 80 + 5 * number), fill=(0.9, 0.9, 1), color=None)
            text = (
                "A ferry that does not sail on the day that is printed on the ticket is paid back in full at the pier."
            )
            page.insert_textbox((110, top + 10, 390, top + 70), text, fontsize=10)

    assert figures(draw) == []


def test_icons_and_rules_are_no_figures(figures):
    def draw(page: pymupdf.Page) -> None:
        for number in range(8):
            page.draw_circle((100 + 30 * number, 300), 10, fill=RED)
        page.draw_line((72, 500), (520, 500))

    assert figures(draw) == []
