"""Captions of documents that flow: which lines are captions, and the table or picture that each belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.images import CAPTION, caption_kind

MAX_WORDS = 60
"""Words of a caption without a style that says so."""
_TEXTS = ("NarrativeText", "UncategorizedText", "Text", "Title")
_MARK = re.compile(r"\s*[:.\-\u2013\u2014|]")

Block = tuple[str, str]
"""The category and the text of an element."""


def unmarked_captions(blocks: Sequence[Block]) -> frozenset[int]:
    """The positions of lines next to a table or picture that open as its caption does: "Figure 2: ..."."""
    return frozenset(
        i
        for i, (category, text) in enumerate(blocks)
        if category in _TEXTS
        and opens_like_caption(text)
        and any(_neighbour(blocks, i, step, wanted_by(text)) is not None for step in (1, -1))
    )


def opens_like_caption(text: str) -> bool:
    """Whether a mark parts the number from the words, or they are too few for a sentence: not "Table 2 shows..."."""
    found = CAPTION.match(text)
    if found is None or len(text.split()) > MAX_WORDS:
        return False
    rest = text[found.end() :]
    return not rest.strip() or bool(_MARK.match(rest)) or (len(rest.split()) <= 8 and not rest.rstrip().endswith("."))


def caption_owners(blocks: Sequence[Block]) -> dict[int, int]:
    """The position of the table or picture of each caption: the neighbour of the kind that it names.

    Where both neighbours would do, the side decides on which more captions of that kind have one.
    """
    captions = {i: wanted_by(text) for i, (category, text) in enumerate(blocks) if category == "FigureCaption"}
    owners: dict[int, int] = {}
    for wanted in (("Table",), ("Image",), ("Image", "Table")):
        of_kind = [i for i, kinds in captions.items() if kinds == wanted]
        sides = [{i: _neighbour(blocks, i, step, wanted) for i in of_kind} for step in (1, -1)]
        below, above = (sum(owner is not None for owner in side.values()) for side in sides)
        if above > below or (above == below and wanted != ("Table",)):
            sides.reverse()
        for i in of_kind:
            found = (o for side in sides if (o := side[i]) is not None and o not in owners.values())
            owner = next(found, None)
            if owner is not None:
                owners[i] = owner
    return owners


def wanted_by(text: str) -> tuple[str, ...]:
    """The categories that a caption may belong to by its words."""
    kinds = {"table": ("Table",), "figure": ("Image",)}
    return kinds.get(caption_kind(text) or "", ("Image", "Table"))


def _neighbour(blocks: Sequence[Block], index: int, step: int, wanted: tuple[str, ...]) -> int | None:
    """The position of the next block on one side that is no caption, if it is of a wanted category."""
    at = index + step
    while 0 <= at < len(blocks) and blocks[at][0] == "FigureCaption":
        at += step
    return at if 0 <= at < len(blocks) and blocks[at][0] in wanted else None
