"""The markup of OpenDocument files: its names, its lengths and counts, and the text of a paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

_NS = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TEXT, TABLE, DRAW, STYLE = (f"{{{_NS}{n}:1.0}}" for n in ("office", "text", "table", "drawing", "style"))
FO, SVG, PRESENTATION, CHART = (
    f"{{{_NS}{n}:1.0}}" for n in ("xsl-fo-compatible", "svg-compatible", "presentation", "chart")
)
XLINK = "{http://www.w3.org/1999/xlink}href"
MATH = "{http://www.w3.org/1998/Math/MathML}math"
SILENT = (
    *(f"{TEXT}{n}" for n in ("tracked-changes", "ruby-text", "note-citation", "hidden-text", "hidden-paragraph")),
    *(f"{OFFICE}{n}" for n in ("annotation", "annotation-end", "forms", "script")),
    *(f"{TEXT}{n}" for n in ("table-of-content", "illustration-index", "table-index", "alphabetical-index")),
    *(f"{TEXT}{n}" for n in ("object-index", "user-index", "sequence-decls", "variable-decls")),
    f"{SVG}title",
    f"{SVG}desc",
)
"""Tags whose text is not the document's own."""
_LENGTH = re.compile(r"(-?[\d.]+)(cm|mm|in|pt|pc|px)?")
_POINTS = {"cm": 72 / 2.54, "mm": 72 / 25.4, "in": 72.0, "pt": 1.0, "pc": 12.0, "px": 0.75}


def paragraph_text(node: _Element) -> str:
    """The text of a paragraph without what is anchored in it and its notes."""
    return " ".join("".join(_pieces(node)).split())


def _pieces(node: _Element) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        if child.tag in (f"{TEXT}s", f"{TEXT}tab", f"{TEXT}line-break"):
            yield " "
        elif _is_formula(child):
            yield ""
        elif isinstance(child.tag, str) and child.tag not in (*SILENT, f"{TEXT}note") and not is_drawn(child):
            yield from _pieces(child)
        yield child.tail or ""


def _is_formula(node: _Element) -> bool:
    return bool(node.tag == MATH)


def is_drawn(node: _Element) -> bool:
    """Whether a node is a drawing; a link around text is none."""
    return isinstance(node.tag, str) and node.tag.startswith(DRAW) and node.tag != f"{DRAW}a"


def anchored_in(node: _Element) -> Iterator[_Element]:
    """The outermost drawings in a paragraph."""
    for child in node:
        if is_drawn(child):
            yield child
        elif child.tag not in SILENT and child.tag != f"{TEXT}note":
            yield from anchored_in(child)


def is_anchored_first(node: _Element) -> bool:
    """Whether a drawing comes before the text of its paragraph."""
    if node.text and node.text.strip():
        return False
    for child in node:
        if is_drawn(child):
            return True
        if paragraph_text(child) or (child.tail and child.tail.strip()):
            return False
    return False


def alternative_text(frame: _Element) -> str:
    """What a frame says of its picture, for who cannot see it."""
    texts = (frame.findtext(f"{SVG}{name}") or "" for name in ("desc", "title"))
    return " ".join(next(filter(None, texts), "").split())


def length(text: str) -> float | None:
    """A length such as ``2.5cm`` in points; ``None`` for one that is relative or none."""
    found = _LENGTH.fullmatch(text.strip())
    return float(found[1]) * _POINTS[found[2] or "px"] if found and found[2] else None


def count_of(node: _Element, name: str, most: int) -> int:
    """A count that an attribute of tables gives: at least 1, at most ``most``, 1 where there is none."""
    value = node.get(f"{TABLE}{name}", "1")
    return max(1, min(int(value), most)) if value.isdecimal() else 1
