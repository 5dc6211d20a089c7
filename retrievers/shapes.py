"""The JSON shapes that scripts rely on: hits, answers, ingest results, partitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ingest.types import Answer, BoundingBox, Cell, Citation, Element, Hit, PageBox, Partition, SourceResult

JSON = dict[str, Any]


def hit_json(hit: Hit) -> JSON:
    """A hit of ``search``."""
    chunk = hit.chunk
    return {
        "chunk_id": chunk.chunk_id,
        "doc": hit.doc,
        "path": hit.path,
        "page": chunk.page_numbers[0] if chunk.page_numbers else None,
        "pages": list(chunk.page_numbers),
        "kind": chunk.kind,
        "score": hit.score,
        "title_path": list(chunk.title_path),
        "text": chunk.text,
        "text_as_html": chunk.text_as_html,
        "image": chunk.image_path,
        "matched": hit.matched,
        "boxes": boxes_json(chunk.boxes),
    }


def place_json(hit: Hit) -> JSON:
    """Where a hit stands, flat, as the metadata that other libraries keep beside a text.

    The keys are ``chunk_id``, ``doc``, ``path``, ``page``, ``pages``, ``kind``, ``title_path`` (joined), ``boxes`` (a
    list of ``{"page", "box"}`` in points from the top left), ``matched``, and of a table ``text_as_html``, of a picture
    ``image``. All values can be written as JSON.
    """
    whole = hit_json(hit)
    place = {name: value for name, value in whole.items() if name not in {"score", "text"}}
    place["title_path"] = " › ".join(hit.chunk.title_path)
    return {name: value for name, value in place.items() if value is not None or name == "page"}


def answer_json(answer: Answer, session: str | None = None) -> JSON:
    """An answer of ``ask``."""
    return {
        "question": answer.question,
        "full_question": answer.full_question or answer.question,
        "answer": answer.text,
        "found": answer.found,
        "model": answer.model,
        "session": session,
        "citations": [citation_json(c) for c in answer.citations],
        "unsupported": list(answer.unsupported),
        "clarify": answer.clarify,
        "records": [asdict(record) for record in answer.records],
        "computation": asdict(answer.computation) if answer.computation else None,
        "notes": list(answer.notes),
        "results": [hit_json(h) for h in answer.hits],
        "timing": dict(answer.timing),
        "seconds": round(sum(answer.timing.values()), 4),
    }


def citation_json(citation: Citation) -> JSON:
    """A citation of an answer."""
    cell = citation.cell
    return {
        "number": citation.number,
        "citation_id": citation.citation_id,
        "chunk_id": citation.chunk_id,
        "doc": citation.doc,
        "path": citation.path,
        "page": citation.page,
        "box": _box(citation.box),
        "boxes": boxes_json(citation.boxes),
        "kind": citation.kind,
        "cell": {"row": cell.row, "column": cell.column, "header": list(cell.header)} if cell else None,
        "title_path": list(citation.title_path),
        "quote": citation.quote,
        "verified": citation.verified,
        "image": citation.image,
        "url": citation.url,
    }


def result_json(result: SourceResult) -> JSON:
    """One source's line of ``ingest`` or ``status``."""
    shape = asdict(result)
    return {**shape, "elements": dict(result.elements), "warnings": list(result.warnings)}


def summary_json(results: Iterable[SourceResult], seconds: float) -> JSON:
    """The closing line of ``ingest``."""
    counts = dict.fromkeys(("ingested", "unchanged", "partial", "skipped", "failed", "removed"), 0)
    pages = 0
    for result in results:
        counts[result.state] += 1
        pages += result.pages or 0
    return {"summary": {**counts, "pages": pages, "seconds": round(seconds, 3)}}


def partition_json(path: str, partition: Partition) -> JSON:
    """A partition of ``partition --format json``."""
    return {
        "path": path,
        "pages": [
            {
                "page": p.page,
                "width": round(p.width, 2),
                "height": round(p.height, 2),
                "rotation": p.rotation,
                "tier": p.tier,
                "reasons": list(p.reasons),
                "ms": p.ms,
                "text_kept": p.text_kept,
            }
            for p in partition.pages
        ],
        "elements": [element_json(e) for e in partition.elements],
        "warnings": list(partition.warnings),
    }


def element_json(element: Element) -> JSON:
    """An element of a partition."""
    return {
        "element_id": element.element_id,
        "category": element.category,
        "text": element.text,
        "page_number": element.page_number,
        "boxes": boxes_json(element.boxes),
        "parent_id": element.parent_id,
        "category_depth": element.category_depth,
        "text_as_html": element.text_as_html,
        "image_path": element.image_path,
        "confidence": element.confidence,
        "summary": element.summary,
        "cells": [_cell_json(c) for c in element.cells],
    }


def _cell_json(cell: Cell) -> JSON:
    return {
        "row": cell.row,
        "column": cell.column,
        "rowspan": cell.rowspan,
        "colspan": cell.colspan,
        "header": cell.header,
        "text": cell.text,
        "page": cell.page,
        "box": _box(cell.box),
    }


def boxes_json(boxes: Iterable[PageBox]) -> list[Mapping[str, Any]]:
    """Boxes with their pages, rounded to a hundredth of a point."""
    return [{"page": b.page, "box": _box(b.box)} for b in boxes]


def _box(box: BoundingBox | None) -> list[float] | None:
    return [round(v, 2) for v in box] if box else None
