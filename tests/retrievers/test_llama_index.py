import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.errors import LibraryMissingError
from ingest.types import Chunk, Hit, PageBox

ROOT = Path(__file__).resolve().parents[2]
BOX = PageBox(page=3, box=(72.0, 100.0, 300.0, 112.0))


def hit(chunk_id: str, text: str, **fields) -> Hit:
    chunk = Chunk(**{"chunk_id": chunk_id, "source_id": "s", "index": 0, "kind": "text", "text": text, **fields})
    return Hit(chunk=chunk, doc="report.pdf", path="docs/report.pdf", score=0.75, matched="text")


HITS = [
    hit(
        "c1",
        "The linkspan dropped because of a burst hydraulic hose.",
        page_numbers=(3, 4),
        title_path=("Year", "Ramp"),
        boxes=(BOX,),
    ),
    hit("c2", "Item Cost\nHose 54,600", kind="table", text_as_html="<table></table>"),
    hit("c3", "", kind="image", image_path="images/a.png"),
]


class HandMade:
    """A retriever that returns the hits that it was made with and keeps what it was asked."""

    def __init__(self, hits: list[Hit]) -> None:
        self.hits = hits
        self.asked: list[tuple] = []

    def retrieve(self, question, k=8, *, doc=None, kind=None):
        self.asked.append((question, k, doc, kind))
        return self.hits[:k]


@pytest.fixture(autouse=True)
def event_loop():
    """A loop that is closed: LlamaIndex makes one where none is set and leaves it open, which fails a later test."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="module")
def retriever_class():
    pytest.importorskip("llama_index.core", reason="the extra llamaindex is not installed")
    from retrievers.llama_index import PinciteRetriever

    return PinciteRetriever


def test_a_hit_becomes_a_node_with_its_place(retriever_class):
    first, table, picture = retriever_class(retriever=HandMade(HITS)).retrieve("Why?")
    assert (first.node.node_id, first.score, first.text) == ("c1", 0.75, HITS[0].chunk.text)
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
    }
    assert (table.text, table.metadata["text_as_html"]) == ("Item Cost\nHose 54,600", "<table></table>")
    assert (table.metadata["page"], picture.metadata["image"]) == (None, "images/a.png")
    assert [json.loads(json.dumps(node.metadata)) for node in (first, table, picture)]


def test_models_see_the_document_page_and_headings_but_no_boxes(retriever_class):
    from llama_index.core.schema import MetadataMode

    first, table, _ = (n.node for n in retriever_class(retriever=HandMade(HITS)).retrieve("Why?"))
    above = "doc: report.pdf\npage: 3\ntitle_path: Year › Ramp\n\n"
    assert first.get_content(MetadataMode.LLM) == first.get_content(MetadataMode.EMBED) == above + first.text
    assert table.get_content(MetadataMode.LLM) == f"doc: report.pdf\n\n{table.text}"


def test_the_question_and_the_filters_reach_the_retriever(retriever_class):
    inner = HandMade(HITS)
    assert len(retriever_class(retriever=inner, k=2, doc="*.pdf", kind="table").retrieve("What cost?")) == 2
    assert inner.asked == [("What cost?", 2, "*.pdf", "table")]


def test_a_library_that_is_not_there_is_named(retriever_class, tmp_path):
    with pytest.raises(LibraryMissingError):
        retriever_class(tmp_path / "none")


def test_a_citation_query_engine_answers_with_pages(retriever_class):
    from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
    from llama_index.core.llms.callbacks import llm_completion_callback
    from llama_index.core.query_engine import CitationQueryEngine

    class Echo(CustomLLM):
        """Says the first passage that it is shown, and that it has it from there."""

        @property
        def metadata(self):
            return LLMMetadata()

        @llm_completion_callback()
        def complete(self, prompt, formatted=False, **options):
            shown = prompt.rpartition("Source 1:\n")[2].partition("\n\n")[0]
            return CompletionResponse(text=f"{shown.splitlines()[-1]} [1]")

        @llm_completion_callback()
        def stream_complete(self, prompt, formatted=False, **options):
            yield self.complete(prompt)

    long = hit("long", " ".join(["The hose burst in the cold."] * 150), page_numbers=(7,))
    retriever = retriever_class(retriever=HandMade([HITS[0], long]))
    engine = CitationQueryEngine.from_args(index=None, retriever=retriever, llm=Echo(), citation_chunk_size=2048)
    answer = engine.query("Why did the linkspan drop?")
    assert str(answer) == "The linkspan dropped because of a burst hydraulic hose. [1]"
    assert [(n.metadata["page"], n.metadata["chunk_id"]) for n in answer.source_nodes] == [(3, "c1"), (7, "long")]
    assert answer.source_nodes[0].metadata["boxes"] == [{"page": 3, "box": [72.0, 100.0, 300.0, 112.0]}]


@pytest.mark.parametrize("engine", ["query", "chat"])
def test_other_engines_give_their_model_the_chunks_and_return_them_as_sources(retriever_class, engine):
    from llama_index.core.chat_engine import CondensePlusContextChatEngine
    from llama_index.core.llms import MockLLM
    from llama_index.core.memory import ChatMemoryBuffer
    from llama_index.core.query_engine import RetrieverQueryEngine

    retriever = retriever_class(retriever=HandMade(HITS[:1]))
    if engine == "query":
        answer = RetrieverQueryEngine.from_args(retriever, llm=MockLLM()).query("Why did the linkspan drop?")
    else:
        # Its default memory is a SQLite database that it never closes.
        memory = ChatMemoryBuffer.from_defaults(token_limit=1000)
        chat = CondensePlusContextChatEngine.from_defaults(retriever, llm=MockLLM(), memory=memory)
        answer = chat.chat("Why did it drop?")
    assert HITS[0].chunk.text in str(answer)
    assert [node.metadata["chunk_id"] for node in answer.source_nodes] == ["c1"]


def test_without_llama_index_the_error_carries_the_install_line():
    code = (
        "import sys; sys.modules['llama_index'] = None; import retrievers.llama_index\n"
        "from ingest.errors import MissingExtraError\n"
        "try:\n    from retrievers.llama_index import PinciteRetriever\n"
        "except MissingExtraError as exc:\n    sys.stdout.write(str(exc))"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown == "PinciteRetriever needs an optional package: run `pip install '.[llamaindex]'` in pincite's folder"


def test_importing_the_module_does_not_import_llama_index():
    code = "import sys, retrievers.llama_index; sys.stdout.write(str('llama_index' in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown == "False"
