import json

import pytest

from ingest.types import (
    Answer,
    Cell,
    CellRef,
    Chunk,
    Citation,
    Element,
    Hit,
    Page,
    PageBox,
    Partition,
    SourceResult,
)
from retrievers.shapes import answer_json, citation_json, hit_json, partition_json, result_json, summary_json

BOX = PageBox(page=3, box=(72.0, 120.4567, 523.0, 300.1))
CHUNK = Chunk(
    chunk_id="c1",
    source_id="s",
    index=0,
    kind="table",
    text="H1 455.2",
    title_path=("Traffic", "Routes"),
    page_numbers=(3, 4),
    boxes=(BOX,),
    text_as_html="<table></table>",
    image_path="images/a.png",
)
HIT = Hit(chunk=CHUNK, doc="report.pdf", path="docs/report.pdf", score=0.71, matched="caption")
CITATION = Citation(
    number=1,
    citation_id="c1-0-8",
    chunk_id="c1",
    doc="report.pdf",
    path="docs/report.pdf",
    page=3,
    box=BOX.box,
    boxes=(BOX,),
    kind="table",
    title_path=("Traffic",),
    quote="H1 455.2",
    verified=True,
    cell=CellRef(row=5, column=2, header=("2024",)),
)


def test_a_hit_has_the_documented_shape():
    assert hit_json(HIT) == {
        "chunk_id": "c1",
        "doc": "report.pdf",
        "path": "docs/report.pdf",
        "page": 3,
        "pages": [3, 4],
        "kind": "table",
        "score": 0.71,
        "title_path": ["Traffic", "Routes"],
        "text": "H1 455.2",
        "text_as_html": "<table></table>",
        "image": "images/a.png",
        "matched": "caption",
        "boxes": [{"page": 3, "box": [72.0, 120.46, 523.0, 300.1]}],
    }


def test_a_citation_has_the_documented_shape():
    assert citation_json(CITATION) == {
        "number": 1,
        "citation_id": "c1-0-8",
        "chunk_id": "c1",
        "doc": "report.pdf",
        "path": "docs/report.pdf",
        "page": 3,
        "box": [72.0, 120.46, 523.0, 300.1],
        "boxes": [{"page": 3, "box": [72.0, 120.46, 523.0, 300.1]}],
        "kind": "table",
        "cell": {"row": 5, "column": 2, "header": ["2024"]},
        "title_path": ["Traffic"],
        "quote": "H1 455.2",
        "verified": True,
        "image": None,
        "url": None,
    }


def test_an_answer_has_the_documented_shape():
    answer = Answer(
        question="What?",
        text="It was 455.2 [1].",
        found=True,
        model="extractive",
        citations=(CITATION,),
        hits=(HIT,),
        timing={"retrieve": 0.04, "answer": 1.91},
    )
    assert answer_json(answer, session="s7") == {
        "question": "What?",
        "full_question": "What?",
        "answer": "It was 455.2 [1].",
        "found": True,
        "model": "extractive",
        "session": "s7",
        "citations": [citation_json(CITATION)],
        "unsupported": [],
        "clarify": None,
        "records": [],
        "computation": None,
        "notes": [],
        "results": [hit_json(HIT)],
        "timing": {"retrieve": 0.04, "answer": 1.91},
        "seconds": 1.95,
    }


def test_a_source_result_has_the_documented_shape_and_the_summary_counts_states():
    result = SourceResult(
        path="docs/report.pdf",
        state="ingested",
        pages=12,
        elements={"Title": 9},
        chunks=31,
        warnings=("w",),
        seconds=0.8,
    )
    assert result_json(result) == {
        "path": "docs/report.pdf",
        "state": "ingested",
        "reason": None,
        "pages": 12,
        "elements": {"Title": 9},
        "chunks": 31,
        "warnings": ["w"],
        "seconds": 0.8,
    }
    results = [result, result, SourceResult(path="b", state="failed"), SourceResult(path="c", state="partial", pages=1)]
    assert summary_json(results, 61.00049) == {
        "summary": {
            "ingested": 2,
            "unchanged": 0,
            "partial": 1,
            "skipped": 0,
            "failed": 1,
            "removed": 0,
            "pages": 25,
            "seconds": 61.0,
        }
    }


@pytest.fixture
def partition() -> Partition:
    cell = Cell(row=0, column=1, colspan=2, header=True, text="2024", page=3, box=BOX.box)
    element = Element(
        element_id="e1",
        category="Table",
        text="2024",
        page_number=3,
        boxes=(BOX,),
        text_as_html="<table></table>",
        cells=(cell,),
    )
    return Partition(
        elements=(element,),
        pages=(Page(page=3, width=595.276, height=841.89, ms=11.2, text_kept=0.998),),
        warnings=("w",),
    )


def test_a_partition_has_the_documented_shape(partition):
    shape = partition_json("a.pdf", partition)
    assert list(shape) == ["path", "pages", "elements", "warnings"]
    assert (shape["path"], shape["warnings"]) == ("a.pdf", ["w"])
    assert shape["pages"] == [
        {
            "page": 3,
            "width": 595.28,
            "height": 841.89,
            "rotation": 0,
            "tier": "fast",
            "reasons": [],
            "ms": 11.2,
            "text_kept": 0.998,
        }
    ]
    (element,) = shape["elements"]
    assert {name: element[name] for name in ("element_id", "category", "text", "page_number", "parent_id")} == {
        "element_id": "e1",
        "category": "Table",
        "text": "2024",
        "page_number": 3,
        "parent_id": None,
    }
    assert element["boxes"] == [{"page": 3, "box": [72.0, 120.46, 523.0, 300.1]}]
    assert element["cells"] == [
        {
            "row": 0,
            "column": 1,
            "rowspan": 1,
            "colspan": 2,
            "header": True,
            "text": "2024",
            "page": 3,
            "box": [72.0, 120.46, 523.0, 300.1],
        }
    ]


def test_every_shape_survives_json(partition):
    answer = Answer(question="?", text="not found", found=False, model="extractive", hits=(HIT,))
    for shape in (
        answer_json(answer),
        partition_json("a", partition),
        result_json(SourceResult(path="p", state="failed")),
    ):
        assert json.loads(json.dumps(shape)) == shape
