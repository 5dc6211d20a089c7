"""Which lines of a page are headings: pages set word by word, so that each rule meets just what it is for."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pymupdf
import pytest

from ingest.partition import PartitionOptions, partition
from ingest.partition.pdf_headings import Setting, page_headings, running_text, with_left_titles
from ingest.partition.pdf_levels import headings_over_document, read_outline
from ingest.partition.pdf_words import PageText, PageWord, page_element
from ingest.types import Element, OutlineEntry, Page, Source, union_box

BODY = Setting(size=10.0, colour="ff000000", font="Serif-Roman")
PROSE = "The cooperative runs four ferry routes between the port and the islands of the sound."
FONTS = {"": "Serif-Roman", "bold": "Serif-Bold", "italic": "Serif-Italic"}


class Sheet:
    """A page that is set line by line, ``left`` and ``top`` in points; each line is an element of its own."""

    def __init__(self) -> None:
        self.words: list[PageWord] = []
        self.elements: list[Element] = []

    def line(self, text: str, top: float, category="Title", *, left=72.0, size=10.0, style="", colour="ff000000"):
        words = list(_set(text, left, top, size, FONTS[style], colour))
        self.words += words
        self.elements.append(page_element(1, category, text, union_box([w.box for w in words]), 0))
        return self

    def text(self, rows: Sequence[tuple[str, str]], top: float, category="NarrativeText", *, left=72.0, size=10.0):
        """One element of several lines, each with its style."""
        lines = [
            list(_set(text, left, top + 1.2 * size * n, size, FONTS[style], "ff000000"))
            for n, (text, style) in enumerate(rows)
        ]
        words = [word for line in lines for word in line]
        self.words += words
        said = " ".join(text for text, _ in rows)
        self.elements.append(page_element(1, category, said, union_box([w.box for w in words]), 0))
        return self

    def read(self, body: Setting = BODY) -> list[tuple[str, str]]:
        return [(e.category, e.text) for e in self.found(body)]

    def found(self, body: Setting = BODY) -> list[Element]:
        parsed = cast("Any", SimpleNamespace(page_num=1, width=595.0, height=842.0, text_items=[]))
        return page_headings(PageText(parsed, self.words), self.elements, body)

    def titles(self) -> list[str]:
        return [text for category, text in self.read() if category == "Title"]


def item(text: str, size: float) -> Any:
    """A line as LiteParse gives it."""
    return SimpleNamespace(
        text=text, font_height=size, font_weight=400, fill_color="", font_name="A+Serif", rotation=0.0
    )


def _set(text: str, left: float, top: float, size: float, font: str, colour: str) -> Iterator[PageWord]:
    for word in text.split(" "):
        right = left + 0.5 * size * len(word)
        if word:
            yield PageWord(text=word, box=(left, top, right, top + size), font=font, size=size, colour=colour)
        left = right + 0.3 * size


def test_a_bold_line_over_text_stays_a_heading():
    sheet = Sheet().line("Ferry routes", 100, style="bold").line(PROSE, 130, "NarrativeText")
    assert sheet.titles() == ["Ferry routes"]


def test_a_run_in_head_goes_back_into_its_paragraph():
    sheet = Sheet().line("a. Fares. At the quay only five", 100, style="bold")
    sheet.line("islands collect them on board.", 112, "NarrativeText")
    assert sheet.read() == [("NarrativeText", "a. Fares. At the quay only five islands collect them on board.")]


def test_a_line_set_as_the_text_above_it_goes_on_in_that_text():
    sheet = Sheet().line("After the winter the board asks for a", 100, "NarrativeText").line("New timetable of", 112)
    sheet.line("all routes and quays that the islands have.", 124, "NarrativeText")
    titles, said = sheet.titles(), " ".join(text for _, text in sheet.read())
    assert not titles
    assert said == "After the winter the board asks for a New timetable of all routes and quays that the islands have."


@pytest.mark.parametrize(
    "text",
    [
        "Anna Berg, Carl Dahl Ek, Frida Gran",
        "Anna Berg∗†, Carl Dahl Ek∗",
        "Anna Berg1 Carl Dahl2",
        "65 70 75 95.5",
        "the tail of a line above.",
        "Can you sail at night? Do you look for work on board of a ship that never rests at all",
    ],
)
def test_what_reads_as_no_heading_is_none_however_it_is_set(text):
    assert not Sheet().line(text, 100, size=14, style="bold").line(PROSE, 130, "NarrativeText").titles()


@pytest.mark.parametrize("text", ["Costs, fares and quays", "Berg and Dahl", "4.2 Results of 2023", "IV."])
def test_commas_names_and_numbers_alone_make_no_byline(text):
    assert Sheet().line(text, 100, size=14, style="bold").line(PROSE, 130, "NarrativeText").titles() == [text]


def test_no_heading_is_smaller_than_the_text_that_it_stands_over():
    sheet = Sheet().line("Tonnes landed", 100, size=9, style="bold").line(PROSE, 120, "Table", size=9)
    assert sheet.read()[0] == ("NarrativeText", "Tonnes landed")


def test_a_bold_line_over_a_side_column_in_small_type_is_a_heading():
    sheet = Sheet().line("How to book", 100, size=8.5, style="bold").line(PROSE, 112, "NarrativeText", size=8)
    assert sheet.titles() == ["How to book"]


def test_a_line_in_the_type_of_the_text_is_no_heading_unless_its_words_set_it_apart():
    def titles(text: str) -> list[str]:
        return Sheet().line(text, 100).line(PROSE, 130, "NarrativeText").titles()

    assert titles("Kearney, Nebraska 68845") == []
    assert titles("FERRY ROUTES") == ["FERRY ROUTES"]
    assert titles("a. Ferry routes") == ["a. Ferry routes"]


def test_capitals_with_nothing_under_them_are_text():
    sheet = Sheet().line(PROSE, 100, "NarrativeText").line("WRITE TO THE BOARD", 700)
    assert not sheet.titles()


def test_an_italic_line_over_text_is_a_heading_of_a_lower_level_than_a_bold_one():
    sheet = Sheet().line("Routes", 100, style="bold").line("Winter", 130, style="italic")
    sheet.line(PROSE, 150, "NarrativeText")
    bold, italic = [e.category_depth or 0 for e in sheet.found() if e.category == "Title"]
    assert bold < italic


def test_a_small_line_over_a_larger_title_is_no_heading():
    sheet = Sheet().line("Annual report", 40, size=14, colour="ff5c5cff").line("Four routes, one fleet", 62, size=24)
    assert sheet.titles() == ["Four routes, one fleet"]


def test_a_chapter_label_over_its_title_stays_a_heading():
    sheet = Sheet().line("Chapter 4", 140, size=14, style="bold").line("Nonlinear equations", 162, size=20)
    assert sheet.titles() == ["Chapter 4", "Nonlinear equations"]


def test_a_number_alone_over_a_title_is_part_of_it():
    sheet = Sheet().line("4", 140, "NarrativeText", size=20, style="bold").line("Basis fields", 170, size=18)
    assert sheet.read() == [("Title", "4 Basis fields")]


def test_a_heading_over_two_lines_is_one():
    sheet = Sheet().line("Barriers to a faster", 100, size=20).line("Winter timetable", 123, size=20)
    assert sheet.titles() == ["Barriers to a faster Winter timetable"]


def test_headings_in_two_types_or_with_numbers_stay_apart():
    sheet = Sheet().line("1. Notes", 100, style="bold").line("2. Fleet", 113, style="bold")
    sheet.line("Ships", 126, style="italic").line(PROSE, 140, "NarrativeText")
    assert sheet.titles() == ["1. Notes", "2. Fleet", "Ships"]


def test_two_headings_with_a_blank_line_between_them_are_parted():
    sheet = Sheet().text([("Item 5. Other", "bold")], 100, "Title")
    lower = list(_set("Plan elections", 72, 120, 10.0, FONTS["italic"], "ff000000"))
    first = sheet.elements.pop()
    box = union_box([first.boxes[0].box, *(w.box for w in lower)])
    sheet.words += lower
    sheet.elements.append(page_element(1, "Title", "Item 5. Other Plan elections", box, 0))
    sheet.line(PROSE, 150, "NarrativeText")
    assert sheet.titles() == ["Item 5. Other", "Plan elections"]


def side_by_side(size: float) -> Sheet:
    sheet = Sheet()
    words = [*_set("Summer sailings", 72, 100, size, FONTS["bold"], ""), *_set("Winter", 330, 100, size, "B", "")]
    sheet.words += words
    sheet.elements.append(page_element(1, "Title", "Summer sailings Winter", union_box([w.box for w in words]), 0))
    return sheet


def test_headings_of_neighbouring_columns_are_parted():
    assert side_by_side(16.0).titles() == ["Summer sailings", "Winter"]


def test_column_heads_in_the_size_of_the_text_are_no_headings():
    assert side_by_side(10.0).read() == [("UncategorizedText", "Summer sailings Winter")]


def test_a_number_set_off_from_its_heading_is_no_column():
    sheet = Sheet()
    words = [*_set("3.", 72, 100, 14.0, FONTS["bold"], ""), *_set("National plans", 120, 100, 14.0, FONTS["bold"], "")]
    sheet.words += words
    sheet.elements.append(page_element(1, "Title", "3. National plans", union_box([w.box for w in words]), 0))
    assert sheet.titles() == ["3. National plans"]


def test_a_bold_line_over_its_text_is_found_where_it_was_taken_for_text():
    sheet = Sheet().line("Item 8. Financial statements", 100, "NarrativeText", style="bold")
    assert sheet.line(PROSE, 125, "NarrativeText").titles() == ["Item 8. Financial statements"]


@pytest.mark.parametrize("text", ["• Masters by coursework", "Survey results 23", "All routes run daily."])
def test_bold_items_entries_of_contents_and_sentences_are_not_found_as_headings(text):
    sheet = Sheet().line(text, 100, "ListItem", style="bold").line(PROSE, 125, "NarrativeText")
    assert not sheet.titles()


def test_a_bold_line_inside_a_paragraph_is_its_own_heading():
    rows = [("Take a safe boating course at the quay.", ""), ("As a skipper", "bold"), (PROSE, "")]
    assert Sheet().text(rows, 100).read() == [
        ("NarrativeText", rows[0][0]),
        ("Title", "As a skipper"),
        ("NarrativeText", PROSE),
    ]


def test_a_title_among_left_over_words_is_found_and_stands_before_its_table():
    sheet = Sheet().line(PROSE, 130, "Table").text([("Key functions", "bold")], 60, "UncategorizedText", size=22)
    assert [e.category for e in sheet.found()] == ["Title", "Table"]


def test_a_title_that_a_new_reading_of_a_table_leaves_over_keeps_the_levels_of_the_others():
    sheet = Sheet().line("Winter", 30, style="italic").line(PROSE, 130, "Table")
    sheet.text([("Key functions", "bold")], 60, "UncategorizedText", size=22)
    parsed = cast("Any", SimpleNamespace(page_num=1, text_items=[item(PROSE, 10.0)] * 6))
    found = with_left_titles(PageText(parsed, sheet.words), [*sheet.elements])
    assert [(e.category, e.text, e.category_depth) for e in found[:2]] == [
        ("Title", "Winter", 0),
        ("Title", "Key functions", 0),
    ]


def test_a_running_head_smaller_than_the_text_is_a_header():
    sheet = Sheet().line("Jailed for business", 30, size=9, style="bold").line(PROSE, 120, "NarrativeText")
    assert sheet.read()[0] == ("Header", "Jailed for business")


def test_a_caption_without_a_number_and_a_bullet_are_told_from_headings():
    sheet = Sheet().line("Table: Accredited observers", 100, size=12, style="bold")
    sheet.line("• Slow to adopt", 130, size=14)
    assert [category for category, _ in sheet.read()] == ["FigureCaption", "ListItem"]


def test_the_words_of_a_heading_are_whole_where_kerning_cut_them():
    sheet = Sheet()
    pieces = [("D", 72.0, 80.0), ("IFFERENT", 80.8, 130.0), ("WAYS", 135.0, 160.0)]
    for text, left, right in pieces:
        sheet.words.append(PageWord(text=text, box=(left, 100, right, 112), font="Serif-Bold", size=12))
    sheet.elements.append(page_element(1, "Title", "D IFFERENT WAYS", (72, 100, 160, 112), 0))
    assert sheet.titles() == ["DIFFERENT WAYS"]


def test_no_rule_loses_or_invents_a_word():
    sheet = (
        Sheet().line("Report", 40, size=14).line("Four routes", 60, size=24).line("4", 100, "NarrativeText", size=20)
    )
    sheet.line("Basis", 130, size=18).text([("Lead bold", "bold"), (PROSE, "")], 200).line("a, b.", 300, style="bold")
    before = sorted(word for e in sheet.elements for word in e.text.split())
    assert sorted(word for _, text in sheet.read() for word in text.split()) == before


def test_running_text_is_told_by_its_long_lines():
    cells, prose = [item("12,345", 7.0)] * 200, [item(PROSE, 10.0)] * 6
    found = running_text(cast("Any", [SimpleNamespace(text_items=[*cells, *prose])]))
    assert found is not None
    assert (found.size, found.font, found.bold) == (10.0, "Serif", False)
    assert running_text(cast("Any", [SimpleNamespace(text_items=cells)])) is None


def test_a_long_paragraph_is_running_text_where_no_line_is_long():
    sheet = Sheet().line("of 2023", 100).line(" ".join([PROSE] * 3), 130, "NarrativeText")
    assert sheet.read(Setting())[0] == ("NarrativeText", "of 2023")


# --- over the whole document ---------------------------------------------------------------------


def on_page(page: int, category: str, text: str, top: float, depth: int | None = None) -> Element:
    made = page_element(page, category, text, (72.0, top, 300.0, top + 10), depth)
    return Element(element_id=f"{page}-{text}-{top}", category=category, text=text, boxes=made.boxes, page_number=page)


def pages(count: int) -> list[Page]:
    return [Page(page=n, width=595, height=842) for n in range(1, count + 1)]


def test_what_many_pages_have_at_one_place_is_a_header_or_footer():
    given = [
        element
        for n in (1, 2, 3)
        for element in (
            on_page(n, "Title", "Ferry report", 40 + n % 2),
            on_page(n, "Title", f"Chapter on {'abc'[n - 1]}", 200),
            on_page(n, "NarrativeText", f"Page {n} of 3", 800),
        )
    ]
    found = headings_over_document(given, pages(3))
    assert [e.category for e in found] == ["Header", "Title", "Footer"] * 3


def test_a_line_that_two_pages_have_in_their_margin_stays():
    found = headings_over_document([on_page(n, "Title", "Ferry report", 40) for n in (1, 2)], pages(3))
    assert [e.category for e in found] == ["Title", "Title"]


def test_a_label_that_many_pages_repeat_inside_is_no_heading_and_a_number_alone_at_the_foot_is_none_either():
    given = [on_page(n, "Title", "Offices", 400) for n in (1, 2, 3)] + [on_page(3, "NarrativeText", "xii", 800)]
    found = headings_over_document(given, pages(3))
    assert [e.category for e in found] == ["UncategorizedText"] * 3 + ["Footer"]


def test_the_outline_tells_levels_and_finds_headings_and_what_it_leaves_out_stands_below():
    given = [
        on_page(1, "Title", "PART I", 100),
        on_page(1, "NarrativeText", "Item 1. Business", 130),
        on_page(1, "Title", "Overview", 160),
        on_page(2, "Title", "Item 2. Fleet", 100),
    ]
    outline = [
        OutlineEntry(level=1, title="Part I", page=1),
        OutlineEntry(level=2, title="Item 1.  Business", page=1),
        OutlineEntry(level=2, title="Fleet", page=2),
    ]
    found = headings_over_document(given, pages(2), outline[:2])
    assert [(e.category, e.category_depth) for e in found[:3]] == [("Title", 0), ("Title", 1), ("Title", 2)]
    assert found[2].parent_id == found[1].element_id
    assert found[1].parent_id == found[0].element_id


def test_an_outline_of_something_else_changes_nothing():
    outline = [OutlineEntry(level=3, title=title, page=1) for title in ("Scan 1", "Scan 2", "Routes")]
    found = headings_over_document([on_page(1, "Title", "Routes", 100)], pages(1), outline)
    assert found[0].category_depth == 0


def test_the_outline_of_a_file_is_read_and_short_files_are_not_opened(tmp_path):
    document = pymupdf.open()
    for _ in range(5):
        document.new_page()
    document.set_toc([[1, "Routes", 2], [2, "Winter", 3]])
    path = tmp_path / "report.pdf"
    document.save(path)
    assert [(e.level, e.title, e.page) for e in read_outline(path, 5)] == [(1, "Routes", 2), (2, "Winter", 3)]
    assert read_outline(path, 4) == ()


def test_a_long_pdf_has_its_headings_at_the_levels_of_its_outline(tmp_path):
    document = pymupdf.open()
    for n in range(5):
        page = document.new_page()
        page.insert_text((72, 100), f"Route {'ABCDE'[n]}", fontsize=12, fontname="hebo")
        page.insert_textbox((72, 130, 520, 400), " ".join([PROSE] * 8), fontsize=10)
    document.set_toc([[1 + n % 2, f"Route {'ABCDE'[n]}", n + 1] for n in range(5)])
    path = tmp_path / "routes.pdf"
    document.save(path)
    result = partition(
        Source(id="s", path=path, format="pdf", size=path.stat().st_size), PartitionOptions(parser="fast")
    )
    assert [e.category_depth for e in result.elements if e.category == "Title"] == [0, 1, 0, 1, 0]
