"""What an ingest report says of each source and page, as JSON values; the page itself builds its elements as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.library import Library, SourceRecord
from ingest.pipeline import library_status
from ingest.types import BoundingBox, Element, Page, PageBox, Partition, SourceResult

JSON = dict[str, Any]
PART = 40
"""Pages of a source that are handed over together: a reader of one page waits for no more."""
LEAVES_OUT = "the boxes lie on empty sheets with the stored text beside them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One row of a report: how a path stands, and its stored source, if it holds one."""

    result: SourceResult
    record: SourceRecord | None


def told(library: Library, selects: Callable[[str], bool]) -> list[Told]:
    """The rows of the paths that are selected, by path."""
    records = {record.id: record for record in library.sources()}
    ids = {library.shown(path): source_id for source_id, path in library.documents()}
    return [
        Told(result=result, record=records.get(ids.get(result.path, "")))
        for result in sorted(library_status(library), key=lambda result: result.path)
        if selects(result.path)
    ]


def source_json(row: Told, number: int, partition: Partition, *, pages: int | None, undrawn: str) -> JSON:
    """A source's row, with what is known of each page without its elements; ``pages`` is how many are told of."""
    shown = list(pages_of(partition))
    kept = [page.text_kept for page in partition.pages if page.text_kept is not None]
    by_page = elements_by_page(partition)
    listed = [_page_json(page, by_page.get(page.page, ()), i // PART) for i, page in enumerate(shown[:pages])]
    return {
        "id": f"s{number}",
        "anchor": f"source-{number}",
        "path": row.result.path,
        "state": row.result.state,
        "reason": row.result.reason,
        "lost": list(row.result.warnings),
        "seconds": row.result.seconds,
        "kept": sum(kept) / len(kept) if kept else None,
        "undrawn": undrawn,
        "left": max(0, len(shown) - len(listed)),
        "pages": listed,
    }


def bare_row(row: Told, number: int) -> JSON:
    """The row of a path that holds no source, such as one that failed."""
    return source_json(row, number, Partition(elements=()), pages=0, undrawn="")


def pages_of(partition: Partition) -> Iterator[Page]:
    """The pages of a partition; what has no page stands on page 0, which is of no size."""
    yield from partition.pages
    numbers = {page.page for page in partition.pages}
    if any((element.page_number or 0) not in numbers for element in partition.elements):
        yield Page(page=0, width=0.0, height=0.0, tier="")


def elements_by_page(partition: Partition) -> Mapping[int, Sequence[Element]]:
    """The elements that stand on each page, in reading order; one that goes on over pages stands on each of them."""
    numbers = {page.page for page in partition.pages}
    found: dict[int, list[Element]] = {}
    for element in partition.elements:
        own = {element.page_number or 0, *(box.page for box in element.boxes)} & numbers
        for number in own or {0}:
            found.setdefault(number, []).append(element)
    return found


def _page_json(page: Page, elements: Sequence[Element], part: int) -> JSON:
    return {
        "page": page.page,
        "part": part,
        "width": round(page.width, 2),
        "height": round(page.height, 2),
        "tier": page.tier,
        "reasons": list(page.reasons),
        "ms": page.ms,
        "kept": page.text_kept,
        "counts": dict(Counter(element.category for element in elements)),
    }


def page_elements_json(
    page: Page, elements: Sequence[Element], picture: str | None, pictures: Mapping[str, str]
) -> JSON:
    """A page's elements; ``picture`` is where its picture is, ``pictures`` where those of its elements are, by path."""
    return {
        "page": page.page,
        "picture": picture,
        "elements": [_element_json(element, page.page, pictures) for element in elements],
    }


def _element_json(element: Element, page: int, pictures: Mapping[str, str]) -> JSON:
    is_own = page in (0, element.page_number)
    return {
        "category": element.category,
        "text": element.text,
        "boxes": [_rounded(box.box) for box in _boxes(element, page)],
        "confidence": element.confidence,
        "summary": element.summary,
        "continued": None if is_own else element.page_number,
        "picture": pictures.get(element.image_path or "") if is_own else None,
        "cells": [
            [cell.row, cell.column, cell.rowspan, cell.colspan, cell.header, cell.text]
            for cell in sorted(element.cells, key=lambda cell: (cell.row, cell.column))
            if is_own or cell.page == page
        ],
    }


def _boxes(element: Element, page: int) -> list[PageBox]:
    return [box for box in element.boxes if box.page == page]


def _rounded(box: BoundingBox) -> list[float]:
    return [round(value, 1) for value in box]


def totals(rows: Sequence[Told], counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """What stands above the sources: names and values."""
    states = Counter(row.result.state for row in rows)
    stored = {row.record.id: row for row in rows if row.record is not None}.values()
    pages = sum(row.result.pages or 0 for row in stored)
    elements = Counter[str]()
    for row in stored:
        elements.update(row.result.elements)
    seconds = sum(row.result.seconds for row in stored)
    said = [("sources", len(rows)), *sorted(states.items()), ("pages", pages), ("elements", sum(elements.values()))]
    said += [(f"{name.lower()}s", elements[name]) for name in ("Table", "Image") if elements[name]]
    said += [("chunks", counts["chunks"])] if "chunks" in counts else []
    return [(name, f"{value:,}") for name, value in said] + [("seconds", f"{seconds:,.1f}")]
