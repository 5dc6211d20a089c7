"""The library as a retriever of LangChain, for its chains and agents.

``from retrievers.langchain import PinciteRetriever`` needs the extra ``langchain`` and imports ``langchain_core``,
which takes a second; nothing else imports this module::

    documents = PinciteRetriever(library="manuals", k=5).invoke("Which valve leaks?")

LangChain sends what runs through a chain to LangSmith when ``LANGSMITH_TRACING`` is set; it is not unless you set it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ingest.errors import MissingExtraError
from ingest.types import Hit, Kind
from retrievers.multi_vector import MultiVectorRetriever, Retriever
from retrievers.shapes import place_json

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    from ingest.library import Library

    class PinciteRetriever(BaseRetriever):
        """A retriever of LangChain whose documents are chunks, with file, page and boxes in their metadata."""

        k: int
        doc: str | None
        kind: Kind | None

        def __init__(
            self,
            *,
            library: Library | str | Path | None = None,
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


def __getattr__(name: str) -> object:
    """Make the class when it is first asked for, as its base class is slow to import and optional.

    Raises:
        MissingExtraError: LangChain is not installed.
    """
    if name != "PinciteRetriever":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _retriever_class()


@cache
def _retriever_class() -> type[BaseRetriever]:
    try:
        from langchain_core.retrievers import BaseRetriever
    except ModuleNotFoundError as exc:
        raise MissingExtraError("langchain", "PinciteRetriever") from exc

    class PinciteRetriever(BaseRetriever):
        library: Any = None
        retriever: Any = None
        k: int = 8
        doc: str | None = None
        kind: Kind | None = None

        def model_post_init(self, _context: object, /) -> None:
            if self.retriever is None:
                self.retriever = MultiVectorRetriever(self.library)

        def _get_relevant_documents(self, query: str, *, run_manager: object) -> list[Document]:  # noqa: ARG002
            return [to_document(hit) for hit in self.retriever.retrieve(query, self.k, doc=self.doc, kind=self.kind)]

    PinciteRetriever.__doc__ = "A retriever of LangChain whose documents are chunks, with file, page and boxes."
    PinciteRetriever.__module__, PinciteRetriever.__qualname__ = __name__, "PinciteRetriever"
    return PinciteRetriever


def to_document(hit: Hit) -> Document:
    """A hit as a document: the chunk's text, and in ``metadata`` where it stands and its score.

    ``metadata`` is what ``shapes.place_json`` gives, and ``score``.
    """
    from langchain_core.documents import Document

    return Document(id=hit.chunk.chunk_id, page_content=hit.chunk.text, metadata=place_json(hit) | {"score": hit.score})
