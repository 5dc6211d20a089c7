"""What of a document can be chunked: elements with the headings above them, captions with what they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.chunk_text import clean
from ingest.types import Element

FURNITURE = frozenset({"Header", "Footer", "PageNumber", "PageBreak"})
"""Categories of what is printed on a page without being part of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A Title element: its place, its level from 0 and its text."""

    place: int
    level: int
    text: str
    has_depth: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An element, its cleaned text, its place in the document and the headings above it (its own included)."""

    place: int
    element: Element
    text: str
    path: tuple[Heading, ...]

    @property
    def is_title(self) -> bool:
        """Whether it is a heading."""
        return self.element.category == "Title"

    @property
    def is_table(self) -> bool:
        """Whether it is a table."""
        return self.element.category == "Table"


def read_items(elements: Iterable[Element]) -> list[Item]:
    """What can be chunked: no page furniture, and nothing empty but tables and pictures."""
    items: list[Item] = []
    path: tuple[Heading, ...] = ()
    for element in elements:
        text = clean(element)
        if element.category in FURNITURE or not (text or element.category in {"Table", "Image"}):
            continue
        if element.category == "Title":
            path = _path_with(path, element, len(items), text)
        items.append(Item(place=len(items), element=element, text=text, path=path))
    return items


def _path_with(path: tuple[Heading, ...], title: Element, place: int, text: str) -> tuple[Heading, ...]:
    """The path below a new heading. One without depth stands beside the last such one, else below the innermost."""
    level = title.category_depth
    if level is None:
        beside = [heading.level for heading in path if not heading.has_depth]
        level = beside[-1] if beside else path[-1].level + 1 if path else 0
    above = tuple(heading for heading in path if heading.level < level)
    return (*above, Heading(place=place, level=level, text=text, has_depth=title.category_depth is not None))


def bind_captions(items: Sequence[Item]) -> dict[int, list[Item]]:
    """The captions of each table and picture, by its place: those that name it as parent, else those beside it."""
    targets = {item.element.element_id: item.place for item in items if item.element.category in {"Table", "Image"}}
    captions: dict[int, list[Item]] = {}
    for item in items:
        if item.element.category == "FigureCaption":
            place = targets.get(item.element.parent_id or "", _beside(items, item))
            if place is not None:
                captions.setdefault(place, []).append(item)
    return captions


def _beside(items: Sequence[Item], caption: Item) -> int | None:
    """The place of the table or picture next to a caption: tables have theirs mostly above, pictures below."""
    above = items[caption.place - 1] if caption.place else None
    below = items[caption.place + 1] if caption.place + 1 < len(items) else None
    of_table = caption.text.lower().startswith("table")
    order = [(below, "Table"), (above, "Table")] if of_table else []
    order += [(above, "Image"), (below, "Image")]
    return next((item.place for item, category in order if item and item.element.category == category), None)
