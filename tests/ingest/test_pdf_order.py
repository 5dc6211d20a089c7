"""The order in which a PDF page is read: contents, columns, notes and margins."""

from collections.abc import Sequence

import pytest
from liteparse.types import ParsedPage

from ingest.partition.pdf_order import in_reading_order
from ingest.partition.pdf_words import PageText, PageWord, page_element
from ingest.types import Element, union_box

LETTER = 5.0
"""Points a letter is wide here."""


def line(text: str, x: float, y: float, height: float = 10.0) -> list[PageWord]:
    words, at = [], x
    for word in text.split():
        words.append(PageWord(text=word, box=(at, y, at + LETTER * len(word), y + height)))
        at += LETTER * (len(word) + 1)
    return words


def element(words: Sequence[PageWord], category: str = "NarrativeText") -> Element:
    return page_element(1, category, " ".join(w.text for w in words), union_box([w.box for w in words]))


def page(words: Sequence[PageWord]) -> PageText:
    parsed = ParsedPage(page_num=1, width=600, height=800, text="", text_items=[])
    return PageText(parsed, list(words))


def texts(words: Sequence[Sequence[PageWord]], elements: Sequence[Element]) -> list[str]:
    return [e.text for e in in_reading_order(page([w for row in words for w in row]), elements)]


def test_page_numbers_in_a_column_of_their_own_end_the_lines_that_they_stand_beside():
    entries = [line(text, 60, 100 + 20 * i) for i, text in enumerate(["Preface", "The harbour", "The fleet"])]
    numbers = [line(text, 400 - LETTER * len(text), 100 + 20 * i) for i, text in enumerate(["ix", "1", "24"])]
    words = [*entries, *numbers]
    found = texts(words, [element([w for row in entries for w in row]), element([w for row in numbers for w in row])])
    assert found == ["Preface ix", "The harbour 1", "The fleet 24"]


def test_dots_that_lead_to_a_page_number_come_before_it_as_one_run():
    entries = [line(text, 60, 100 + 20 * i) for i, text in enumerate(["Preface", "Harbours", "Fleets"])]
    leaders = [line(". . . . . . .", 200, 100 + 20 * i) for i in range(3)]
    numbers = [line(str(4 * i + 1), 395, 100 + 20 * i) for i in range(3)]
    elements = [*map(element, entries), *map(element, leaders), element([w for row in numbers for w in row])]
    assert texts([*entries, *leaders, *numbers], elements)[:2] == ["Preface ....... 1", "Harbours ....... 5"]


def test_numbers_that_fall_are_values_and_stay_where_they_are():
    entries = [line(text, 60, 100 + 20 * i) for i, text in enumerate(["Salt", "Fish", "Wool"])]
    numbers = [line(text, 400 - LETTER * len(text), 100 + 20 * i) for i, text in enumerate(["31", "2", "24"])]
    elements = [element([w for row in entries for w in row]), element([w for row in numbers for w in row])]
    assert texts([*entries, *numbers], elements) == ["Salt Fish Wool", "31 2 24"]


def test_a_paragraph_read_across_two_columns_is_parted():
    left = [line(f"left column text line {n}", 60, 100 + 12 * n) for n in range(5)]
    right = [line(f"right column text line {n}", 300, 100 + 12 * n) for n in range(5)]
    across = [w for pair in zip(left, right, strict=True) for row in pair for w in row]
    found = texts([across], [element(across)])
    assert found == [" ".join(f"{side} column text line {n}" for n in range(5)) for side in ("left", "right")]


def test_a_gap_in_a_few_lines_parts_no_paragraph():
    wide = [w for n in range(2) for w in [*line("one side here", 60, 100 + 12 * n), *line("other", 300, 100 + 12 * n)]]
    full = [w for n in range(2, 6) for w in line("a line of words that runs on over the whole width", 60, 100 + 12 * n)]
    words = [*wide, *full]
    assert len(texts([words], [element(words)])) == 1


@pytest.fixture
def two_columns() -> tuple[list[list[PageWord]], list[Element]]:
    rows = [
        line("The left column of the page begins and", 60, 100),
        line("1 Ibid., p. 12.", 60, 700, 7.0),
        line("ends in the right one.", 330, 100),
        line("2 Ibid., p. 13.", 330, 700, 7.0),
    ]
    return rows, [element(row) for row in rows]


def test_notes_at_the_foot_of_a_column_come_after_the_text_of_the_next(two_columns):
    words, elements = two_columns
    assert [text[:2] for text in texts(words, elements)] == ["Th", "en", "1 ", "2 "]


def test_notes_that_are_last_stay_before_the_page_number(two_columns):
    words, elements = two_columns
    rows = [words[0], words[1], line("17", 300, 770)]
    assert texts(rows, [elements[0], elements[1], element(rows[2])]) == [elements[0].text, elements[1].text, "17"]


def test_small_type_without_the_mark_of_a_note_stays_in_its_column(two_columns):
    words, _ = two_columns
    rows = [words[0], line("Drawn by hand.", 60, 700, 7.0), words[2]]
    assert texts(rows, [element(row) for row in rows])[1] == "Drawn by hand."


def test_a_page_number_above_all_columns_is_read_first(two_columns):
    words, elements = two_columns
    number = line("73", 500, 30)
    assert texts([*words, number], [*elements[:2], element(number), *elements[2:]])[0] == "73"


def test_a_heading_at_the_top_of_a_column_is_no_running_header():
    head, body = line("The fleet", 60, 60, 14), line("sails at dawn and returns", 60, 90)
    other = line("at night", 330, 58)
    rows = [head, body, other]
    found = texts(rows, [element(head, "Title"), element(body), element(other)])
    assert found == ["The fleet", "sails at dawn and returns", "at night"]
