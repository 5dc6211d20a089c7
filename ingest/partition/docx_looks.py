"""How each paragraph of a Word document looks, by its styles and its own marks: a heading, a caption, bold, how large.

The looks are written on the paragraphs as an attribute, so that they are still there when unstructured, which does
not tell them, hands over its paragraphs one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ingest.partition.docx_markup import NOTE, W, is_on

if TYPE_CHECKING:
    from docx.document import Document
    from lxml.etree import _Element  # type: ignore[import-untyped]

Kind = Literal["text", "title", "caption", "note"]
LOOK = "{urn:pincite}look"

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_KNOWN = ("title", "subtitle")
"""Styles that unstructured itself takes for titles, besides the headings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a paragraph is by its looks; ``depth`` is a title's, from 0, where its style does not name it.

    ``size`` is that of its largest letters in points.
    """

    kind: Kind = "text"
    depth: int | None = None
    bold: bool = False
    size: float | None = None

    def written(self) -> str:
        """As ``read_look`` reads it."""
        depth = "" if self.depth is None else self.depth
        return f"{self.kind};{depth};{int(self.bold)};{self.size or ''}"


def read_look(text: str) -> Look:
    """The look that was written so."""
    kind, depth, bold, size = text.split(";")
    known: Kind = kind  # type: ignore[assignment]
    return Look(kind=known, depth=int(depth) if depth else None, bold=bold == "1", size=float(size) if size else None)


def mark_looks(document: Document) -> None:
    """Write its look on each paragraph of the body that has text."""
    styles = _Styles(document.styles.element)
    for paragraph in document.element.body.iterchildren(f"{W}p"):
        if paragraph.text.strip():
            paragraph.set(LOOK, _look(paragraph, styles).written())


class _Styles:
    """The styles of a document by their ids, and what they are based on."""

    def __init__(self, root: _Element) -> None:
        self._by_id = {node.get(f"{W}styleId", ""): node for node in root.iterchildren(f"{W}style")}
        self._defaults = root.find(f"{W}docDefaults/{W}rPrDefault")
        self.usual = next(
            (k for k, n in self._by_id.items() if n.get(f"{W}type") == "paragraph" and n.get(f"{W}default") == "1"), ""
        )

    def chain(self, style_id: str) -> Iterator[_Element]:
        """A style and those below it, the nearest first; of a loop only a part."""
        for _ in range(20):
            node = self._by_id.get(style_id)
            if node is None:
                return
            yield node
            base = node.find(f"{W}basedOn")
            style_id = "" if base is None else base.get(f"{W}val", "")

    def property(self, style_id: str, path: str) -> _Element | None:
        """A property of a style, its own or inherited, or the document's default."""
        found = (node.find(path) for node in self.chain(style_id))
        nearest = next((mark for mark in found if mark is not None), None)
        return nearest if nearest is not None or self._defaults is None else self._defaults.find(path)


def _look(paragraph: _Element, styles: _Styles) -> Look:
    mark = paragraph.find(f"{W}pPr/{W}pStyle")
    style_id = styles.usual if mark is None else mark.get(f"{W}val", "")
    bold, size = _letters(paragraph, style_id, styles)
    kind, depth = _kind(paragraph, style_id, styles)
    return Look(kind=kind, depth=depth, bold=bold, size=size)


def _kind(paragraph: _Element, style_id: str, styles: _Styles) -> tuple[Kind, int | None]:
    """What a paragraph is by its style or outline level, and a title's depth where its style's name has none."""
    if paragraph.get(NOTE):
        return "note", None
    names = [n.get(f"{W}val", "") for s in styles.chain(style_id) for n in s.iterchildren(f"{W}name")]
    if any(name.lower() == "caption" for name in names):
        return "caption", None
    if names and (_HEADING.fullmatch(names[0]) or names[0].lower() in _KNOWN):
        return "title", None
    found = next((m for name in names if (m := _HEADING.fullmatch(name))), None)
    level = int(found[1]) - 1 if found else _outline_level(paragraph, style_id, styles)
    return ("text", None) if level is None else ("title", max(level, 0))


def _outline_level(paragraph: _Element, style_id: str, styles: _Styles) -> int | None:
    """The outline level of a paragraph or of its style, from 0; level 9 is body text."""
    own = paragraph.find(f"{W}pPr/{W}outlineLvl")
    mark = styles.property(style_id, f"{W}pPr/{W}outlineLvl") if own is None else own
    level = "9" if mark is None else mark.get(f"{W}val", "9")
    return int(level) if level in tuple("012345678") else None


def _letters(paragraph: _Element, style_id: str, styles: _Styles) -> tuple[bool, float | None]:
    """Whether all text of a paragraph is bold, and the size of its largest letters in points."""
    bolds, sizes = [], []
    for run in paragraph.iter(f"{W}r"):
        if not run.text.strip():
            continue
        bolds.append(is_on(_run_property(run, "b", style_id, styles)))
        size = _run_property(run, "sz", style_id, styles)
        value = "" if size is None else size.get(f"{W}val", "")
        sizes.append(int(value) / 2 if value.isdecimal() else 0.0)
    return bool(bolds) and all(bolds), max(sizes, default=0.0) or None


def _run_property(run: _Element, name: str, style_id: str, styles: _Styles) -> _Element | None:
    own = run.find(f"{W}rPr/{W}{name}")
    if own is not None:
        return own
    style = run.find(f"{W}rPr/{W}rStyle")
    path = f"{W}rPr/{W}{name}"
    if style is not None:
        found = (node.find(path) for node in styles.chain(style.get(f"{W}val", "")))
        nearest = next((mark for mark in found if mark is not None), None)
        if nearest is not None:
            return nearest
    return styles.property(style_id, path)
