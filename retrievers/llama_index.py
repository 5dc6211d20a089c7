"""The library as a retriever of LlamaIndex, for its query and chat engines.

``from retrievers.llama_index import PinciteRetriever`` needs the extra ``llamaindex`` and imports ``llama_index.core``,
which takes seconds; nothing else imports this module::

    engine = CitationQueryEngine.from_args(index=None, retriever=PinciteRetriever("manuals"), llm=llm)

LlamaIndex needs no network for this: the data of its sentence splitter and tokenizer come in its wheel. Only its
default model does, so always pass ``llm``. ``CitationQueryEngine`` cuts a chunk into sources of 512 tokens; pass
``citation_chunk_size=2048`` to keep a chunk as one source, so that the boxes in its metadata are those of its text.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ingest.errors import MissingExtraError
from ingest.types import Hit, Kind
from retrievers.multi_vector import MultiVectorRetriever, Retriever
from retrievers.shapes import place_json

if TYPE_CHECKING:
    from pathlib import Path

    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle

    from ingest.library import Library

SHOWN_TO_MODELS = ("doc", "page", "title_path")
"""The metadata that stand above a text when it is shown to a model or embedded; the others serve the reader."""


class _Retrieving:
    """What a ``PinciteRetriever`` adds to LlamaIndex's base class."""

    def __init__(
        self,
        library: Library | str | Path | None = None,
        *,
        retriever: Retriever | None = None,
        k: int = 8,
        doc: str | None = None,
        kind: Kind | None = None,
    ) -> None:
        """``k`` hits from a library, found as the command line does if none is named, or from another retriever.

        ``doc`` is a glob over file names and paths, ``kind`` one of ``text``, ``table`` and ``image``.

        Raises:
            LibraryMissingError: there is no library.
        """
        super().__init__()
        self.retriever: Retriever = MultiVectorRetriever(library) if retriever is None else retriever
        self.k = k
        self.doc = doc
        self.kind = kind

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self.retriever.retrieve(query_bundle.query_str, self.k, doc=self.doc, kind=self.kind)
        return [to_node(hit) for hit in hits]


if TYPE_CHECKING:

    class PinciteRetriever(_Retrieving, BaseRetriever):
        """A retriever of LlamaIndex whose nodes are chunks, with file, page and boxes in their metadata."""


def __getattr__(name: str) -> object:
    """Make the class when it is first asked for, as its base class is slow to import and optional.

    Raises:
        MissingExtraError: LlamaIndex is not installed.
    """
    if name != "PinciteRetriever":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _retriever_class()


@cache
def _retriever_class() -> type[BaseRetriever]:
    try:
        from llama_index.core.base.base_retriever import BaseRetriever
    except ModuleNotFoundError as exc:
        raise MissingExtraError("llamaindex", "PinciteRetriever") from exc

    return type(
        "PinciteRetriever",
        (_Retrieving, BaseRetriever),
        {
            "__module__": __name__,
            "__doc__": "A retriever of LlamaIndex whose nodes are chunks, with file, page and boxes in their metadata.",
            # In the class itself, where LlamaIndex looks for the method to trace.
            "_retrieve": _Retrieving._retrieve,  # noqa: SLF001 (the same class)
        },
    )


def to_node(hit: Hit) -> NodeWithScore:
    """A hit as a node with its score: the chunk's text, and where it stands.

    ``metadata`` is what ``shapes.place_json`` gives.
    """
    from llama_index.core.schema import NodeWithScore, TextNode

    known = place_json(hit)
    shown = {name for name in SHOWN_TO_MODELS if known.get(name)}
    unseen = sorted(set(known) - shown)
    node = TextNode(
        id_=hit.chunk.chunk_id,
        text=hit.chunk.text,
        metadata=known,
        excluded_llm_metadata_keys=unseen,
        excluded_embed_metadata_keys=unseen,
    )
    return NodeWithScore(node=node, score=hit.score)
