"""The tree of headings: which heading an element stands under."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ingest.types import Element

_NUMBER = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,5})\.?\s+\D")


def nest_under_headings(elements: Iterable[Element]) -> list[Element]:
    """The elements with ``parent_id`` set to the nearest heading above, for a heading to the one above its level.

    A ``parent_id`` that is already set stays.
    """
    open_headings: list[Element] = []
    out: list[Element] = []
    for element in elements:
        depth = element.category_depth or 0
        if element.category == "Title":
            open_headings = [h for h in open_headings if (h.category_depth or 0) < depth]
        parent = open_headings[-1].element_id if open_headings else None
        out.append(element if element.parent_id else replace(element, parent_id=parent))
        if element.category == "Title":
            open_headings.append(element)
    return out


def with_numbered_levels(elements: Sequence[Element]) -> list[Element]:
    """The elements with headings such as "2.1" no higher than one level below those such as "2".

    The size of a heading's letters tells its level less surely than its number does.
    """
    parts = {id(e): _count_parts(e) for e in elements if e.category == "Title"}
    tops = [e.category_depth or 0 for e in elements if parts.get(id(e)) == 1]
    if not tops:
        return list(elements)
    top = min(tops)
    return [
        replace(e, category_depth=max(e.category_depth or 0, top + parts[id(e)] - 1)) if parts.get(id(e)) else e
        for e in elements
    ]


def _count_parts(heading: Element) -> int:
    found = _NUMBER.match(heading.text)
    return found[1].count(".") + 1 if found else 0
