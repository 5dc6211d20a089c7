"""From a question to a cited answer: retrieve, answer, cite."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.types import Answer, Citation, Hit
    from retrievers.answer import answer
    from retrievers.multi_vector import MultiVectorRetriever

__all__ = ["Answer", "Citation", "Hit", "MultiVectorRetriever", "answer"]

_HOMES = {
    "MultiVectorRetriever": "retrievers.multi_vector",
    "answer": "retrievers.answer",
    "Answer": "ingest.types",
    "Citation": "ingest.types",
    "Hit": "ingest.types",
}


def __getattr__(name: str) -> object:
    """Import public names when first used, so that ``import retrievers`` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'retrievers' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
