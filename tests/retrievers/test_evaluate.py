import pytest

from ingest.errors import UsageError
from ingest.types import Answer, Chunk, Citation, Hit
from retrievers.evaluate import Expected, compare, evaluate, read_expected, score_answer, score_hits

PIER = Expected(id="1", question="What did the pier cost?", doc="costs.pdf", pages=frozenset({3}))
NOWHERE = Expected(id="2", question="Who won?", answerable=False)


def hit(doc: str, *pages: int) -> Hit:
    chunk = Chunk(chunk_id=f"{doc}{pages}", source_id=doc, index=0, kind="text", text="t", page_numbers=pages)
    return Hit(chunk=chunk, doc=doc, path=doc, score=1.0, matched="text")


def citation(doc: str, page: int) -> Citation:
    return Citation(
        number=1, citation_id="c", chunk_id="c", doc=doc, path=doc, page=page, box=None, boxes=(), kind="text",
        title_path=(), quote="q", verified=True,
    )  # fmt: skip


def reply(*citations: Citation, found: bool = True) -> Answer:
    return Answer(question="q", text="t", found=found, model="m", citations=citations)


def test_ranks_count_distinct_pages():
    hits = [hit("costs.pdf", 1), hit("costs.pdf", 1), hit("other.pdf", 3), hit("costs.pdf", 3)]
    assert score_hits(PIER, hits) == {"hit@1": 0.0, "hit@5": 1.0, "hit@10": 1.0, "mrr": 1 / 3}


def test_what_is_not_found_scores_nothing():
    assert score_hits(PIER, [hit("other.pdf", 3)])["mrr"] == 0.0


def test_without_pages_any_page_of_the_file_counts():
    whole = Expected(id="1", question="q", doc="costs.txt")
    assert score_hits(whole, [hit("costs.txt")])["hit@1"] == 1.0


def test_citations_count_by_their_pages():
    assert score_answer(PIER, reply(citation("costs.pdf", 3), citation("costs.pdf", 4))) == {
        "answered": 1.0,
        "citations": 0.5,
    }


@pytest.mark.parametrize(("found", "refused"), [(True, 0.0), (False, 1.0)])
def test_a_question_without_an_answer_should_be_refused(found, refused):
    assert score_answer(NOWHERE, reply(found=found)) == {"refused": refused}


def test_means_are_of_the_questions_that_have_the_measure():
    found = evaluate([PIER, NOWHERE], lambda _: [hit("costs.pdf", 3)], lambda _: reply(citation("costs.pdf", 3)))
    assert found["means"]["hit@1"] == {"mean": 1.0, "error": 0.0, "n": 1}
    assert found["means"]["refused"] == {"mean": 0.0, "error": 0.0, "n": 1}
    assert found["questions"] == 2


def test_a_difference_comes_with_its_interval():
    a = {"items": {str(n): {"mrr": 0.0} for n in range(20)}}
    b = {"items": {str(n): {"mrr": float(n % 2)} for n in range(20)}}
    found = compare(a, b)["mrr"]
    assert found["difference"] == 0.5
    assert 0.2 < found["low"] < 0.5 < found["high"] < 0.8
    assert compare(a, a)["mrr"] == {"difference": 0.0, "low": 0.0, "high": 0.0, "n": 20}
    assert compare(a, b) == compare(a, b)


@pytest.mark.parametrize("other", [{}, {"items": {"x": {"mrr": 1.0}}}, {"items": []}, {"items": {"1": 3}}])
def test_what_cannot_be_compared_is_refused(other):
    with pytest.raises(UsageError):
        compare({"items": {"1": {"mrr": 0.0}}}, other)


@pytest.mark.parametrize(
    "line",
    [
        {"id": 1, "question": "q"},
        {"id": 1, "question": "q", "doc": "a.pdf", "pages": 3},
        {"id": 1, "question": "q", "doc": "a.pdf", "pages": [True]},
        {"id": 1, "question": "q", "answerable": "no"},
    ],
)
def test_a_line_that_says_too_little_is_refused(line):
    with pytest.raises(UsageError, match="line 1"):
        read_expected(line, "line 1")


def test_a_line_is_read():
    line = {"id": 7, "question": "q", "doc": "docs/a.pdf", "pages": [2, 3]}
    assert read_expected(line, "") == Expected(id="7", question="q", doc="a.pdf", pages=frozenset({2, 3}))
