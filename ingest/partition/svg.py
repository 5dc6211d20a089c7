"""SVG drawings: the words in them, as one picture. Nothing is drawn, run or fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.errors import BrokenError, SourceError
from ingest.partition import PartitionOptions
from ingest.types import Element, Partition, Source, stable_id

if TYPE_CHECKING:
    from lxml.etree import XMLParser, _Element  # type: ignore[import-untyped]

SAID = ("title", "desc")
"""What says what a drawing shows, before the words in it."""
UNSEEN = frozenset({"script", "style", "metadata", "defs", "symbol", "clippath", "mask"})
MAX_LINES = 4_000
"""Texts of a drawing, at most."""


def partition(source: Source, options: PartitionOptions) -> Partition:  # noqa: ARG001 (the seat's signature)
    """Read the title, description and texts of a drawing.

    Raises:
        BrokenError: it is no SVG.
        SourceError: it cannot be opened.
    """
    from lxml import etree  # type: ignore[import-untyped]

    try:
        root = etree.parse(str(source.path), _parser()).getroot()
    except etree.XMLSyntaxError as exc:
        raise BrokenError(f"broken SVG: {exc.msg}") from exc
    except OSError as exc:
        raise SourceError(f"cannot be read: {exc.strerror or exc}") from exc
    if _name(root) != "svg":
        raise BrokenError(f"not an SVG: its root is {_name(root)}")
    text = "\n".join(drawing_lines(root))
    element = Element(element_id=stable_id(source.id, "Image", text), category="Image", text=text)
    return Partition(elements=(element,) if text else (), warnings=() if text else ("no text in the drawing",))


def svg_lines(content: bytes) -> list[str] | None:
    """The lines of a drawing that a page holds as a file; ``None`` if it is no SVG."""
    from lxml import etree

    try:
        root = etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError):
        return None
    return drawing_lines(root) if root is not None and _name(root) == "svg" else None


def _parser() -> XMLParser:
    """A parser that expands no entity and reads no other file."""
    from lxml import etree

    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)


def drawing_lines(root: _Element) -> list[str]:
    """The title, description and texts of a drawing, each once, whether XML or HTML has been parsed."""
    return list(dict.fromkeys(line for line in _lines(root) if line))[:MAX_LINES]


def _lines(node: _Element) -> Iterator[str]:
    """The texts of a drawing, what it says of itself first; a line of a text that has several is one."""
    yield from (_words(child) for child in node if _name(child) in SAID)
    for child in node:
        name = _name(child)
        if name in UNSEEN or name in SAID or not name:
            continue
        if name == "text" and any(_name(part) == "tspan" and part.get("y") for part in child):
            yield from (_words(part) for part in child if _name(part) == "tspan")
        elif name in ("text", "foreignobject"):
            yield _words(child)
        else:
            yield from _lines(child)


def _name(node: _Element) -> str:
    """The name of an element, in small letters and without its namespace; empty for comments and instructions."""
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def _words(node: _Element) -> str:
    return " ".join(" ".join(_seen(node)).split())


def _seen(node: _Element) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        if _name(child) and _name(child) not in UNSEEN:
            yield from _seen(child)
        yield child.tail or ""
