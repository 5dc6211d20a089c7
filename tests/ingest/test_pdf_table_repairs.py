"""What a page's own words and lines make of its tables: headers, rows, spans, contents and sideways tables."""

from pathlib import Path

import pymupdf
import pytest

from ingest.partition import PartitionOptions, partition
from ingest.partition.pdf_parse import parse_pages
from ingest.partition.pdf_table_repairs import unless_lost
from ingest.partition.pdf_words import PageText, page_element, page_words
from ingest.tables import column_headers
from ingest.types import Element, Source

ACCOUNTS = [
    ("Passengers:", None, None),
    ("Harbour lines", "$ 1,204", "$ 1,310"),
    ("River lines", "(96)", "88"),
    ("Freight:", None, None),
    ("Containers", "804", "-"),
    ("Total", "$ 1,912", "$ 1,398"),
]
REGIONS = [
    ("Region", "2021", "2022", "2023"),
    ("Harbour", "1,204", "1,310", "1,402"),
    ("Ferries", "804", "790", "811"),
    ("Bridges", "96", "88", "102"),
    ("Total", "2,104", "2,188", "2,315"),
]
PROSE = "The survey was made in spring and in autumn, on all lines and at each of the landing places. "


def read(document: pymupdf.Document, path: Path) -> tuple[Element, ...]:
    document.save(path)
    source = Source(id="id", path=path, format="pdf", size=path.stat().st_size)
    return partition(source, PartitionOptions(parser="fast", images="off")).elements


def tables(elements: tuple[Element, ...]) -> list[Element]:
    return [e for e in elements if e.category == "Table"]


def texts(table: Element) -> list[list[str]]:
    rows: dict[int, list[str]] = {}
    for cell in table.cells:
        rows.setdefault(cell.row, []).append(cell.text)
    return [rows[row] for row in sorted(rows)]


def new_page() -> tuple[pymupdf.Document, pymupdf.Page]:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_textbox((72, 40, 520, 110), PROSE * 3, fontsize=10)
    return document, page


def write_right(page: pymupdf.Page, x: float, y: float, text: str) -> None:
    """A number that ends at ``x``; its currency sign stands 50 points to the left."""
    sign, _, number = text.rpartition(" ")
    page.insert_text((x - pymupdf.get_text_length(number, fontsize=10), y), number, fontsize=10)
    if sign:
        page.insert_text((x - 50, y), sign, fontsize=10)


@pytest.fixture
def accounts(tmp_path) -> tuple[Element, ...]:
    document, page = new_page()
    page.insert_text((345, 150), "Years ended June 30,", fontsize=10)
    page.draw_line((330, 153), (460, 153))
    page.insert_text((76, 165), "(in millions)", fontsize=10)
    page.insert_text((355, 165), "2023", fontsize=10)
    page.insert_text((430, 165), "2022", fontsize=10)
    for row, (name, *values) in enumerate(ACCOUNTS):
        y = 182 + 15 * row
        page.insert_text((76 if values[0] is None else 84, y), name, fontsize=10)
        for x, value in zip((380, 455), values, strict=True):
            if value:
                write_right(page, x, y, value)
    page.insert_textbox((72, 300, 520, 400), PROSE * 3, fontsize=10)
    return read(document, tmp_path / "accounts.pdf")


def test_header_above_accounts_is_part_of_the_table_with_its_spans(accounts):
    (table,) = tables(accounts)
    spanning = next(cell for cell in table.cells if cell.text == "Years ended June 30,")
    assert (spanning.row, spanning.column, spanning.colspan, spanning.header) == (0, 1, 2, True)
    assert column_headers(table.cells, 2) == ("Years ended June 30,", "2022")
    assert '<th scope="colgroup" colspan="2">Years ended June 30,</th>' in (table.text_as_html or "")
    assert not [e for e in accounts if e is not table and "2022" in e.text]


def test_rows_without_numbers_do_not_part_accounts(accounts):
    (table,) = tables(accounts)
    assert texts(table)[2:] == [
        ["Passengers:", "", ""],
        ["Harbour lines", "$ 1,204", "$ 1,310"],
        ["River lines", "(96)", "88"],
        ["Freight:", "", ""],
        ["Containers", "804", "-"],
        ["Total", "$ 1,912", "$ 1,398"],
    ]


def test_each_number_keeps_its_box_and_page(accounts):
    (table,) = tables(accounts)
    cell = next(cell for cell in table.cells if cell.text == "88")
    assert cell.page == 1
    assert cell.box is not None
    assert cell.box[2] == pytest.approx(455, abs=2)
    assert cell.box[1] < 182 + 30 <= cell.box[3] + 3


def test_a_second_header_begins_a_second_table(tmp_path):
    document, page = new_page()
    for top, years in ((150, ("2023", "2022")), (240, ("2021", "2020"))):
        for x, year in zip((360, 435), years, strict=True):
            write_right(page, x + 20, top, year)
        for row, (name, *values) in enumerate(ACCOUNTS[1:3] + ACCOUNTS[4:]):
            page.insert_text((76, top + 15 * (row + 1)), name, fontsize=10)
            for x, value in zip((380, 455), values, strict=True):
                write_right(page, x, top + 15 * (row + 1), value)
    found = tables(read(document, tmp_path / "two.pdf"))
    assert [column_headers(table.cells, 1) for table in found] == [("2023",), ("2021",)]
    assert [len(texts(table)) for table in found] == [5, 5]


def ruled(page: pymupdf.Page) -> None:
    """A ruled table whose first column has one cell over two rows; a link in it is underlined."""
    xs, ys = (72, 220, 480), (150, 175, 200, 225, 250)
    for x in xs:
        page.draw_line((x, ys[0]), (x, ys[-1]))
    for y in ys:
        page.draw_line((xs[1] if y == 200 else xs[0], y), (xs[-1], y))
    for x, y, text in (
        (76, 167, "Area"),
        (224, 167, "Measure"),
        (76, 192, "Harbour and quays"),
        (224, 192, "A second pilot"),
        (224, 217, "Lights on the pier"),
        (76, 242, "Ferries"),
        (224, 242, "Bicycles free of charge"),
    ):
        page.insert_text((x, y), text, fontsize=10)
    page.draw_line((224, 244), (300, 244))


def test_ruled_cell_over_two_rows_spans_them_and_an_underline_is_no_row(tmp_path):
    document, page = new_page()
    ruled(page)
    (table,) = tables(read(document, tmp_path / "ruled.pdf"))
    assert texts(table) == [
        ["Area", "Measure"],
        ["Harbour and quays", "A second pilot"],
        ["Lights on the pier"],
        ["Ferries", "Bicycles free of charge"],
    ]
    area = next(cell for cell in table.cells if cell.text == "Harbour and quays")
    assert (area.row, area.rowspan) == (1, 2)
    assert area.box == pytest.approx((72, 175, 220, 225), abs=1.5)


def test_rows_between_which_no_line_is_drawn_stay_rows(tmp_path):
    document, page = new_page()
    for x in (72, 180, 270, 360):
        page.draw_line((x, 150), (x, 262))
    for y in (150, 172, 262):
        page.draw_line((72, y), (360, y))
    for r, row in enumerate(REGIONS):
        for x, text in zip((76, 200, 290), row, strict=False):
            page.insert_text((x, 166 + 22 * r), text, fontsize=10)
    (table,) = tables(read(document, tmp_path / "columns.pdf"))
    assert [row[0] for row in texts(table)] == ["Region", "Harbour", "Ferries", "Bridges", "Total"]


def test_names_right_above_a_table_of_words_are_its_header(tmp_path):
    document, page = new_page()
    rows = [("Mara Quell", "Pilot", "since 2011"), ("Aldo Verrin", "Harbour master", "since 2004")]
    rows += [("Ines Tarrow", "Engineer", "since 2015"), ("Odd Brekke", "Diver", "since 2020")]
    for x, name in zip((76, 220, 380), ("Name", "Position held", "Period"), strict=True):
        page.insert_text((x, 150), name, fontsize=10, fontname="hebo")
    for r, row in enumerate(rows):
        for x, text in zip((76, 220, 380), row, strict=True):
            page.insert_text((x, 168 + 16 * r), text, fontsize=10)
    (table,) = tables(read(document, tmp_path / "names.pdf"))
    assert texts(table)[0] == ["Name", "Position held", "Period"]
    assert column_headers(table.cells, 2) == ("Period",)
    assert len(texts(table)) == 5


@pytest.mark.parametrize("leader", [". " * 60, "." * 100])
def test_contents_with_dots_to_page_numbers_are_no_table(tmp_path, leader):
    document, page = new_page()
    entries = [("Introduction", 1), ("Methods", 5), ("Sampling", 7), ("Weights", 12), ("Results", 20), ("Annex", 40)]
    for row, (name, number) in enumerate(entries):
        y = 150 + 20 * row
        page.insert_text((72, y), str(row + 1), fontsize=10)
        page.insert_text((100, y), f"{name} {leader}", fontsize=9)
        page.insert_text((520, y), str(number), fontsize=10)
    elements = read(document, tmp_path / "contents.pdf")
    assert not tables(elements)
    said = " ".join(e.text for e in elements)
    assert all(name in said for name, _ in entries)


def test_prices_behind_dots_stay_a_table(tmp_path):
    document, page = new_page()
    for row, (name, price) in enumerate([("Coffee", "40"), ("Tea", "25"), ("Cake", "60"), ("Soup", "55")]):
        page.insert_text((72, 150 + 20 * row), str(row + 1), fontsize=10)
        page.insert_text((110, 150 + 20 * row), name + " " + ". " * 40, fontsize=9)
        page.insert_text((520, 150 + 20 * row), price, fontsize=10)
    assert len(tables(read(document, tmp_path / "prices.pdf"))) == 1


@pytest.mark.parametrize("turned", ["text", "page"])
def test_sideways_table_is_read_upright_and_once(tmp_path, turned):
    document = pymupdf.open()
    page = document.new_page()
    for r, row in enumerate(REGIONS):
        for c, text in enumerate(row):
            at = (120 + 22 * r, 700 - 110 * c) if turned == "text" else (72 + 110 * c, 120 + 22 * r)
            page.insert_text(at, text, fontsize=11, rotate=90 if turned == "text" else 0)
    if turned == "page":
        page.set_rotation(90)
    elements = read(document, tmp_path / "sideways.pdf")
    (table,) = tables(elements)
    assert texts(table) == [list(row) for row in REGIONS]
    assert column_headers(table.cells, 2) == ("2022",)
    assert [e for e in elements if "1,310" in e.text] == [table]
    cell = next(cell for cell in table.cells if cell.text == "1,310")
    assert cell.box is not None
    assert cell.box[3] - cell.box[1] > cell.box[2] - cell.box[0]


def test_a_new_reading_of_tables_that_drops_words_is_not_taken(tmp_path):
    document, _ = new_page()
    document.save(tmp_path / "page.pdf")
    source = Source(id="id", path=tmp_path / "page.pdf", format="pdf", size=1)
    parsed = parse_pages(source, (1,)).pages[0]
    work = PageText(parsed, page_words(parsed))
    whole = [page_element(1, "NarrativeText", PROSE * 3, (72, 40, 520, 110))]
    part = [page_element(1, "Table", PROSE, (72, 40, 520, 110))]
    moved = [page_element(1, "Table", PROSE * 3, (72, 40, 520, 110))]
    assert unless_lost(work, whole, part) == whole
    assert unless_lost(work, whole, moved) == moved
    assert unless_lost(work, part, whole) == whole
