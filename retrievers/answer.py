"""From a question to an answer with citations, by whatever chat model is there, or by quotes alone."""

from __future__ import annotations

import time

from ingest.types import Answer, Citation
from retrievers.citations import cite
from retrievers.extractive import Evidence, find_evidence, read_question
from retrievers.multi_vector import MultiVectorRetriever

NOT_FOUND = "not found in these documents"
EXTRACTIVE = "extractive"
HITS = 8


def answer(
    question: str,
    *,
    retriever: MultiVectorRetriever | None = None,
    model: str | None = None,
    k: int = HITS,
    doc: str | None = None,
) -> Answer:
    """Answer a question from the retriever's library; every statement carries a citation.

    ``model`` is ``"extractive"`` (verbatim quotes, no model). ``found`` is false when nothing supports an answer.
    """
    started = time.perf_counter()
    retriever = retriever or MultiVectorRetriever()
    hits = retriever.retrieve(question, k, doc=doc)
    retrieved = time.perf_counter()
    with retriever.library.snapshot():
        evidence = find_evidence(read_question(question, retriever.library), hits, retriever.library)
        citations = tuple(
            cite(retriever.library, e.hit, e.start, e.end, number, cell=e.cell) for number, e in enumerate(evidence, 1)
        )
    text = " ".join(_sentence(e, c) for e, c in zip(evidence, citations, strict=True)) or NOT_FOUND
    timing = {"retrieve": round(retrieved - started, 4), "answer": round(time.perf_counter() - retrieved, 4)}
    return Answer(
        question=question,
        text=text,
        found=bool(citations),
        model=model or EXTRACTIVE,
        citations=citations,
        hits=tuple(hits),
        timing=timing,
    )


def _sentence(evidence: Evidence, citation: Citation) -> str:
    text = " ".join(evidence.said.split())
    mark = f"[{citation.number}]"
    if text[-1:] in ".!?\u2026":
        return f"{text[:-1].rstrip()} {mark}{text[-1]}"
    return f"{text} {mark}."
