import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.errors import LibraryMissingError
from tests.retrievers.test_llama_index import HITS, HandMade

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def retriever_class():
    pytest.importorskip("langchain_core", reason="the extra langchain is not installed")
    from retrievers.langchain import PinciteRetriever

    return PinciteRetriever


def test_a_hit_becomes_a_document_with_its_place_and_score(retriever_class):
    first, table, picture = retriever_class(retriever=HandMade(HITS)).invoke("Why?")
    assert (first.id, first.page_content) == ("c1", HITS[0].chunk.text)
    assert first.metadata == {
        "chunk_id": "c1",
        "doc": "report.pdf",
        "path": "docs/report.pdf",
        "page": 3,
        "pages": [3, 4],
        "kind": "text",
        "title_path": "Year › Ramp",
        "boxes": [{"page": 3, "box": [72.0, 100.0, 300.0, 112.0]}],
        "matched": "text",
        "score": 0.75,
    }
    assert (table.page_content, table.metadata["text_as_html"]) == ("Item Cost\nHose 54,600", "<table></table>")
    assert (table.metadata["page"], picture.metadata["image"]) == (None, "images/a.png")
    assert [json.loads(json.dumps(document.metadata)) for document in (first, table, picture)]


def test_the_question_and_the_filters_reach_the_retriever(retriever_class):
    inner = HandMade(HITS)
    assert len(retriever_class(retriever=inner, k=2, doc="*.pdf", kind="table").invoke("What cost?")) == 2
    assert inner.asked == [("What cost?", 2, "*.pdf", "table")]


def test_it_is_a_step_of_a_chain(retriever_class):
    from langchain_core.prompts import PromptTemplate
    from langchain_core.runnables import RunnableLambda, RunnablePassthrough

    texts = retriever_class(retriever=HandMade(HITS), k=1) | RunnableLambda(lambda found: found[0].page_content)
    prompt = PromptTemplate.from_template("{context}\n\n{question}")
    chain = {"context": texts, "question": RunnablePassthrough()} | prompt
    assert chain.invoke("Why?").text == f"{HITS[0].chunk.text}\n\nWhy?"


def test_it_answers_asynchronously(retriever_class):
    found = asyncio.run(retriever_class(retriever=HandMade(HITS), k=1).ainvoke("Why?"))
    assert [document.id for document in found] == ["c1"]


def test_a_kind_that_there_is_not_is_refused(retriever_class):
    with pytest.raises(ValueError, match="kind"):
        retriever_class(retriever=HandMade(HITS), kind="sound")


def test_a_library_that_is_not_there_is_named(retriever_class, tmp_path):
    with pytest.raises(LibraryMissingError):
        retriever_class(library=tmp_path / "none")


def test_without_langchain_the_error_carries_the_install_line():
    code = (
        "import sys; sys.modules['langchain_core'] = None; import retrievers.langchain\n"
        "from ingest.errors import MissingExtraError\n"
        "try:\n    from retrievers.langchain import PinciteRetriever\n"
        "except MissingExtraError as exc:\n    sys.stdout.write(str(exc))"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown == "PinciteRetriever needs an optional package: run `pip install '.[langchain]'` in pincite's folder"


def test_importing_the_module_does_not_import_langchain():
    code = "import sys, retrievers.langchain; sys.stdout.write(str('langchain_core' in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown == "False"
