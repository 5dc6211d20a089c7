"""The gate between answering by quotes and refusing."""

import json
from collections import Counter
from pathlib import Path

import pytest

from ingest.library import Library
from retrievers.answerable import POINTED_THRESHOLD, THRESHOLD, read_asked, support
from retrievers.extractive import counted_things
from retrievers.language import content_terms
from tests.retrievers.made import paragraph, put, title

SAID = "The tannery sold 412 hides in 2021, and Berta Lomax kept the books."


@pytest.fixture
def measured(tmp_path):
    """The support that a sentence of a small library gives a question."""
    library = Library(tmp_path / "library", create=True)
    put(library, "tannery.txt", [title("The tannery"), paragraph(SAID), paragraph("Its wheel turned until 1999.")])
    for n in range(8):
        put(library, f"other{n}.txt", [title(f"Mill {n}"), paragraph(f"The mill of parish {n} ground rye and barley.")])

    def measure(question: str, *, has_form: bool = True) -> float:
        asked = read_asked(question, content_terms(question), counted_things(question), library)
        return support(asked, SAID, "The tannery", "", has_form=has_form)

    yield measure
    library.close()


@pytest.mark.parametrize(
    "question",
    ["How many hides did the tannery sell in 2021?", "Who kept the books of the tannery?", "Who was Berta Lomax?"],
)
def test_a_question_that_a_sentence_answers_passes(measured, question):
    assert measured(question) >= THRESHOLD


@pytest.mark.parametrize(
    "question",
    [
        "How many hides did the tannery sell in 2020?",
        "How many hides did Quentin Farrow sell?",
        "How many lanterns hang over the bridge?",
        "What is on page 17?",
    ],
)
def test_a_wrong_year_an_absent_name_or_thing_does_not_pass(measured, question):
    assert measured(question) < THRESHOLD


def test_an_irregular_form_and_a_word_of_the_same_meaning_count(measured):
    assert measured("Who keeps the books of the tannery?") >= THRESHOLD
    assert measured("Which ledgers did the tannery keep?") < measured("Which books did the tannery keep?")


def test_what_fell_is_not_answered_by_what_rose(tmp_path):
    library = Library(tmp_path / "library", create=True)
    put(library, "a.txt", [paragraph("Revenue rose in the second year.")])
    asked = [read_asked(f"Why did revenue {verb}?", ["revenue"], set(), library) for verb in ("fall", "rise")]
    fell, rose = (support(a, "Revenue rose in the second year.", "", "", has_form=True) for a in asked)
    library.close()
    assert fell < rose


def test_a_piece_without_the_form_of_an_answer_supports_less(measured):
    question = "When did the tannery sell hides?"
    assert measured(question, has_form=False) < measured(question)


@pytest.mark.parametrize(
    ("question", "pointed"),
    [
        ("How many people are there on page 5?", True),
        ("Which colour has the line in the first figure?", True),
        ("Who wrote this report?", True),
        ("To whom does the safety manager report?", False),
        ("Which pages are blacked out?", True),
        ("Which add-on prints dark pages?", False),
        ("Who kept the books?", False),
    ],
)
def test_a_question_that_points_at_a_page_or_the_document_has_a_lower_threshold(tmp_path, question, pointed):
    with Library(tmp_path / "library", create=True) as library:
        asked = read_asked(question, content_terms(question), set(), library)
    assert asked.is_pointed is pointed
    assert asked.threshold == (POINTED_THRESHOLD if pointed else THRESHOLD)


def test_an_abbreviation_or_a_possessive_is_no_absent_name(measured):
    assert measured("Who kept the books of the tannery (BOT)?") >= THRESHOLD
    assert measured("Who kept Berta Lomax's books?") >= THRESHOLD
    assert measured("Who kept the books of ZANZIBAR?") > measured("Who kept the books of Zanzibar?") == 0


def test_our_questions_are_sixty_that_the_samples_answer_and_sixty_that_they_do_not():
    path = Path(__file__).parent / "data" / "answerability.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    kinds = Counter(row["kind"] for row in rows)
    assert kinds == {
        "answerable": 60,
        "absent entity": 15,
        "wrong year": 15,
        "absent figure": 15,
        "false premise": 15,
    }
    assert len({row["question"] for row in rows}) == 120
