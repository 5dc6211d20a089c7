from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.language import (
    codes,
    content_terms,
    has_number,
    match_query,
    names,
    sentences,
    stem,
    stems,
    tokens,
    without_form,
    years_and_numbers,
)


def parts(text: str) -> list[str]:
    return [span.text for span in sentences(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It rained. We stayed.", ["It rained.", "We stayed."]),
        ("Fares rose by 3.5 percent in St. Ives. Why?", ["Fares rose by 3.5 percent in St. Ives.", "Why?"]),
        ("See e.g. Annex B. J. Smith signed it.", ["See e.g. Annex B. J. Smith signed it."]),
        ("A heading\n\nand a line\nand one more", ["A heading", "and a line", "and one more"]),
        ('He said "Go." Then he went.', ['He said "Go."', "Then he went."]),
        ("It was 5 p.m. but dark.", ["It was 5 p.m. but dark."]),
        ("Ready… Steady! Go", ["Ready…", "Steady!", "Go"]),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, wanted):
    assert parts(text) == wanted


@given(st.text(alphabet="aB1.!? \n\"')(é…", max_size=60))
def test_sentences_are_slices_in_order_that_lose_nothing_but_spaces(text):
    spans = list(sentences(text))
    assert all(text[s.start : s.end] == s.text for s in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    borders = [0, *(place for s in spans for place in (s.start, s.end)), len(text)]
    assert not "".join(text[a:b] for a, b in zip(borders[::2], borders[1::2], strict=True)).strip()


def test_numbers_stay_whole_and_lose_their_thousands_separators_as_stems():
    assert tokens("In 2024 it cost €54,600.50 (19:05)") == ["in", "2024", "it", "cost", "54,600.50", "19:05"]
    assert [stem(t) for t in ("6,412", "1,234,567", "3,5", "12.50")] == ["6412", "1234567", "3,5", "12.50"]


def test_codes_are_whole_and_raised_numbers_no_part_of_a_word():
    assert tokens("H2 to AR01 in FY2024, 5m deep,¹ CO₂ 30² Ab3c") == [
        *("h2", "to", "ar01", "in", "fy", "2024", "5", "m", "deep", "co2", "30", "ab3c")
    ]


def test_forms_of_a_word_have_one_stem_and_ligatures_are_read():
    assert stems("ferries ferry Ferry's ﬁnances finance") == ["ferri", "ferri", "ferri", "financ", "financ"]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How many members did the cooperative have?", ["members", "cooperative"]),
        ("Why did Why happen to A 7?", ["happen", "7"]),
        ("What is it?", ["what", "is", "it"]),
    ],
)
def test_content_terms_carry_the_meaning(question, wanted):
    assert content_terms(question) == wanted


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What did MV Storm Petrel cost in 2024?", ["mv", "storm", "petrel"]),
        ("Halvane is where?", []),
        ("Which route is iPhone or H2 on?", ["iphone", "h2"]),
        ("WHAT IS THE TOTAL REVENUE OF THE YEAR", []),
        ("What Is The Total Revenue Of The Year?", []),
        ("Who is the director of Anna's Yard?", ["anna's", "yard"]),
    ],
)
def test_names_are_what_a_question_writes_like_one(question, wanted):
    assert names(question) == wanted


def test_codes_are_names_that_join_letters_and_digits():
    assert codes("Is Exhibit P-10 of AR01 in FY2021 like COVID-19 or Halvane–Brackholm in 2024?") == [
        ["p", "10"],
        ["covid", "19"],
    ]


def test_the_numbers_of_a_question_are_read_without_separators():
    assert years_and_numbers("Did 6,412 join in 2024, or 3.5 in FY2024?") == ["6412", "2024", "3.5"]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What was the margin? Round your answer to two decimals.", "What was the margin?"),
        ("What is total debt?Answer in millions.", "What is total debt?"),
        ("Who? (e.g. a name)", "Who?"),
        ("What rose? In 2023 it had fallen.", "What rose? In 2023 it had fallen."),
        ("List the islands.", "List the islands."),
        ("Please say who chairs the board", "Please say who chairs the board"),
    ],
)
def test_what_a_question_asks_of_the_answers_form_is_left_out(question, wanted):
    assert without_form(question) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("There are 28 cars", True),
        ("There are eight of them", True),
        ("None came", True),
        ("In 2024 there were some", False),
        ("(1) Net of costs", False),
        ("2. Two more", True),
        ("Some came", False),
    ],
)
def test_a_number_is_one_that_the_question_did_not_bring(text, wanted):
    assert has_number(text, {"2024"}) is wanted


def test_a_match_query_quotes_its_terms():
    assert match_query(["pier", 'a"b', "OR"]) == '"pier" OR "a""b" OR "OR"'
    assert match_query([]) == ""
