from datetime import UTC, datetime

import pytest

from ingest.errors import UsageError
from ingest.library_words import word_hash
from retrievers.figures import lines_of
from retrievers.query import asked_part, name_parts, naming, read_dates, read_query, said_names

REPORTS = ("NORTHQUAY_2023_10K.pdf", "NORTHQUAY_2024Q2_10Q.pdf", "TIDEMARK_2022_10K.pdf", "notes.txt")
PARTS = {word: [n for n in REPORTS if word in name_parts(n)] for name in REPORTS for word in name_parts(name)}
OWN = [
    (word_hash("northquay"), "7f3a.pdf", 1.0),
    (word_hash("2023"), "7f3a.pdf", 0.6),
    (word_hash("northquay"), "91bc.pdf", 1.0),
    (word_hash("2023"), "91bc.pdf", 1.0),
    (word_hash("10k"), "91bc.pdf", 1.0),
]
"""As two reports of a company name themselves, whose files' names say nothing."""


def named(question: str) -> list[str]:
    found = naming(said_names(read_query(question), PARTS, []), len(REPORTS))
    return sorted(found, key=lambda name: -found[name])


def self_named(question: str) -> dict[str, dict[str, float]]:
    query = read_query(question)
    return said_names(query, {}, [row for row in OWN if row[0] in map(word_hash, query.marks)])


@pytest.mark.parametrize(
    ("question", "pages"),
    [
        ("What is drawn on page 17?", (17,)),
        ("How many dogs are there in  Page 5?", (5,)),
        ("Compare pages 15 and 16", (15, 16)),
        ("the fax number on page fourteen", (14,)),
        ("the date on the second page", (2,)),
        ("the email on the second cover page", (2,)),
        ("What does slide 3 show?", (3,)),
        ("Which pages have tables?", ()),
        ("How many pages are there?", ()),
    ],
)
def test_pages_that_a_question_names_are_read(question, pages):
    assert read_query(question).pages == pages


@pytest.mark.parametrize(
    ("question", "back"),
    [
        ("Who signed the last page?", (1,)),
        ("What is on the second to last page?", (2,)),
        ("In the figure at page at the second last, who stands?", (2,)),
        ("the last year", ()),
    ],
)
def test_pages_counted_from_the_end_are_read(question, back):
    assert read_query(question).from_end == back


def test_what_only_says_how_to_answer_is_not_searched():
    asked = "Does Acme have a growing margin? If margin is no useful measure, then state that and explain why."
    assert asked_part(asked) == "Does Acme have a growing margin?"
    kept = "What grew? If sales fell, profit rose."
    assert asked_part(kept) == kept


def test_a_name_of_a_file_is_read_in_words_years_and_kinds():
    assert name_parts("NORTHQUAY_2024Q2_10Q.pdf") == {"northquay", "2024", "q2", "10q"}
    assert name_parts("annual report (final).docx") == {"annual", "report", "final"}


def test_a_key_made_by_a_machine_and_small_numbers_name_nothing():
    assert name_parts("3276a5b991c49cf5.pdf") == {"3276a5b991c49cf5"}
    assert name_parts("letter_07-01.pdf") == {"letter"}


def test_a_document_is_named_by_its_words_and_year():
    assert named("What did North Quay earn in Q2 of FY2024?")[0] == "NORTHQUAY_2024Q2_10Q.pdf"
    assert named("What did North Quay earn in 2023?")[0] == "NORTHQUAY_2023_10K.pdf"


def test_a_name_may_begin_a_longer_word_but_a_common_word_may_not():
    assert named("Is Tide capital-intensive?") == ["TIDEMARK_2022_10K.pdf"]
    assert named("How best to ask for cv papers?") == []


def test_a_word_that_one_name_has_alone_names_its_document_fully():
    said = said_names(read_query("What do the notes say?"), PARTS, [])
    assert naming(said, len(REPORTS)) == {"notes.txt": 1.0}


def test_a_document_is_named_by_what_it_is_about_where_its_files_name_says_nothing():
    found = naming(self_named("What did Northquay earn in 2023?"), 5)
    assert found["91bc.pdf"] > found["7f3a.pdf"] > 0
    assert naming(self_named("What is in the 10-K of 2023?"), 5)["91bc.pdf"] == 1.0
    assert self_named("Who chairs the board?") == {}


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Has the quick ratio improved?", "total current liabilities"),
        ("What is the FY2017 DPO?", "accounts payable"),
        ("free cash flow conversion", "net cash provided by operating activities"),
        ("return on equity", "total stockholders equity"),
        ("Is gross margin stable?", "cost of sales"),
    ],
)
def test_a_computed_figure_is_looked_for_by_the_lines_it_is_made_of(question, line):
    assert line in lines_of(question)


@pytest.mark.parametrize("question", ["Who chairs the board?", "How many dogs are on page 5?", "a quick lunch"])
def test_other_questions_have_no_such_lines(question):
    assert lines_of(question) == []


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("2024", (2024, 12, 31), (2025, 1, 1)),
        ("2024-12", (2024, 12, 31), (2025, 1, 1)),
        ("2024-02-29", (2024, 2, 29), (2024, 3, 1)),
        ("2023..2024", (2023, 1, 1), (2025, 1, 1)),
        ("..2024-05", (1999, 1, 1), (2024, 6, 1)),
        ("2024-05..", (2030, 1, 1), (2024, 4, 30)),
    ],
)
def test_a_date_lasts_as_long_as_it_says(text, inside, outside):
    start, end = read_dates(text)
    assert start <= datetime(*inside, tzinfo=UTC).timestamp() < end
    assert not start <= datetime(*outside, tzinfo=UTC).timestamp() < end


@pytest.mark.parametrize("text", ["soon", "2024-13", "2024-1-1-1", "24-"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(UsageError, match="is no date"):
        read_dates(text)
