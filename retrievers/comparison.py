"""Questions that set things side by side: each side gets its turn, so that one does not crowd out the other.

Such a question is asked again for each of its sides alone ("How did dues differ between Halvane and Brackholm?" for
Halvane and for Brackholm), by rule; and the documents that it names come in turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ingest.types import Hit
from retrievers.query import SURE, Query

ABREAST = 2
"""Chunks of each of the documents that a question compares which are shown in turn."""
FOREMOST = 5
"""Among so many first places each side of a comparison has one: as many as are read or quoted."""
_COMPARES = re.compile(
    r"\b(?:compar\w+|versus|vs|between|differ\w*|both|than|respectively|vergl\w+|zwischen|unterschied\w*|entre"
    r"|diff[e\u00e9]r\w+|diferenc\w+)\b"
)
_SIDE = r"[^\s,;?]+(?:\s+[^\s,;?]+){0,3}?"
_END = r"(?=\s*[,;?.]|\s+(?:in|of|for|on|at|from|by|during|the|was|were|is|are|did|do|does|have|has)\b|$)"
_PAIRS = tuple(
    re.compile(pattern + _END, re.IGNORECASE)
    for pattern in (
        rf"\b(?:between|both|zwischen|entre)\s+({_SIDE})\s+(?:and|und|et|y)\s+({_SIDE})",
        rf"\bfrom\s+({_SIDE})\s+to\s+({_SIDE})",
        rf"(?<![^\s,;?])([^\s,;?]+)\s+(?:vs\.?|versus|compared\s+(?:to|with))\s+({_SIDE})",
    )
)
"""How a question names two sides, of up to four words; of what stands before "versus", one."""


def sides_of(question: str) -> list[str]:
    """The question for each of its two sides alone; none where it compares nothing by one of the usual turns."""
    for pattern in _PAIRS:
        if found := pattern.search(question):
            before, behind = question[: found.start()], question[found.end() :]
            return [" ".join(f"{before} {side} {behind}".split()) for side in found.groups()]
    return []


def compared(query: Query, said: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The documents that a question sets side by side: each has a word of its name in it that the others lack."""
    if not _COMPARES.search(query.asked.lower()):
        return []
    sure = {document: {word for word, weight in words.items() if weight >= SURE} for document, words in said.items()}
    apart = [d for d in sure if sure[d] and not any(sure[d] <= sure[other] for other in sure if other != d)]
    return apart if len(apart) > 1 else []


def in_turn(hits: Sequence[Hit], sources: Sequence[str]) -> list[Hit]:
    """The hits with the best of these sources in turn at their head, so that none crowds out the others.

    A hit's score becomes that of the place which it takes, so that scores still fall.
    """
    queues = [[hit for hit in hits if hit.chunk.source_id == source][:ABREAST] for source in sources]
    queues = sorted((queue for queue in queues if queue), key=lambda queue: hits.index(queue[0]))
    return _ahead(hits, [queue[turn] for turn in range(ABREAST) for queue in queues if turn < len(queue)])


def with_sides(hits: Sequence[Hit], sides: Sequence[Hit]) -> list[Hit]:
    """The hits with the best of each side among the first ``FOREMOST``; those that are not there take the last ones."""
    there = {hit.chunk.chunk_id for hit in hits[:FOREMOST]}
    missing = list({hit.chunk.chunk_id: hit for hit in sides if hit.chunk.chunk_id not in there}.values())
    return _ahead(hits, [*hits[: FOREMOST - len(missing)], *missing]) if missing else list(hits)


def _ahead(hits: Sequence[Hit], head: Sequence[Hit]) -> list[Hit]:
    """The hits with some at their head, with the scores of the places which they take."""
    moved = {hit.chunk.chunk_id for hit in head}
    order = [*head, *(hit for hit in hits if hit.chunk.chunk_id not in moved)]
    scores = [hit.score for hit in hits]
    scores += scores[-1:] * (len(order) - len(hits))
    return [replace(hit, score=score) for hit, score in zip(order, scores, strict=bool(hits))]
