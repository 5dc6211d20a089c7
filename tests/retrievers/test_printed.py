"""Printed answers: in a terminal of some width and for programs."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.cells import cell_len

from ingest.library import Library
from ingest.settings import Settings
from ingest.types import Answer, Record
from retrievers import MultiVectorRetriever, answer
from retrievers.printed import Look, plain, printed_answer, printed_citations, printed_hit
from tests.retrievers.made import BagOfWords, paragraph, put, table, title

ROUTES = """<table><tr><th rowspan="2">Route</th><th colspan="2">Passengers</th><th colspan="2">Vehicles</th></tr>
<tr><th>2023</th><th>2024</th><th>2023</th><th>2024</th></tr>
<tr><td>H2 Ostrey</td><td>201.7</td><td>214.5</td><td>60.2</td><td>63.7</td></tr>
<tr><td>H3 Brackholm</td><td>103.4</td><td>99.8</td><td>23.8</td><td>22.6</td></tr></table>"""
YEARS = range(1990, 2025)
WIDE = (
    f"<table><tr><th>Station</th>{''.join(f'<th>{y}</th>' for y in YEARS)}</tr>"
    f"<tr><td>Mole</td>{''.join(f'<td>{y - 1900}.5</td>' for y in YEARS)}</tr></table>"
)
HEBREW = "\u05d4\u05e0\u05de\u05dc \u05e0\u05e4\u05ea\u05d7 \u05d1\u05e9\u05e2\u05d4 6"
CJK = "\u6e21\u8239\u306f" * 40
TERMINAL = Look(width=80, colour=True, raised=True)
CODES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("made") / "lib", create=True) as made:
        put(made, "routes.txt", [title("Traffic"), table(ROUTES)])
        put(made, "wide.txt", [title("Rain"), table(WIDE)])
        put(made, "board.txt", [title("Board"), paragraph("Ada Quill chairs the board of the harbour.")])
        put(made, "port.txt", [title("Port"), paragraph(f"Zulu port: {HEBREW}.")])
        put(made, "ship.txt", [title("Ship"), paragraph(f"Yankee ship: {CJK}.")])
        put(
            made,
            "evil\x1b[31m.txt",
            [title("Evil"), paragraph("Victor evil \x1b]0;owned\x07 says \u202eabc nothing here.")],
        )
        yield made


def ask(library: Library, question: str) -> Answer:
    settings = Settings(ollama_host="http://127.0.0.1:9")
    retriever = MultiVectorRetriever(library, settings=settings, embedder=BagOfWords())
    return answer(question, retriever=retriever, model="extractive")


def test_for_a_program_an_answer_is_plain_and_its_lines_are_whole(library):
    found = ask(library, "Who chairs the board of the harbour?")
    assert printed_answer(found, library, Look()) == (
        "Ada Quill chairs the board of the harbour [1].\n\n"
        '[1] board.txt, paragraph, Board: "Ada Quill chairs the board of the harbour."\n'
    )


def test_in_a_terminal_the_numbers_are_raised_and_coloured(library):
    said = printed_answer(ask(library, "Who chairs the board of the harbour?"), library, TERMINAL)
    assert "harbour\u00b9." in CODES.sub("", said)
    assert CODES.search(said)


def test_a_raised_number_does_not_look_like_a_power(library):
    found = ask(library, "How many H2 passengers were there in 2024?")
    assert "214.5 \u00b9." in CODES.sub("", printed_answer(found, library, TERMINAL))


def test_a_number_in_brackets_that_is_no_citation_stays(library):
    found = replace(ask(library, "Who chairs the board of the harbour?"), text="As in [7], she chairs it [1].")
    assert "As in [7], she chairs it\u00b9." in printed_answer(found, library, replace(TERMINAL, colour=False))


def test_without_colour_there_is_no_escape(library):
    found = ask(library, "How many H2 passengers were there in 2024?")
    assert "\x1b" not in printed_answer(found, library, Look(width=80, raised=True))


def test_a_cited_row_stands_under_its_headers_with_its_cell_marked(library):
    said = printed_answer(ask(library, "How many H2 passengers were there in 2024?"), library, Look())
    head, *_, row = said.splitlines()[-4:]
    assert "Passengers" in head
    assert row.split() == ["H2", "Ostrey", "201.7", "*214.5*", "60.2", "63.7"]
    assert "103.4" not in said


def test_of_a_wide_table_the_columns_about_the_cell_are_shown(library):
    said = printed_answer(ask(library, "What was the rain at the Mole station in 2010?"), library, Look(width=60))
    row = said.splitlines()[-1].split()
    assert (row[0], "*110.5*" in row) == ("Mole", True)
    assert len(row) < 8
    assert "\u2026" in said


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("question", ["What is the Yankee ship?", "How many H2 passengers were there in 2024?"])
def test_no_line_is_wider_than_the_terminal(library, width, question):
    said = printed_citations(ask(library, question).citations, library, Look(width=width, colour=True, raised=True))
    assert said
    assert max(cell_len(CODES.sub("", line)) for line in said.splitlines()) <= width


def test_words_that_run_from_right_to_left_do_not_turn_what_follows(library):
    found = ask(library, "What is the Zulu port?")
    assert f'"\u2068Zulu port: {HEBREW}.\u2069"' in printed_answer(found, library, replace(TERMINAL, width=200))
    assert "\u2068" not in printed_answer(found, library, Look())


def test_a_document_cannot_steer_the_terminal(library):
    found = ask(library, "What does Victor evil say?")
    for look in (Look(), TERMINAL):
        said = CODES.sub("", printed_answer(found, library, look))
        assert not {"\x1b", "\x07", "\u202e"} & set(said)
    assert plain("a\u202eb\x07c\ud800") == "a\\u202eb\\x07c\\ud800"


def test_how_a_follow_up_was_understood_is_said(library):
    found = ask(library, "Who chairs the board of the harbour?")
    asked = replace(found, question="Who chairs it?", full_question=found.question)
    assert printed_answer(asked, library, Look()).startswith(f"understood as: {found.question}\n")
    assert "understood" not in printed_answer(replace(found, full_question=found.question), library, Look())


def test_a_question_back_is_printed_once(library):
    back = Answer(question="it?", text="What?", found=False, model="extractive", clarify="What?")
    assert printed_answer(back, library, Look()) == "What?\n"
    narrowed = replace(back, text="Dark Reader [1]")
    assert printed_answer(narrowed, library, Look()) == "Dark Reader [1]\nWhat?\n"


def test_where_nothing_is_found_the_nearest_passages_are_shown(library):
    said = printed_answer(ask(library, "Who is the harbour's dentist in Xanadu?"), library, Look())
    assert said.startswith("not found in these documents\nnearest passages:\n 1. ")


def test_a_citation_that_was_not_verified_says_so(library):
    found = ask(library, "Who chairs the board of the harbour?")
    unsure = tuple(replace(c, verified=False) for c in found.citations)
    assert '" (not verified)' in printed_citations(unsure, library, Look())


def test_a_web_page_is_cited_with_the_link_to_its_words(library):
    found = ask(library, "Who chairs the board of the harbour?")
    linked = tuple(replace(c, url="https://example.org/#:~:text=Ada") for c in found.citations)
    assert printed_citations(linked, library, Look()).endswith("\n    https://example.org/#:~:text=Ada\n")


def test_records_are_a_table(library):
    record = Record(
        name="Dark Reader", doc="a.html", path="a.html", rating=4.5, users=1234567, url="https://example.org/a"
    )
    found = Answer(question="?", text="Dark Reader", found=True, model="extractive", records=(record,))
    rows = [line.split() for line in printed_answer(found, library, Look()).splitlines()[1:]]
    assert rows == [
        ["rating", "users", "add-on", "link"],
        ["4.5", "1,234,567", "Dark", "Reader", "https://example.org/a"],
    ]


def test_a_hit_says_where_it_stands(library):
    (hit, *_) = ask(library, "Who chairs the board of the harbour?").hits
    said = printed_hit(1, hit, library, Look())
    assert said.startswith(f" 1. board.txt, Board  {hit.score:.2f} text\n    ")


def test_rows_of_one_table_stand_together_with_their_numbers(library):
    first = ask(library, "How many H2 passengers were there in 2024?").citations[0]
    second = replace(ask(library, "How many H3 passengers were there in 2023?").citations[0], number=2)
    *_, h2, h3 = printed_citations((first, second), library, Look()).splitlines()
    assert h2.split() == ["[1]", "H2", "Ostrey", "201.7", "*214.5*", "60.2", "63.7"]
    assert h3.split() == ["[2]", "H3", "Brackholm", "*103.4*", "99.8", "23.8", "22.6"]
