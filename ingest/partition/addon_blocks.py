"""The HTML of an add-on's texts as paragraphs, list items, headings and code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.partition.addon_facts import UNWRITABLE, Block, tidy

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

_BULLET = re.compile(r"[-*•·◦▪●‣►▶✓✔✅➤–—]\s+(?=\S)")
_NUMBERED = re.compile(r"\d{1,2}[.)]\s+\S")
_BLOCK_TAGS = frozenset(
    {"address", "article", "blockquote", "body", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"header", "hr", "html", "li", "main", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT = frozenset({"script", "style", "template", "noscript", "head", "iframe", "object", "svg"})


def parse_html(html: str) -> _Element | None:
    """The tree of a page, ``None`` of an empty one.

    Raises:
        BrokenError: there is no tree in it.
    """
    from lxml import etree  # type: ignore[import-untyped]

    content = UNWRITABLE.sub("", html).encode()
    # Comments go, so that the text after one is not parted from the text before.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(content, parser) if content.strip() else None
    except etree.LxmlError as exc:
        raise BrokenError(f"broken HTML: {exc}") from exc


def blocks_of(root: _Element | None) -> tuple[Block, ...]:
    """The paragraphs, list items, headings and code of a description."""
    found: list[Block] = []
    for category, depth, text in _runs(root) if root is not None else ():
        if category == "NarrativeText":
            found.extend(_paragraphs(text))
        elif category == "CodeSnippet":
            found.append(Block(category, text.strip("\n")))
        else:
            found.append(Block(category, " ".join(text.split()), depth))
    return tuple(block for block in found if re.search(r"\w", block.text))


def record_blocks(html: str | None) -> tuple[Block, ...]:
    """The blocks of a record's HTML, in which, other than on a page, a newline is a line break."""
    return blocks_of(parse_html(html.replace("\n", "<br>"))) if html else ()


def plain_text(html: str | None) -> str | None:
    """The text of a piece of HTML on one line; ``None`` where there is none."""
    root = parse_html(html) if html else None
    return None if root is None else tidy(" ".join(text for _, _, text in _runs(root))) or None


def _paragraphs(text: str) -> Iterator[Block]:
    """Paragraphs parted by empty lines; a line that opens like a list item is one."""
    lines: list[str] = []
    for line in (*(" ".join(line.split()) for line in text.split("\n")), ""):
        bullet = _BULLET.match(line)
        is_item = bullet is not None or _NUMBERED.match(line) is not None
        if (is_item or not line) and lines:
            yield Block("NarrativeText", " ".join(lines))
            lines = []
        if is_item:
            yield Block("ListItem", line[bullet.end() :] if bullet else line, 0)
        elif line:
            lines.append(line)


def _runs(root: _Element) -> Iterator[tuple[str, int | None, str]]:
    """Each text between two block tags, with its category and a list item's depth; line breaks are newlines.

    Goes along the tree and not down it, so that no nesting is too deep.
    """
    from lxml import etree

    walk = etree.iterwalk(root, events=("start", "end"))
    tags: list[str] = []
    text = ""
    for event, node in walk:
        if node.tag in _BLOCK_TAGS and text.strip():
            yield (*_category(tags), text)
            text = ""
        if event == "start":
            tags.append(node.tag)
            if node.tag in _SILENT:
                walk.skip_subtree()
            else:
                text += "\n" if node.tag == "br" else _spaced(node.text, tags)
        else:
            tags.pop()
            text += _spaced(node.tail, tags) if node is not root else ""
    if text.strip():
        yield "NarrativeText", None, text


def _spaced(text: str | None, tags: Sequence[str]) -> str:
    return (text or "") if "pre" in tags else re.sub(r"\s+", " ", text or "")


def _category(tags: Sequence[str]) -> tuple[str, int | None]:
    if "pre" in tags:
        return "CodeSnippet", None
    if "li" in tags:
        return "ListItem", max(0, sum(tag in ("ul", "ol") for tag in tags) - 1)
    return ("Title", 2) if _HEADINGS & set(tags) else ("NarrativeText", None)
