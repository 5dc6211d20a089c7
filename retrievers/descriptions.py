"""What a vision model says of pictures, told beside an answer and named as what it is: never quoted, never cited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingest.library import Library
from ingest.types import Answer, Hit

DESCRIBED = 2
"""Descriptions that are told, at most."""
CHARACTERS = 600


def description_notes(found: Answer, hits: Sequence[Hit], library: Library) -> tuple[str, ...]:
    """Where nothing was found in the documents' own words: the descriptions by which pictures were, best first."""
    if found.found:
        return ()
    return tuple(_notes([h for h in hits if h.chunk.kind == "image" and h.matched == "summary"][:DESCRIBED], library))


def _notes(hits: Sequence[Hit], library: Library) -> Iterator[str]:
    for hit in hits:
        said = next((e.summary for e in library.elements(hit.chunk.element_ids) if e.summary), "")
        if said:
            shown = "".join(ch if ch.isprintable() else " " for ch in said[:CHARACTERS])
            place = f" on page {hit.chunk.page_numbers[0]}" if hit.chunk.page_numbers else ""
            yield f"not the document's words: a model describes the picture{place} of {hit.doc} as \u201c{shown}\u201d"
