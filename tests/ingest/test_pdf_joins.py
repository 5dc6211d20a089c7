"""Tables cut by a page break, drawn here and read back: those that are joined, and those that look so but are two."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest

from ingest.chunk_tables import table_parts
from ingest.library import Library
from ingest.partition import PartitionOptions, partition
from ingest.partition.pdf_joins import join_tables
from ingest.partition.pdf_words import page_element
from ingest.tables import column_headers, html_to_cells, table_text
from ingest.types import Cell, Citation, Element, Hit, Page, Partition, Source
from retrievers.citations import cite
from tests.retrievers.made import put

HEAD = ["No.", "Ship", "Harbour", "Tonnes"]
WIDTHS = (60.0, 140.0, 150.0, 90.0)
HIGH = 20.0
LEFT = 72.0
FOOT = 760.0
"""Where the body of a page ends, in points."""
PROSE = (
    "The cooperative runs four ferry routes between the port and the islands of the sound. It was founded in 1931 "
    "by islanders who bought a steamer, and it still belongs to those who use it every day of the year."
)

Row = Sequence[str]


def landings(first: int, count: int) -> list[Row]:
    ships, harbours = ["Eider", "Guillemot", "Petrel"], ["Ostrey", "Halvane", "Marrowick", "Skerry"]
    return [
        [f"L-{n:02}", f"MV {ships[n % 3]}", f"{harbours[n % 4]} Quay", f"{n * 37 % 90 + 10}.{n % 10}"]
        for n in range(first, first + count)
    ]


class Sheets:
    """A document that is drawn page by page."""

    def __init__(self) -> None:
        self.document = pymupdf.open()
        self.page: pymupdf.Page

    def turn(self, width: float = 595, height: float = 842) -> "Sheets":
        self.page = self.document.new_page(width=width, height=height)
        return self

    def say(self, y: float, text: str, size: float = 10, font: str = "helv", left: float = LEFT) -> "Sheets":
        self.page.insert_text((left, y), text, fontsize=size, fontname=font)
        return self

    def prose(self, top: float, times: int = 1, left: float = LEFT, width: float = 451) -> "Sheets":
        high = 50 * times * 451 / width
        self.page.insert_textbox((left, top, left + width, top + high), " ".join([PROSE] * times), fontsize=10)
        return self

    def table(self, rows: Sequence[Row], *, top=None, foot=None, left=LEFT, widths=WIDTHS, ruled=True, heads=1):
        top = foot - HIGH * len(rows) if top is None else top
        for r, row in enumerate(rows):
            x = left
            for text, width in zip(row, widths, strict=True):
                y = top + r * HIGH
                if ruled:
                    self.page.draw_rect((x, y, x + width, y + HIGH))
                lines = text.split("\n")
                font = "hebo" if r < heads else "helv"
                for n, line in enumerate(lines):
                    self.page.insert_text(
                        (x + 4, y + 13 + n * 9 - 4 * (len(lines) > 1)), line, fontsize=9, fontname=font
                    )
                x += width
        return self


def two_parts(above: Sequence[Row], below: Sequence[Row], *, heads: int = 1, **style) -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table(above, foot=FOOT, **style)
    return sheets.turn().table(below, top=72, heads=heads, **style)


# --- tables that go on --------------------------------------------------------------------------


def header_repeated() -> Sheets:
    return two_parts([HEAD, *landings(1, 20)], [HEAD, *landings(21, 9)])


def header_not_repeated() -> Sheets:
    return two_parts([HEAD, *landings(1, 20)], landings(21, 9), heads=0)


def no_rules() -> Sheets:
    return two_parts([HEAD, *landings(1, 20)], [HEAD, *landings(21, 9)], ruled=False)


def no_rules_and_no_second_header() -> Sheets:
    return two_parts([HEAD, *landings(1, 20)], landings(21, 9), ruled=False, heads=0)


def over_three_pages() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 15)], foot=FOOT)
    sheets.turn().table([HEAD, *landings(16, 33)], top=72)
    return sheets.turn().table([HEAD, *landings(49, 5)], top=72).prose(400)


def caption_continued() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).say(330, "Table 3: Landings by ship").table([HEAD, *landings(1, 20)], top=340)
    return sheets.turn().say(70, "Table 3 (continued)").table([HEAD, *landings(21, 9)], top=80)


def caption_repeated() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).say(330, "Table 3: Landings by ship").table([HEAD, *landings(1, 20)], top=340)
    return sheets.turn().say(70, "Table 3: Landings by ship (cont'd)").table(landings(21, 9), top=80, heads=0)


def running_header_and_footer() -> Sheets:
    sheets = Sheets()
    for number in (1, 2, 3):
        sheets.turn().say(50, "Halvane Sound Ferry Cooperative").say(815, f"Annual Report 2024, page {number}")
        if number == 1:
            sheets.prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
        elif number == 2:
            sheets.table(landings(21, 9), top=72, heads=0).prose(300)
        else:
            sheets.prose(80, 3)
    return sheets


def footnote_under_the_first_part() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 18)], foot=700)
    sheets.say(745, "* Weighed at the quay by the harbour master.", size=7)
    return sheets.turn().table([HEAD, *landings(19, 9)], top=72)


def on_landscape_pages() -> Sheets:
    sheets = Sheets().turn(842, 595).prose(80).table([HEAD, *landings(1, 18)], foot=520)
    return sheets.turn(842, 595).table([HEAD, *landings(19, 9)], top=72)


def states() -> list[Row]:
    return [[*row[:3], "ashore" if n % 2 else "afloat"] for n, row in enumerate(landings(1, 29))]


def text_alone() -> Sheets:
    return two_parts([[*HEAD[:3], "State"], *states()[:20]], states()[20:], heads=0)


def text_alone_without_rules() -> Sheets:
    return two_parts([[*HEAD[:3], "State"], *states()[:20]], states()[20:], heads=0, ruled=False)


def margins_of_a_bound_book() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
    return sheets.turn().table([HEAD, *landings(21, 9)], top=72, left=LEFT + 24)


def subtotal_at_the_page_break() -> Sheets:
    above = [HEAD, *landings(1, 19), ["", "Total of May", "", "812.4"]]
    return two_parts(above, landings(21, 9), heads=0)


def header_of_two_rows() -> Sheets:
    heads = [["", "Ship", "Ship", "Landed"], ["No.", "Name", "Harbour", "Tonnes"]]
    return two_parts([*heads, *landings(1, 20)], [*heads, *landings(21, 9)], heads=2)


def row_broken() -> Sheets:
    above = [HEAD, *landings(1, 19), ["L-20", "MV Storm Petrel and", "Ostrey Quay", "41.5"]]
    return two_parts(above, [["", "her two barges", "", ""], *landings(21, 9)], heads=0)


def row_broken_under_a_repeated_header() -> Sheets:
    above = [HEAD, *landings(1, 19), ["L-20", "MV Storm Petrel,", "Ostrey Quay and", "41.5"]]
    return two_parts(above, [HEAD, ["", "under tow", "Tern Skerry", ""], *landings(21, 9)])


JOINED: tuple[tuple[Callable[[], Sheets], int], ...] = (
    (header_repeated, 29),
    (header_not_repeated, 29),
    (no_rules, 29),
    (no_rules_and_no_second_header, 29),
    (over_three_pages, 53),
    (caption_continued, 29),
    (caption_repeated, 29),
    (running_header_and_footer, 29),
    (footnote_under_the_first_part, 27),
    (on_landscape_pages, 27),
    (text_alone, 29),
    (text_alone_without_rules, 29),
    (margins_of_a_bound_book, 29),
    (subtotal_at_the_page_break, 29),
    (header_of_two_rows, 30),
    (row_broken, 29),
    (row_broken_under_a_repeated_header, 29),
)

# --- two tables ---------------------------------------------------------------------------------


def new_caption() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).say(330, "Table 3: Landings in May").table([HEAD, *landings(1, 20)], top=340)
    return sheets.turn().say(70, "Table 4: Landings in June").table([HEAD, *landings(21, 9)], top=80)


def captions_in_the_same_place() -> Sheets:
    sheets = Sheets()
    for number in (1, 2):
        rows = [HEAD, *landings(40 * number, 32)]
        sheets.turn().say(70, f"Table {number}: Landings in May").table(rows, top=80)
    return sheets


def headings_in_the_same_place() -> Sheets:
    sheets = Sheets()
    for number in (1, 2):
        rows = [HEAD, *landings(40 * number, 32)]
        sheets.turn().say(70, f"Landings at berth {number}", 16, "hebo").table(rows, top=80)
    return sheets


def new_caption_without_a_number() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).say(330, "Landings in May").table([HEAD, *landings(1, 20)], top=340)
    return sheets.turn().say(70, "Landings in June").table([HEAD, *landings(21, 9)], top=80)


def same_header_and_rows_that_begin_anew() -> Sheets:
    return two_parts([HEAD, *landings(1, 20)], [HEAD, *landings(1, 9)])


def total_and_a_new_table() -> Sheets:
    return two_parts([HEAD, *landings(1, 19), ["Total", "", "", "812.4"]], [HEAD, *landings(21, 9)])


def named_total_and_a_new_table() -> Sheets:
    return two_parts([HEAD, *landings(1, 19), ["", "Total of May", "", "812.4"]], [HEAD, *landings(21, 9)])


def paragraph_between() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
    return sheets.turn().prose(72).table([HEAD, *landings(21, 9)], top=130)


def paragraph_below_the_first() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=690).prose(710)
    return sheets.turn().table([HEAD, *landings(21, 9)], top=72)


def heading_between() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
    return sheets.turn().say(84, "2 Landings in June", 16, "hebo").table([HEAD, *landings(21, 9)], top=100)


NARROW = (40.0, 60.0, 70.0, 45.0)
RIGHT = 310.0


def two_columns_of_one_page() -> Sheets:
    sheets = Sheets().turn().prose(80, 3, width=215).table([HEAD, *landings(1, 12)], foot=FOOT, widths=NARROW)
    sheets.table([HEAD, *landings(13, 12)], top=80, left=RIGHT, widths=NARROW)
    return sheets.prose(560, 2, left=RIGHT, width=215)


def bottom_of_the_right_column_and_top_of_the_left() -> Sheets:
    sheets = Sheets().turn().prose(80, 6, width=215).prose(80, 3, left=RIGHT, width=215)
    sheets.table([HEAD, *landings(1, 12)], foot=FOOT, left=RIGHT, widths=NARROW)
    sheets.turn().table([HEAD, *landings(13, 12)], top=80, widths=NARROW).prose(400, 3, width=215)
    return sheets.prose(400, 3, left=RIGHT, width=215)


def bottom_of_the_left_column_and_top_of_the_left() -> Sheets:
    sheets = Sheets().turn().prose(80, 3, width=215).table([HEAD, *landings(1, 12)], foot=FOOT, widths=NARROW)
    sheets.prose(80, 6, left=RIGHT, width=215)
    sheets.turn().table([HEAD, *landings(13, 12)], top=80, widths=NARROW).prose(400, 3, width=215)
    return sheets.prose(400, 3, left=RIGHT, width=215)


def fewer_columns() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
    return sheets.turn().table([row[:3] for row in [HEAD, *landings(21, 9)]], top=72, widths=(60.0, 140.0, 240.0))


def other_widths() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
    return sheets.turn().table([HEAD, *landings(21, 9)], top=72, widths=(110.0, 110.0, 110.0, 110.0))


def other_header() -> Sheets:
    return two_parts([HEAD, *landings(1, 20)], [["Key", "Vessel", "Berth", "Passengers"], *landings(21, 9)])


def other_header_above_text() -> Sheets:
    return two_parts([[*HEAD[:3], "State"], *states()[:20]], [["Key", "Vessel", "Berth", "Place"], *states()[20:]])


def other_header_without_rules() -> Sheets:
    below = [["Key", "Vessel", "Berth", "Place"], *states()[20:]]
    return two_parts([[*HEAD[:3], "State"], *states()[:20]], below, ruled=False)


def header_of_other_years() -> Sheets:
    rows = [[f"Item {n}", f"{n}.5", f"{n * 3}", f"{n * 7}"] for n in range(1, 30)]
    return two_parts([["Item", "2024", "2023", "2022"], *rows[:20]], [["Item", "2021", "2020", "2019"], *rows[20:]])


def landscape_after_portrait() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
    return sheets.turn(842, 595).table([HEAD, *landings(21, 9)], top=72)


def first_ends_above_the_middle() -> Sheets:
    sheets = Sheets().turn().table([HEAD, *landings(1, 12)], top=72)
    return sheets.turn().table([HEAD, *landings(13, 9)], top=72)


def second_begins_below_the_middle() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
    return sheets.turn().table([HEAD, *landings(21, 9)], top=450)


def page_between() -> Sheets:
    sheets = Sheets().turn().prose(80, 2).table([HEAD, *landings(1, 20)], foot=FOOT)
    return sheets.turn().prose(80, 3).turn().table([HEAD, *landings(21, 9)], top=72)


APART: tuple[Callable[[], Sheets], ...] = (
    new_caption,
    captions_in_the_same_place,
    headings_in_the_same_place,
    new_caption_without_a_number,
    same_header_and_rows_that_begin_anew,
    total_and_a_new_table,
    named_total_and_a_new_table,
    paragraph_between,
    paragraph_below_the_first,
    heading_between,
    two_columns_of_one_page,
    bottom_of_the_right_column_and_top_of_the_left,
    bottom_of_the_left_column_and_top_of_the_left,
    fewer_columns,
    other_widths,
    other_header,
    other_header_above_text,
    other_header_without_rules,
    header_of_other_years,
    landscape_after_portrait,
    first_ends_above_the_middle,
    second_begins_below_the_middle,
    page_between,
)

# --- what is read -------------------------------------------------------------------------------


@pytest.fixture
def read(tmp_path) -> Callable[[Sheets], Partition]:
    def save_and_read(sheets: Sheets) -> Partition:
        path = tmp_path / "drawn.pdf"
        sheets.document.save(path)
        return partition(source_of(path), PartitionOptions())

    return save_and_read


def source_of(path: Path) -> Source:
    data = path.read_bytes()
    return Source(id=hashlib.sha256(data).hexdigest(), path=path, format="pdf", size=len(data))


def tables(result: Partition) -> list[Element]:
    return [e for e in result.elements if e.category == "Table"]


def grid_rows(table: Element) -> list[list[str]]:
    rows = 1 + max(cell.row for cell in table.cells)
    return [[c.text for c in sorted(table.cells, key=lambda c: c.column) if c.row == row] for row in range(rows)]


@pytest.mark.parametrize(("draw", "body"), [pytest.param(*case, id=case[0].__name__) for case in JOINED])
def test_a_table_that_goes_on_is_one_table(read, draw, body):
    result = read(draw())
    [table] = tables(result)
    pages = sorted({box.page for box in table.boxes})
    assert table.page_number == 1
    assert pages == list(range(1, len(pages) + 1))
    assert len(pages) == (3 if draw is over_three_pages else 2)
    rows = grid_rows(table)
    assert rows[0][-1] in {"Tonnes", "Landed", "State"}
    assert len(rows) == body + 1
    codes = [row[0] for row in rows if row[0].startswith("L-")]
    assert codes == sorted(set(codes))
    for cell in table.cells:
        if cell.text:
            assert cell.box is not None
            box = next(b.box for b in table.boxes if b.page == cell.page)
            assert box[1] - 2 <= cell.box[1] <= cell.box[3] <= box[3] + 2
    assert [c.text for c in html_to_cells(table.text_as_html)] == [c.text for c in table.cells]
    assert column_headers(table.cells, 3)[-1:] == (
        ("State",) if draw in {text_alone, text_alone_without_rules} else ("Tonnes",)
    )


@pytest.mark.parametrize("draw", APART, ids=lambda draw: draw.__name__)
def test_two_tables_stay_two(read, draw):
    found = tables(read(draw()))
    assert len(found) == 2
    assert all(len(table.boxes) == 1 for table in found)


@pytest.mark.parametrize(
    ("draw", "wanted"),
    [
        (row_broken, ["L-20", "MV Storm Petrel and her two barges", "Ostrey Quay", "41.5"]),
        (
            row_broken_under_a_repeated_header,
            ["L-20", "MV Storm Petrel, under tow", "Ostrey Quay and Tern Skerry", "41.5"],
        ),
    ],
)
def test_a_row_that_a_page_break_cuts_is_one_row_on_the_page_where_it_begins(read, draw, wanted):
    [table] = tables(read(draw()))
    row = next(cell.row for cell in table.cells if cell.text == "L-20")
    assert grid_rows(table)[row] == wanted
    assert {cell.page for cell in table.cells if cell.row == row} == {1}
    assert {cell.page for cell in table.cells if cell.row == row + 1} == {2}


def made(page: int, rows: Sequence[Row], *, top: float) -> Element:
    """A table as a partitioner gives it, its first row the header where it says "No."."""
    cells = [
        Cell(
            row=r,
            column=c,
            text=text,
            header=row[0] == "No.",
            page=page,
            box=(LEFT + 120 * c, top + HIGH * r, LEFT + 120 * c + 100, top + HIGH * (r + 1)),
        )
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    ]
    box = (LEFT, top, LEFT + 460, top + HIGH * len(rows))
    return replace(page_element(page, "Table", table_text(cells), box), cells=tuple(cells))


def joined_rows(above: Sequence[Row], below: Sequence[Row]) -> list[list[str]]:
    pages = [Page(page=number, width=595, height=842) for number in (1, 2)]
    [table] = join_tables([made(1, above, top=780 - HIGH * len(above)), made(2, below, top=72)], pages)
    return grid_rows(table)


@pytest.mark.parametrize(
    ("last", "first", "is_rest"),
    [
        (["L-20", "MV Eider", "Ostrey", "41.5"], ["", "and barge", "", ""], True),
        (["L-20", "MV Eider", "Ostrey", "41.5"], ["", "and barge", "", "12.5"], False),
        (["L-20", "MV Eider", "", "41.5"], ["", "MV Eider", "Ostrey", ""], False),
        (["L-20", "MV Eider", "Ostrey", "41.5"], ["L-21", "", "", ""], False),
    ],
)
def test_the_rest_of_a_row_is_text_under_text(last, first, is_rest):
    above, below = [HEAD, *landings(1, 19), last], [first, *landings(22, 5)]
    rows = joined_rows(above, below)
    assert len(rows) == len(above) + len(below) - is_rest
    assert (["L-20", "MV Eider and barge", "Ostrey", "41.5"] in rows) is is_rest


def test_where_rows_lack_a_name_only_what_reads_on_is_the_rest_of_a_row():
    nameless = ["", "MV Petrel", "Ostrey", ""]
    above = [HEAD, *landings(1, 12), nameless, ["L-13", "MV Eider", "Halvane", "41.5"]]
    assert joined_rows(above, [nameless, *landings(14, 5)])[15] == nameless
    assert joined_rows(above, [["", "under tow", "", ""], *landings(14, 5)])[14][1] == "MV Eider under tow"


def test_a_part_with_text_in_another_column_of_its_page_stays_apart():
    pages = [Page(page=number, width=842, height=842) for number in (1, 2)]
    parts = [made(1, [HEAD, *landings(1, 20)], top=340), made(2, [HEAD, *landings(21, 9)], top=72)]
    assert len(join_tables(parts, pages)) == 1
    for page in (1, 2):
        column = page_element(page, "NarrativeText", PROSE, (600, 60, 780, 330))
        placed = [column, *parts] if page == 1 else [*parts, column]
        assert join_tables(placed, pages) == placed


def test_a_caption_that_only_repeats_is_dropped_and_one_that_says_more_belongs_to_the_table(read):
    sheets = Sheets().turn().prose(80, 2).say(330, "Table 3: Landings").table([HEAD, *landings(1, 20)], top=340)
    sheets.turn().say(70, "Table 3 (continued), weighed ashore").table([HEAD, *landings(21, 9)], top=80)
    result = read(sheets)
    [table] = tables(result)
    captions = [e for e in result.elements if e.category == "FigureCaption"]
    assert [e.text for e in captions] == ["Table 3: Landings", "Table 3 (continued), weighed ashore"]
    assert {e.parent_id for e in captions} == {table.element_id}
    repeated = read(caption_continued())
    assert [e.text for e in repeated.elements if e.category == "FigureCaption"] == ["Table 3: Landings by ship"]


def test_joining_twice_is_joining_once(read):
    result = read(over_three_pages())
    assert join_tables(result.elements, result.pages) == list(result.elements)


def test_each_part_of_a_long_joined_table_has_the_pages_of_its_rows_alone(read):
    [table] = tables(read(over_three_pages()))
    parts = table_parts(table, "", 300)
    assert {part.page_numbers for part in parts} >= {(1,), (2,), (3,)}
    for part in parts:
        codes = {c.text: c.page for c in table.cells if c.text.startswith("L-")}
        shown = {page for code, page in codes.items() if code in part.text}
        assert part.page_numbers == tuple(sorted(shown))
        assert {box.page for box in part.boxes} == shown


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "lib", create=True) as opened:
        yield opened


def cited(library: Library, source_id: str, quote: str) -> Citation:
    found = next(chunk for chunk in library.chunks_of(source_id) if quote in chunk.text)
    start = found.text.index(quote)
    hit = Hit(chunk=found, doc="a.pdf", path="a.pdf", score=1.0, matched="text")
    return cite(library, hit, start, start + len(quote), 1)


def test_a_row_of_the_second_page_is_cited_there_with_its_box(library, samples):
    result = partition(source_of(samples / "report.pdf"), PartitionOptions(images="off"))
    [table] = [e for e in tables(result) if any(c.text == "W-26" for c in e.cells)]
    assert (table.page_number, [box.page for box in table.boxes]) == (6, [6, 7])
    source_id = put(library, "a.pdf", result.elements, result.pages)
    for quote, page in (("W-25 20 Jun 2024 MV Eider", 6), ("W-26 28 Jun 2024 Halvane Pier", 7)):
        citation = cited(library, source_id, quote)
        assert (citation.page, citation.verified) == (page, True)
        code = next(c for c in table.cells if c.text == quote[:4])
        assert code.page == page
        assert citation.box is not None
        assert code.box[1] - 2 <= citation.box[1] <= citation.box[3] <= code.box[3] + 2


@pytest.mark.parametrize("draw", [row_broken, row_broken_under_a_repeated_header])
def test_a_row_that_a_page_break_cuts_is_cited_with_a_box_on_each_page(library, read, draw):
    result = read(draw())
    [table] = tables(result)
    row = next(cell.row for cell in table.cells if cell.text == "L-20")
    source_id = put(library, "a.pdf", result.elements, result.pages)
    citation = cited(library, source_id, " ".join(grid_rows(table)[row]))
    assert (citation.page, citation.verified) == (1, True)
    assert [box.page for box in citation.boxes] == [1, 2]
