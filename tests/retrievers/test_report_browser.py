"""The ingest report in a real browser, opened from disk: boxes, filters, tables, keyboard; and nothing that runs."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import retrievers.report
from ingest.library import Library, PathRecord
from ingest.types import Partition, Source
from retrievers.report import ReportOptions, write_report
from tests.browser import running_chromium
from tests.inline_pool import InlinePool
from tests.retrievers.made import element, page, put, table, title
from tests.retrievers.test_report import EVIL, LINK
from tests.retrievers.test_show import write_pdf

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

LINES = ("Fares rose twice in one year.", "Dogs travel free of charge.")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with running_chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=[False, True], ids=["beside", "embedded"])
def report(request, tmp_path_factory) -> Path:
    """A report on a PDF, a page with hostile text, a table without pages, and a file that failed."""
    folder = tmp_path_factory.mktemp("report")
    with Library(folder / "docs" / ".pincite", create=True) as library, pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrievers.report, "WorkerPool", InlinePool)
        put_fares(library, folder / "docs" / "fares.pdf")
        cells = table(f"<table><tr><th>{EVIL.replace('<', '&lt;')}</th><td>{LINK}</td></tr></table>")
        hostile = replace(element("Image", EVIL), summary=EVIL)
        put(library, f"{EVIL.replace('/', '_')}.html", [title(EVIL), cells, hostile], kind="html")
        put(library, "long.txt", [title(f"Chapter {n}") for n in range(3)], [page(n) for n in range(1, 26)])
        path = str(folder / "docs" / "broken.pdf")
        known = PathRecord(path=path, source_id=None, state="failed", reason="broken PDF", size=1, mtime_ns=1)
        library.put_path(known, "/docs")
        return write_report(library, folder / "report.html", ReportOptions(is_embedded=request.param))


def put_fares(library: Library, path: Path) -> None:
    """A PDF of two lines with the boxes that its text layer gives them, and a page that lost text."""
    from ingest.partition import PartitionOptions
    from ingest.partition.pdf import partition

    write_pdf(path, LINES, ("Bicycles cost two euros.",))
    found: Partition = partition(Source(id="0" * 64, path=path, format="pdf", size=1), PartitionOptions(parser="fast"))
    shown = [page for page in found.pages if page.page == 1]
    lost = [replace(page, text_kept=0.5, tier="careful") for page in found.pages if page.page == 2]
    put(library, path.name, found.elements, [*shown, *lost], original=path, kind="pdf")


@pytest.fixture
def tab(browser: "Browser", report: Path) -> Iterator["Page"]:
    """The report opened from disk; anything that the browser complains of, asks the network for or pops up fails."""
    tab = browser.new_page(viewport={"width": 1300, "height": 900})
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or said.append(request.url))
    tab.goto(report.as_uri())
    yield tab
    tab.close()
    assert said == []


def source(tab: "Page", name: str) -> "Locator":
    return tab.locator("details.source", has=tab.locator(".path", has_text=name))


def opened(tab: "Page", name: str) -> "Locator":
    found = source(tab, name)
    found.locator("summary").click()
    found.locator("ol.elements").first.wait_for()
    return found


def told(tab: "Page", pattern: str) -> None:
    """Wait until this is said of what the filters leave."""
    tab.locator("#found", has_text=re.compile(pattern)).wait_for()


def visible(tab: "Page") -> list[str]:
    return [row.inner_text() for row in tab.locator("details.source:visible .path").all()]


def test_a_box_lies_on_the_words_of_its_element(tab):
    # High enough that nothing that sticks to the top lies over the page.
    tab.set_viewport_size({"width": 1300, "height": 2000})
    first = opened(tab, "fares.pdf").locator("article").first
    sheet = first.locator(".sheet")
    sheet.locator("img").evaluate("img => img.decode()")
    tab.locator("#legend input").last.uncheck()  # the numbers of the reading order
    box = first.locator("rect").first.bounding_box()
    tab.locator("#legend label", has_text="NarrativeText").locator("input").uncheck()
    shot = np.asarray(Image.open(io.BytesIO(sheet.screenshot())).convert("L"))
    at = sheet.bounding_box()
    assert box is not None
    assert at is not None
    rows, columns = np.nonzero(shot[3:-3, 3:-3] < 128)
    top = rows.min()
    line = (rows < top + box["height"]) & (rows >= top)
    x0, x1, y0, y1 = columns[line].min() + 3, columns[line].max() + 3, rows[line].min() + 3, rows[line].max() + 3
    assert x0 == pytest.approx(box["x"] - at["x"], abs=4)
    assert x1 == pytest.approx(box["x"] + box["width"] - at["x"], abs=4)
    assert box["y"] - at["y"] - 3 <= y0 <= y1 <= box["y"] + box["height"] - at["y"] + 3


def test_a_category_that_is_switched_off_hides_its_boxes(tab):
    first = opened(tab, "fares.pdf").locator("article").first
    assert first.locator("rect:visible").count() == 1
    tab.locator("#legend label", has_text="NarrativeText").locator("input").uncheck()
    assert first.locator("rect:visible").count() == 0


def test_sources_are_filtered_by_state_category_tier_and_text_kept(tab):
    assert len(visible(tab)) == 4
    tab.select_option("#state", "failed")
    told(tab, r"^1 source, ")
    assert visible(tab) == ["broken.pdf"]
    tab.click("button[type=reset]")
    tab.select_option("#category", "Table")
    told(tab, r"^1 source, ")
    assert "alert" in visible(tab)[0]
    tab.click("button[type=reset]")
    tab.fill("#kept", "90")
    told(tab, r"^1 source, 1 page$")
    assert visible(tab) == ["fares.pdf"]
    assert [h.inner_text() for h in opened(tab, "fares.pdf").locator("article h2").all()] == ["Page 2"]
    tab.click("button[type=reset]")
    tab.select_option("#tier", "careful")
    told(tab, r"^1 source, 1 page$")


def test_words_are_searched_in_all_pages_and_marked(tab):
    tab.fill("#words", "bicycles COST")
    told(tab, r"^1 source, 1 page$")
    assert visible(tab) == ["fares.pdf"]
    assert opened(tab, "fares.pdf").locator("mark").all_inner_texts() == ["Bicycles cost"]


def test_hostile_text_is_shown_as_text(tab):
    found = opened(tab, "alert")
    assert found.locator("th").inner_text() == EVIL
    assert found.locator("td").inner_text() == LINK
    assert found.locator("li.title p").inner_text() == EVIL
    assert f"A model describes it: {EVIL}" in found.inner_text()
    assert found.locator("script, a").count() == 0


def test_pages_are_built_as_they_are_reached(tab):
    found = opened(tab, "long.txt")
    assert found.locator("article").count() < 25
    for number in (11, 21, 25):
        tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        found.locator("article h2", has_text=f"Page {number}").wait_for(state="attached")
    found.locator("article h2", has_text="Outline").wait_for(state="attached")
    assert found.locator("article").count() == 26


def test_it_is_used_with_the_keyboard_and_has_names_for_readers(tab):
    summary = source(tab, "fares.pdf").locator("summary")
    summary.focus()
    tab.keyboard.press("Enter")
    item = source(tab, "fares.pdf").locator("ol.elements li").first
    item.wait_for()
    item.focus()
    assert "on" in (source(tab, "fares.pdf").locator("rect").first.get_attribute("class") or "")
    assert source(tab, "fares.pdf").locator("img").first.get_attribute("alt") == "Page 1 of fares.pdf"
    unnamed = "[...document.querySelectorAll('input, select')].filter(n => !n.labels.length).length"
    assert tab.evaluate(unnamed) == 0
    assert tab.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("width", [360, 1300])
def test_nothing_is_wider_than_the_window(tab, width):
    tab.set_viewport_size({"width": width, "height": 800})
    opened(tab, "fares.pdf")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_it_follows_the_colours_of_the_system(browser, report):
    colours = set()
    for scheme in ("light", "dark"):
        tab = browser.new_page(color_scheme=scheme)
        tab.goto(report.as_uri())
        colours.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        tab.close()
    assert len(colours) == 2
