"""Numbers asked of tables: made tables, ingested, and asked without a model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import Library, Settings, ingest
from ingest.types import Answer
from retrievers import MultiVectorRetriever, answer
from retrievers.shapes import answer_json
from tests.asked_tables import BREWERY, CLIMATE, HARVEST, LIBRARY, STOCK, SURVEY, TO_WORK_ON, Asked
from tests.bench.table_questions import judge
from tests.print_tables import print_table

pytestmark = pytest.mark.xdist_group("tables")
FEW = (BREWERY, LIBRARY, CLIMATE, HARVEST, SURVEY, STOCK)
QUESTIONS = [asked for _, questions in TO_WORK_ON for asked in questions]


@pytest.fixture(scope="module")
def retriever(tmp_path_factory) -> Iterator[MultiVectorRetriever]:
    folder = tmp_path_factory.mktemp("tables")
    for table in FEW:
        print_table(table, "html", folder)
    list(ingest([folder], folder / "library", settings=Settings(jobs=1)))
    with Library(folder / "library") as library:
        yield MultiVectorRetriever(library)


@pytest.fixture
def ask(retriever):
    def asked(question: str) -> Answer:
        return answer(question, retriever=retriever, model="extractive")

    return asked


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked.text)
def test_a_question_is_answered_exactly_or_flagged(ask, asked: Asked):
    assert judge(asked, ask(asked.text)) == ("flagged" if asked.flagged else "exact")


def test_each_cell_of_a_sum_is_cited_with_its_place_and_row(ask):
    found = ask("What is the sum of the brewery's revenue from 2022 to 2024?")
    assert found.computation is not None
    assert [c.text for c in found.computation.cells] == ["4,655", "5,210", "5,034"]
    assert [(c.cell.row, c.cell.column, c.cell.header) for c in found.citations if c.cell] == [
        (1, 3, ("2022",)),
        (1, 4, ("2023",)),
        (1, 5, ("2024",)),
    ]
    assert {c.quote for c in found.citations} == {"Revenue 4,120 3,870 4,655 5,210 5,034"}
    assert all(c.verified for c in found.citations)


def test_the_computation_can_be_read_and_carries_the_unit(ask):
    computed = answer_json(ask("What is the sum of the brewery's revenue from 2022 to 2024?"))["computation"]
    assert computed["expression"] == "4,655 + 5,210 + 5,034 = 14,899"
    assert (computed["operation"], computed["value"], computed["unit"]) == ("sum", 14899.0, "\u20ac thousand")


def test_negative_values_in_brackets_are_the_lowest(ask):
    found = ask("In which year was the operating profit of the brewery lowest?")
    assert found.computation is not None
    assert (found.computation.items, found.computation.value) == (("2021",), -148.0)


def test_a_missing_value_is_left_out_and_told(ask):
    found = ask("What was the average rainfall of the stations in 2023?")
    assert found.computation is not None
    assert found.computation.cell_count == 4
    assert any("1 rows have no value" in note for note in found.notes)


def test_of_many_cells_the_first_are_cited_and_the_number_is_said(ask):
    found = ask("What is the total quantity of articles in the category Lighting?")
    assert found.computation is not None
    assert len(found.citations) == 8 < found.computation.cell_count == 40
    assert "the first 8 of 40 cells" in found.text


def test_a_period_that_several_columns_share_is_asked_back(ask):
    found = ask("Which station had the highest value in 2024?")
    assert found.computation is None
    assert found.clarify == "Which one is meant: Rainfall (mm) \u203a 2024 or Mean temperature (\u00b0C) \u203a 2024?"


def test_a_word_that_no_table_has_is_named(ask):
    assert any(
        "\u201cheating\u201d" in note for note in ask("Which year had the highest heating costs at the library?").notes
    )


def test_prose_is_answered_as_before(ask):
    found = ask("Who founded the brewery in 1911?")
    assert (found.computation, found.clarify, found.notes) == (None, None, ())
    assert "two brothers" in found.text


def _library(folder: Path) -> Path:
    list(ingest([folder], folder / "library", settings=Settings(jobs=1)))
    return folder / "library"


def test_a_sum_over_a_long_sheet_adds_every_row_and_cites_the_first(tmp_path):
    rows = [f"B-{n},route {n % 7},{n % 9 + 1},{n / 4:.2f}" for n in range(2_000)]
    (tmp_path / "bookings.csv").write_text("\n".join(["Booking,Route,Seats,Price", *rows]), "utf-8")
    with Library(_library(tmp_path)) as library:
        found = answer(
            "What is the sum of all prices of the bookings?",
            retriever=MultiVectorRetriever(library),
            model="extractive",
        )
    assert found.computation is not None
    assert found.computation.value == pytest.approx(sum(n / 4 for n in range(2_000)))
    assert (found.computation.cell_count, len(found.citations)) == (2_000, 8)


def _routes(folder: Path, name: str, title: str, *lines: str) -> None:
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in line.split("|")) + "</tr>" for line in lines[1:])
    head = "".join(f"<th>{c}</th>" for c in lines[0].split("|"))
    markup = f"<h1>{title}</h1><table><thead><tr>{head}</tr></thead>{cells}</table>"
    (folder / f"{name}.html").write_text(f"<html><body>{markup}</body></html>", "utf-8")


def test_of_two_tables_that_differ_none_is_taken_without_asking(tmp_path):
    _routes(tmp_path, "first", "Ferries in 2023", "Route|Passengers", "Holm|4,120", "Skerry|9,310", "Sandray|1,202")
    _routes(tmp_path, "second", "Ferries in 2024", "Route|Passengers", "Holm|9,920", "Skerry|9,102", "Sandray|1,410")
    with Library(_library(tmp_path)) as library:
        retriever = MultiVectorRetriever(library)
        open_ = answer("Which route had the most passengers?", retriever=retriever, model="extractive")
        told = answer("Which route had the most passengers in 2023?", retriever=retriever, model="extractive")
    assert open_.computation is None
    assert open_.clarify is not None
    assert "Ferries in 2023" in open_.clarify
    assert "Ferries in 2024" in open_.clarify
    assert told.computation is not None
    assert (told.computation.items, told.clarify) == (("Skerry",), None)


def test_an_answer_says_so_where_another_table_has_what_is_asked_for_by_year(tmp_path):
    _routes(tmp_path, "one", "Sailings", "Route|Passengers", "Holm|4,120", "Skerry|9,310", "Sandray|1,202")
    _routes(
        tmp_path, "years", "Report", "Route|Passengers 2022|Passengers 2023", "Holm|9,100|9,920", "Skerry|8,000|9,102"
    )
    with Library(_library(tmp_path)) as library:
        found = answer(
            "Which route had the most passengers?", retriever=MultiVectorRetriever(library), model="extractive"
        )
    assert found.computation is not None
    assert any("another table fits as well" in note for note in found.notes)
    assert found.clarify is not None
    assert "Report" in found.clarify
