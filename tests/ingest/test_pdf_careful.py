"""The careful tier: which pages it is asked to read, what it makes of their tables, and what it must leave alone."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pymupdf
import pytest
from click.testing import CliRunner

from cli import main
from ingest.errors import UsageError
from ingest.partition import PartitionOptions, partition, pdf_second_look
from ingest.partition import pdf as module
from ingest.partition.pdf_careful import Grid, torn, with_grids
from ingest.partition.pdf_parse import parse_pages
from ingest.partition.pdf_words import PageText, page_element, page_words
from ingest.tables import column_headers
from ingest.types import Cell, Element, Partition, Source

PROSE = "The tubes were filled as the table says, and shaken for a minute before they were weighed on a balance. "
WRAPPED = [
    (["Area"], ["Aim"], ["Measure taken"]),
    (
        ["Harbour"],
        ["Fewer", "delays"],
        ["A second pilot is on duty from", "May to September, and ships are", "told an hour before."],
    ),
    (
        ["Ferries"],
        ["More", "guests"],
        ["Bicycles travel free of charge", "on all routes in the morning and", "after eight at night."],
    ),
    (["Schools"], ["Safe", "ways"], ["The path along the shore has", "light, and buses stop at", "its end."]),
]


def read(path: Path, parser: str = "auto", images: str = "off") -> Partition:
    source = Source(id="id", path=path, format="pdf", size=path.stat().st_size)
    return partition(source, PartitionOptions(parser=parser, images=images))


def save(document: pymupdf.Document, path: Path) -> Path:
    document.save(path)
    return path


def tables(result: Partition) -> list[Element]:
    return [e for e in result.elements if e.category == "Table"]


def shape(table: Element) -> tuple[int, int]:
    return max(c.row + c.rowspan for c in table.cells), max(c.column + c.colspan for c in table.cells)


def new_page() -> tuple[pymupdf.Document, pymupdf.Page]:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_textbox((72, 60, 520, 120), PROSE * 3, fontsize=10)
    return document, page


@pytest.fixture(scope="module")
def wrapped(tmp_path_factory) -> Path:
    """A table without vertical lines, whose cells have up to three lines."""
    document, page = new_page()
    top = 150.0
    for row in WRAPPED:
        page.draw_line((72, top), (500, top))
        for left, cell in zip((76, 180, 270), row, strict=True):
            for i, line in enumerate(cell):
                page.insert_text((left, top + 13 + 13 * i), line, fontsize=10)
        top += max(map(len, row)) * 13 + 10
    page.draw_line((72, top), (500, top))
    return save(document, tmp_path_factory.mktemp("pdf") / "wrapped.pdf")


@pytest.fixture(scope="module")
def two_levels(tmp_path_factory) -> Path:
    """A table without lines, with visits above weights and heights."""
    document, page = new_page()
    for left, text in ((215, "First visit"), (395, "Second visit")):
        page.insert_text((left, 160), text, fontsize=10, fontname="hebo")
    rows = [["Patient", "Weight", "Height", "Weight", "Height"]]
    rows += [
        [f"Patient {n}", f"{60 + n * 3} kg", f"{170 + n} cm", f"{61 + n * 2} kg", f"{170 + n} cm"] for n in range(6)
    ]
    for r, row in enumerate(rows):
        for left, text in zip((72, 190, 270, 370, 450), row, strict=True):
            page.insert_text((left, 178 + 18 * r), text, fontsize=10)
    page.insert_textbox((72, 320, 520, 400), PROSE * 3, fontsize=10)
    return save(document, tmp_path_factory.mktemp("pdf") / "levels.pdf")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    """A page without a table."""
    return save(new_page()[0], tmp_path_factory.mktemp("pdf") / "plain.pdf")


# --- what it reads better -----------------------------------------------------------------------


def test_a_table_that_came_in_pieces_is_read_as_one(wrapped):
    assert len(tables(read(wrapped, "fast"))) > 1
    result = read(wrapped)
    (table,) = tables(result)
    assert shape(table) == (4, 3)
    expected = {(r, c): " ".join(cell) for r, row in enumerate(WRAPPED) for c, cell in enumerate(row)}
    assert {(c.row, c.column): c.text for c in table.cells} == expected
    assert [c.text for c in table.cells if c.header] == ["Area", "Aim", "Measure taken"]


def test_what_the_table_says_is_said_once(wrapped):
    result = read(wrapped)
    assert [e.category for e in result.elements] == ["NarrativeText", "Table"]
    assert result.pages[0].text_kept == 1.0


def test_the_page_tells_why_it_was_read_carefully_and_what_it_took(wrapped):
    (page,) = read(wrapped).pages
    assert page.tier == "careful"
    assert "table in pieces" in page.reasons
    assert page.ms > read(wrapped, "fast").pages[0].ms


def test_a_header_of_two_levels_spans_the_columns_under_it(two_levels):
    (table,) = tables(read(two_levels, "careful"))
    assert shape(table) == (8, 5)
    assert column_headers(table.cells, 4) == ("Second visit", "Height")
    assert column_headers(table.cells, 1) == ("First visit", "Weight")


# --- what it leaves alone -----------------------------------------------------------------------


def test_a_page_without_tables_read_carefully_differs_in_its_tier_alone(plain):
    fast, careful = read(plain, "fast"), read(plain, "careful")
    assert careful.elements == fast.elements
    (page,) = careful.pages
    assert page.tier == "careful"
    assert replace(page, tier="fast", ms=0) == replace(fast.pages[0], reasons=page.reasons, ms=0)


def test_a_page_without_tables_is_not_read_carefully_unasked(plain, monkeypatch):
    monkeypatch.setattr(pdf_second_look, "read_tables", lambda *_: pytest.fail("read carefully"))
    assert read(plain).pages[0].tier == "fast"


def test_fast_reads_no_page_carefully(wrapped):
    code = (
        "import sys; from pathlib import Path\n"
        "from ingest.partition import PartitionOptions, partition\n"
        "from ingest.types import Source\n"
        "source = Source(id='id', path=Path(sys.argv[1]), format='pdf', size=1)\n"
        "partition(source, PartitionOptions(parser='fast', images='off'))\n"
        "print('pymupdf' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(wrapped)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_page_that_pymupdf_cannot_read_keeps_the_fast_result_and_says_so(wrapped, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("bad font")

    fast = read(wrapped, "fast")
    monkeypatch.setattr(pymupdf.Page, "find_tables", broken)
    result = read(wrapped)
    assert result.elements == fast.elements
    assert result.pages[0].tier == "fast"
    assert result.warnings == ("page 1: no second look at its tables (PyMuPDF cannot read page 1: bad font)",)


def test_a_turned_page_is_read_as_it_is_displayed(wrapped, tmp_path):
    with pymupdf.open() as document, pymupdf.open(wrapped) as drawn:
        page = document.new_page(width=842, height=595)
        page.show_pdf_page(page.rect, drawn, 0, rotate=90)
        page.set_rotation(90)
        turned = read(save(document, tmp_path / "turned.pdf"))
    assert turned.pages[0].rotation or turned.pages[0].width < turned.pages[0].height
    assert [t.text for t in tables(turned)] == [t.text for t in tables(read(wrapped))]


def test_a_table_that_is_displayed_sideways_is_left_alone(wrapped, tmp_path):
    with pymupdf.open(wrapped) as document:
        document[0].set_rotation(90)
        path = save(document, tmp_path / "sideways.pdf")
    assert read(path, "careful").elements == read(path, "fast").elements


def test_no_more_pages_of_a_file_are_read_carefully_than_there_is_time_for(wrapped, tmp_path, monkeypatch):
    with pymupdf.open(wrapped) as document:
        document.fullcopy_page(0)
        path = save(document, tmp_path / "twice.pdf")
    monkeypatch.setattr(module, "CAREFUL_PAGES", 1)
    result = read(path)
    assert [page.tier for page in result.pages] == ["careful", "fast"]
    assert result.warnings == ("page 2: no second look at its tables (1 pages had one)",)
    assert [page.tier for page in read(path, "careful").pages] == ["careful", "careful"]


def test_json_tells_tier_and_reasons(wrapped):
    done = CliRunner().invoke(main, ["partition", "--format", "json", "--jobs", "1", str(wrapped)])
    assert done.exit_code == 0, done.output
    (page,) = json.loads(done.stdout)["pages"]
    assert page["tier"] == "careful"
    assert "table in pieces" in page["reasons"]


@pytest.mark.parametrize("parser", ["auto", "fast", "careful"])
def test_the_command_line_takes_each_tier(parser, plain):
    done = CliRunner().invoke(main, ["partition", "--parser", parser, "--jobs", "1", str(plain)])
    assert done.exit_code == 0, done.output
    assert "shaken for a minute" in done.stdout


# --- the merge ----------------------------------------------------------------------------------


@pytest.fixture
def fast_page(tmp_path) -> tuple[PageText, list[Element]]:
    """A page of three columns and two rows, and the fast tier's table of it."""
    document = pymupdf.open()
    page = document.new_page()
    for r, row in enumerate([["Port", "Ships", "Guests"], ["Bergen", "12", "340"]]):
        for c, text in enumerate(row):
            page.insert_text((100 + 100 * c, 100 + 20 * r), text, fontsize=10)
    path = save(document, tmp_path / "page.pdf")
    parsed = parse_pages(Source(id="id", path=path, format="pdf", size=1), (1,)).pages[0]
    work = PageText(parsed, page_words(parsed))
    cells = tuple(Cell(row=0, column=c, text=text) for c, text in enumerate(["Port", "Ships", "Guests"]))
    table = replace(page_element(1, "Table", "Port Ships Guests", (98, 88, 340, 106)), cells=cells)
    below = page_element(1, "NarrativeText", "Bergen 12 340", (98, 108, 340, 126))
    return work, [table, below]


def grid(*, columns: tuple[float, ...], rows: tuple[float, ...] = (86.0, 106.0, 126.0)) -> Grid:
    lines = tuple(tuple((x0, y0, x1, y1) for x0, x1 in pairwise(columns)) for y0, y1 in pairwise(rows))
    return Grid(box=(columns[0], rows[0], columns[-1], rows[-1]), rows=lines, heads=1)


def test_a_grid_takes_the_row_that_the_fast_table_lacks(fast_page):
    work, elements = fast_page
    (table,) = with_grids(work, elements, [grid(columns=(98, 190, 290, 360))])
    assert table.text == "Port Ships Guests\nBergen 12 340"
    assert [c.text for c in table.cells if c.header] == ["Port", "Ships", "Guests"]


@pytest.mark.parametrize(
    "worse",
    [
        grid(columns=(98, 190, 360)),
        grid(columns=(98, 190, 290)),
        grid(columns=(98, 190, 290, 360), rows=(86.0, 126.0)),
        grid(columns=(400, 450, 500)),
    ],
    ids=["two columns in one", "a column left out", "one row", "no words"],
)
def test_a_grid_that_holds_the_words_worse_is_not_taken(fast_page, worse):
    work, elements = fast_page
    assert with_grids(work, elements, [worse]) == elements


def test_words_of_a_paragraph_outside_the_grid_stay(fast_page):
    work, _ = fast_page
    whole = page_element(1, "NarrativeText", "Port Ships Guests Bergen 12 340", (98, 88, 340, 126))
    out = with_grids(work, [whole], [grid(columns=(190, 290, 360))])
    assert [(e.category, e.text) for e in out] == [("Table", "Ships Guests\n12 340"), ("NarrativeText", "Port Bergen")]


def test_a_paragraph_whose_box_has_words_of_others_stays_whole(fast_page):
    work, _ = fast_page
    whole = page_element(1, "NarrativeText", "Ships Guests 12 340 Port Bergen and more", (98, 88, 340, 126))
    out = with_grids(work, [whole], [grid(columns=(190, 290, 360))])
    assert whole in out


def test_a_picture_keeps_its_place_under_a_grid(fast_page):
    work, elements = fast_page
    picture = page_element(1, "Image", "", (90, 80, 400, 140))
    out = with_grids(work, [picture, *elements], [grid(columns=(98, 190, 290, 360))])
    assert [e.category for e in out] == ["Image", "Table"]


# --- the decision -------------------------------------------------------------------------------


def table_of(texts: list[list[str]], heads: int = 1) -> Element:
    cells = tuple(
        Cell(row=r, column=c, text=text, header=r < heads) for r, row in enumerate(texts) for c, text in enumerate(row)
    )
    return replace(page_element(1, "Table", "x", (98, 88, 340, 106)), cells=cells)


def test_a_row_left_beside_a_table_is_a_reason(fast_page):
    work, elements = fast_page
    assert "row beside a table" in torn(work, elements)


def test_two_header_rows_that_span_nothing_are_a_reason(fast_page):
    work, _ = fast_page
    assert "two-level header" in torn(work, [table_of([["a", "b"], ["c", "d"], ["1", "2"]], heads=2)])
    assert "two-level header" not in torn(work, [table_of([["a", "b"], ["1", "2"]])])


def test_two_header_rows_whose_spans_are_known_are_none(fast_page):
    work, _ = fast_page
    table = table_of([["", "b"], ["c", "d"], ["1", "2"]], heads=2)
    wide = replace(table, cells=(*table.cells[1:], replace(table.cells[0], colspan=2)))
    assert "two-level header" not in torn(work, [wide])


def test_an_unknown_parser_is_refused_and_the_known_ones_are_named():
    with pytest.raises(UsageError, match="auto, fast, careful"):
        PartitionOptions(parser="magic")
