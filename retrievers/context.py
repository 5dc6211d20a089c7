"""What stands around hits, for a model that reads them: a passage alone often lacks what it speaks of.

Each piece of context is a passage of its own, with its own number in the prompt, so that what a model takes from it is
cited and checked like everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from ingest.library import Library
from ingest.types import Chunk, Hit

SECTION = 3_000
"""Characters of a section that is given whole; of a longer one, what stands before and behind the hit."""
REACH = 8
"""Chunks before and behind a hit that are looked at."""
FOLLOWED = 4
"""Hits whose surroundings are given: the first ones, as room is limited."""


def with_context(hits: Sequence[Hit], library: Library) -> list[Hit]:
    """The hits, each text once, and behind them what stands around the first of them."""
    found: dict[str, Hit] = {}
    for hit in hits:
        found.setdefault(_content(hit.chunk), hit)
    distinct = list(found.values())
    for hit in distinct[:FOLLOWED]:
        for chunk in context_of(hit, library):
            found.setdefault(
                _content(chunk), Hit(chunk=chunk, doc=hit.doc, path=hit.path, score=0.0, matched="context")
            )
    return list(found.values())


def context_of(hit: Hit, library: Library) -> list[Chunk]:
    """The chunks around a hit that belong to it, in reading order.

    Of a text the rest of its section where that is short, else its neighbours there; of a part of a table the other
    parts; of a picture the text of its page.
    """
    own = hit.chunk
    places = library.places
    keys = places.keys_between(own.source_id, own.index - REACH, own.index + REACH)
    near = sorted(library.chunks(keys).values(), key=lambda chunk: chunk.index)
    if own.kind == "table":
        return [chunk for chunk in near if chunk.index != own.index and set(chunk.element_ids) & set(own.element_ids)]
    if own.kind == "image":
        pages = set(own.page_numbers)
        return [chunk for chunk in near if chunk.kind == "text" and pages & set(chunk.page_numbers)]
    section = _run_around(own, near)
    if sum(len(chunk.text) for chunk in section) > SECTION:
        section = [chunk for chunk in section if abs(chunk.index - own.index) == 1]
    return [chunk for chunk in section if chunk.index != own.index]


def _run_around(own: Chunk, near: Sequence[Chunk]) -> list[Chunk]:
    """The chunks that stand with this one under the same heading, without a gap."""
    before = [chunk for chunk in near if chunk.index < own.index]
    behind = [chunk for chunk in near if chunk.index > own.index]
    return [*reversed(_while_under(own, reversed(before))), own, *_while_under(own, behind)]


def _while_under(own: Chunk, chunks: Iterable[Chunk]) -> list[Chunk]:
    return list(takewhile(lambda chunk: chunk.title_path == own.title_path, chunks))


def _content(chunk: Chunk) -> str:
    return f"{chunk.kind} {' '.join(chunk.text.split())}"
