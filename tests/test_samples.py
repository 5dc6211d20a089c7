"""The samples from file to answer: what ``tests/expected.py`` says of each, by the library and by the command line."""

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from ingest import Library, Settings, ingest
from ingest.types import Answer, BoundingBox, Cell, Citation, Element, Partition
from retrievers import MultiVectorRetriever, answer
from retrievers.multi_vector import doc_name
from retrievers.shapes import answer_json, hit_json, partition_json
from tests.expected import (
    FIRST,
    HEADINGS,
    QUESTIONS,
    SECOND,
    UNANSWERABLE,
    CellText,
    Question,
    Text,
)

pytestmark = pytest.mark.xdist_group("samples")
ROOT = Path(__file__).resolve().parents[1]
EXPECTED = (*FIRST, *SECOND)
ANSWERABLE = QUESTIONS
FILES = tuple(dict.fromkeys(e.file.partition("!/")[0] for e in EXPECTED))
OVERLAP = 0.8
"""Least share that a citation's boxes and those that another reader finds for the quote have in common."""


def even(text: str) -> str:
    """Text without spaces and hyphens, ligatures and forms evened out."""
    return re.sub(r"[\s\u00ad\u2010-\u2015\u2212-]", "", unicodedata.normalize("NFKC", text))


@dataclass(frozen=True)
class Samples:
    """The library of the samples, and what each file became."""

    folder: Path
    retriever: MultiVectorRetriever
    partitions: dict[str, Partition]
    originals: dict[str, Path]

    def ask(self, question: str) -> Answer:
        return answer(question, retriever=self.retriever, model="extractive")


@pytest.fixture(scope="module")
def ingested(tmp_path_factory, samples) -> Iterator[Samples]:
    folder = tmp_path_factory.mktemp("samples") / "library"
    results = list(ingest([samples / name for name in FILES], folder, settings=Settings(jobs=2)))
    assert {(Path(r.path).name, r.state) for r in results} >= {(name, "ingested") for name in FILES}
    with Library(folder) as library:
        sources = [source.id for source in library.sources()]
        names = {source_id: doc_name(path) for source_id, path in library.paths_of(sources).items()}
        yield Samples(
            folder=folder,
            retriever=MultiVectorRetriever(library),
            partitions={names[i]: library.partition(i) for i in sources},
            originals={
                names[s.id]: library.member_path(s.id, s.format) if s.parent_id else samples / names[s.id]
                for s in library.sources()
            },
        )


def pairs(field: str) -> list[object]:
    """Each entry of a field of the expectations with its file, as test parameters."""
    return [
        pytest.param(expected.file, entry, id=f"{expected.file}-{getattr(entry, 'text', entry)[:40]}")
        for expected in EXPECTED
        for entry in getattr(expected, field)
    ]


# --- elements -----------------------------------------------------------------------------------


def heading_above(elements: tuple[Element, ...], element: Element) -> str:
    before = elements[: elements.index(element)]
    return next((e.text for e in reversed(before) if e.category == "Title"), "")


@pytest.mark.parametrize(("file", "wanted"), pairs("must_have"))
def test_a_text_stands_in_one_element_on_its_page_under_its_heading(ingested, file, wanted: Text):
    elements = ingested.partitions[file].elements
    holding = [e for e in elements if even(wanted.text) in even(e.text)]
    found = [(e.page_number, heading_above(elements, e), e.category) for e in holding]
    assert any(
        wanted.page in (None, page)
        and wanted.category in (None, category)
        and (wanted.title is None or even(wanted.title) == even(heading))
        for page, heading, category in found
    ), found


@pytest.mark.parametrize(("file", "unwanted"), pairs("must_not_have"))
def test_what_is_no_content_stands_in_no_element(ingested, file, unwanted: str):
    texts = (" ".join(e.text.split()) for e in ingested.partitions[file].elements)
    assert [text for text in texts if unwanted in text] == []


def spans(outer: Cell, inner: Cell, axis: str) -> bool:
    """Whether a cell reaches over the row or column of another."""
    start, extent = getattr(outer, axis), getattr(outer, {"row": "rowspan", "column": "colspan"}[axis])
    return start <= getattr(inner, axis) < start + extent


@pytest.mark.parametrize(("file", "wanted"), pairs("cells"))
def test_a_cell_stands_in_its_row_and_column(ingested, file, wanted: CellText):
    found = []
    for element in ingested.partitions[file].elements:
        for cell in element.cells:
            if even(cell.text) == even(wanted.text):
                beside = [even(c.text) for c in element.cells if c is not cell and spans(c, cell, "row")]
                above = [
                    even(c.text) for c in element.cells if c.header and c.row < cell.row and spans(c, cell, "column")
                ]
                found.append((cell.page or element.page_number, beside, above))
    assert any(
        wanted.page in (None, page)
        and all(any(even(label) in text for text in beside) for label in wanted.row_label)
        and all(any(even(header) in text for text in above) for header in wanted.column_header)
        for page, beside, above in found
    ), found


@pytest.mark.parametrize("file", [e.file for e in EXPECTED if e.file in HEADINGS])
def test_the_headings_have_their_levels_and_there_are_no_others(ingested, file):
    titles = [e for e in ingested.partitions[file].elements if e.category == "Title"]
    assert [(e.category_depth, even(e.text)) for e in titles] == [(depth, even(text)) for depth, text in HEADINGS[file]]


# --- answers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers(ingested) -> dict[str, Answer]:
    return {q.text: ingested.ask(q.text) for q in (*ANSWERABLE, *UNANSWERABLE)}


def is_right(citation: Citation, question: Question) -> bool:
    place = (citation.doc, citation.page) == (question.file, question.page)
    return place and even(question.quote_has) in even(citation.quote)


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda q: q.text)
def test_a_question_is_answered_with_a_quote_from_the_right_place(answers, question: Question):
    found = answers[question.text]
    assert found.found
    assert any(is_right(c, question) for c in found.citations), [(c.doc, c.page, c.quote) for c in found.citations]
    assert all(f"[{c.number}]" in found.text for c in found.citations)


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda q: q.text)
def test_every_citation_is_verbatim_and_verified(ingested, answers, question: Question):
    for citation in answers[question.text].citations:
        elements = ingested.partitions[citation.doc].elements
        said = page_text(ingested.originals[citation.doc], citation.page) or "".join(e.text for e in elements)
        assert even(citation.quote) in even(said)
        assert citation.verified
        is_drawn = citation.page is not None and not citation.doc.endswith(".xlsx")  # a sheet has places, no boxes
        assert bool(citation.boxes) == is_drawn


@cache
def page_text(path: Path, number: int | None) -> str:
    """A PDF page's text as another reader gives it: in content order, and from top to bottom; empty of a scan."""
    if number is None or path.suffix != ".pdf":
        return ""
    import pymupdf

    with pymupdf.open(path) as pdf:
        return "\n".join(pdf[number - 1].get_text(sort=by_place) for by_place in (False, True)).strip()


@pytest.mark.parametrize("question", UNANSWERABLE, ids=lambda q: q.text)
def test_what_the_samples_do_not_say_is_not_found(answers, question):
    found = answers[question.text]
    assert not found.found, found.text
    assert found.citations == ()


@pytest.mark.parametrize(
    ("question", "items"),
    [
        ("Which route had the most passengers in 2024?", ("H1 Marrowick-Halvane",)),
        ("Which route carried the fewest vehicles in 2022?", ("H4 Ostrey-Kelding",)),
        (
            "Top 3 routes by passengers in 2023",
            ("H1 Marrowick-Halvane", "H2 Marrowick-Ostrey", "H3 Halvane-Brackholm"),
        ),
    ],
)
def test_the_first_of_a_table_is_no_row_of_totals(ingested, question, items):
    found = ingested.ask(question)
    assert found.computation is not None
    assert (found.computation.items, found.notes) == (items, ())


def test_where_it_is_open_what_is_ranked_no_row_of_totals_is_the_answer(ingested):
    found = ingested.ask("Which route was best in 2024?")
    assert (found.found, found.citations) == (False, ())
    assert found.notes == ("nothing was computed from a table: several columns fit",)


def test_a_figure_that_is_looked_up_comes_without_a_word_on_computing(ingested):
    found = ingested.ask("How many passengers did route H2 carry in 2024?")
    assert [c.quote for c in found.citations] == ["H2 Marrowick-Ostrey 208.3 201.7 214.5 62.9 60.2 63.7"]
    assert (found.notes, found.clarify) == ((), None)


def test_columns_that_do_not_have_what_is_asked_are_not_asked_back(ingested):
    assert ingested.ask("What was the total revenue in 2024?").clarify is None


def test_the_boxes_of_quotes_are_those_that_another_reader_finds(answers, samples):
    import pymupdf

    shares: list[float] = []
    with pymupdf.open(samples / "report.pdf") as pdf:
        for found in answers.values():
            for citation in (c for c in found.citations if c.doc == "report.pdf"):
                rects = [tuple(rect) for rect in pdf[citation.page - 1].search_for(citation.quote)]
                own = [b.box for b in citation.boxes if b.page == citation.page]
                if citation.kind == "table":
                    # A row has one box from its first cell to its last one.
                    rects = [around(rects)] if rects else []
                if rects:
                    shares.append(common_share(own, rects))
    assert len(shares) >= 7
    assert min(shares) >= OVERLAP


def around(boxes: list[BoundingBox]) -> BoundingBox:
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def area(boxes: list[BoundingBox]) -> float:
    """The area that boxes cover together."""
    xs = sorted({x for b in boxes for x in (b[0], b[2])})
    ys = sorted({y for b in boxes for y in (b[1], b[3])})
    return sum(
        (right - left) * (bottom - top)
        for left, right in pairwise(xs)
        for top, bottom in pairwise(ys)
        if any(b[0] <= left and right <= b[2] and b[1] <= top and bottom <= b[3] for b in boxes)
    )


def common_share(one: list[BoundingBox], other: list[BoundingBox]) -> float:
    """Intersection over union of two sets of boxes."""
    both = [
        (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])) for a in one for b in other if meet(a, b)
    ]
    shared = area(both)
    return shared / (area(one) + area(other) - shared)


def meet(a: BoundingBox, b: BoundingBox) -> bool:
    return max(a[0], b[0]) < min(a[2], b[2]) and max(a[1], b[1]) < min(a[3], b[3])


# --- the command line ---------------------------------------------------------------------------


def run(*args: object) -> list[dict]:
    """What a command prints, a JSON value a line."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *map(str, args)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PINCITE_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def questions(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("questions") / "questions.jsonl"
    asked = (*ANSWERABLE, *UNANSWERABLE)
    file.write_text("\n".join(json.dumps({"id": i, "question": q.text}) for i, q in enumerate(asked)), "utf-8")
    return file


def without_times(shape: dict) -> dict:
    return {name: value for name, value in shape.items() if name not in ("timing", "seconds")}


def test_the_command_line_answers_as_the_library_does(ingested, answers, questions):
    said = run("ask", "--library", ingested.folder, "--model", "extractive", "--questions", questions, "--json")
    asked = (*ANSWERABLE, *UNANSWERABLE)
    wanted = [{"id": i, **without_times(answer_json(answers[q.text]))} for i, q in enumerate(asked)]
    assert [without_times(line) for line in said] == json.loads(json.dumps(wanted))


def test_the_command_line_finds_what_the_library_finds(ingested, answers, questions):
    said = run("search", "--library", ingested.folder, "--questions", questions, "--json", "--no-rerank")
    asked = (*ANSWERABLE, *UNANSWERABLE)
    wanted = [{"id": i, "results": [hit_json(h) for h in answers[q.text].hits]} for i, q in enumerate(asked)]
    assert [without_times(line) for line in said] == json.loads(json.dumps(wanted))


def test_the_command_line_partitions_as_an_ingest_does(ingested, samples):
    (said,) = run("partition", samples / "report.pdf", "--format", "json")
    wanted = partition_json(str(samples / "report.pdf"), ingested.partitions["report.pdf"])
    assert said["path"] == wanted["path"]
    assert said["elements"] == json.loads(json.dumps(wanted["elements"]))
    assert [{**p, "ms": 0} for p in said["pages"]] == [{**p, "ms": 0} for p in wanted["pages"]]
