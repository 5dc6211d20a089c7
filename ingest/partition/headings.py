"""The tree of headings: which heading an element stands under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ingest.types import Element


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
