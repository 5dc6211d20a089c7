"""What the styles of an OpenDocument file say of its paragraphs, letters, lists and pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ingest.partition.opendocument_markup import FO, STYLE, TEXT, length

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]


class Styles:
    """What the styles of a document say of its paragraphs and letters."""

    def __init__(self, roots: Iterable[_Element]) -> None:
        self._by_name: dict[tuple[str, str], _Element] = {}
        self._defaults: dict[str, _Element] = {}
        self._lists: dict[str, _Element] = {}
        for root in roots:
            for node in root.iter(f"{STYLE}style"):
                self._by_name[node.get(f"{STYLE}family", ""), node.get(f"{STYLE}name", "")] = node
            self._lists.update((n.get(f"{STYLE}name", ""), n) for n in root.iter(f"{TEXT}list-style"))
            for node in root.iter(f"{STYLE}default-style"):
                self._defaults.setdefault(node.get(f"{STYLE}family", ""), node)

    def chain(self, family: str, name: str) -> Iterator[_Element]:
        """A style and those that it is made from, the nearest first, then the default."""
        for _ in range(20):
            node = self._by_name.get((family, name))
            if node is None:
                break
            yield node
            name = node.get(f"{STYLE}parent-style-name", "")
        if family in self._defaults:
            yield self._defaults[family]

    def names(self, name: str) -> list[str]:
        """The shown names of a paragraph's style and of those below it, in lower case."""
        nodes = self.chain("paragraph", name)
        return [(n.get(f"{STYLE}display-name") or n.get(f"{STYLE}name") or "").lower() for n in nodes]

    def outline(self, name: str) -> int | None:
        """The outline level that a paragraph's style gives, from 0."""
        marks = (n.get(f"{STYLE}default-outline-level") for n in self.chain("paragraph", name))
        level = next((m for m in marks if m), "")
        return int(level) - 1 if level.isdecimal() and level != "0" else None

    def numbering(self, name: str, depth: int) -> _Element | None:
        """How a list counts at a depth, if it does so by plain numbers."""
        found = self._lists.get(name)
        levels = [] if found is None else found.iterchildren(f"{TEXT}list-level-style-number")
        wanted = (n for n in levels if n.get(f"{TEXT}level") == str(depth + 1) and n.get(f"{STYLE}num-format") == "1")
        return next(wanted, None)

    def letters(self, family: str, name: str) -> tuple[bool | None, float | None]:
        """Whether a style sets letters in bold, and their size in points; ``None`` where it says nothing."""
        bold, size = None, None
        for node in self.chain(family, name):
            form = node.find(f"{STYLE}text-properties")
            if form is None:
                continue
            weight = form.get(f"{FO}font-weight")
            if bold is None and weight:
                bold = weight == "bold" or (weight.isdecimal() and int(weight) >= 600)
            if size is None:
                size = length(form.get(f"{FO}font-size", ""))
        return bold, size


def page_size(styles: _Element) -> tuple[float, float]:
    """Width and height of the first page layout in points; zeros where there is none."""
    form = next(styles.iter(f"{STYLE}page-layout-properties"), None)
    if form is None:
        return 0.0, 0.0
    return length(form.get(f"{FO}page-width", "")) or 0.0, length(form.get(f"{FO}page-height", "")) or 0.0
