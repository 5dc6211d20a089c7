"""A partition as Markdown (tables in it as HTML), or as one plain HTML page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from ingest.types import Element, Partition

LEFT_OUT = frozenset({"Header", "Footer", "PageNumber", "PageBreak"})
_ITEM_NUMBER = re.compile(r"\d{1,3}[.)]\s")
"""The number of a list item, which Markdown takes for its mark."""

_FOR_BROWSERS = re.compile(r"</?(?:thead|tbody)>|(?<=<th) scope=\"\w+\"")
"""What of a table's HTML says nothing that its rows and header cells do not."""


def to_markdown(partition: Partition) -> str:
    """The elements in reading order; running headers and footers are left out."""
    return "\n".join(_lines(e for e in partition.elements if e.category not in LEFT_OUT))


def _lines(elements: Iterable[Element]) -> Iterator[str]:
    in_list = False
    for element in elements:
        is_item = element.category == "ListItem"
        if in_list and not is_item:
            yield ""
        in_list = is_item
        block = _block(element)
        if block:
            yield block if is_item else f"{block}\n"


def _block(element: Element) -> str:
    text = element.text.strip()
    if element.category == "Title":
        return f"{'#' * min(6, 1 + (element.category_depth or 0))} {' '.join(text.split())}"
    if element.category == "ListItem":
        mark = "" if _ITEM_NUMBER.match(text) else "- "
        return f"{'  ' * (element.category_depth or 0)}{mark}{text}"
    if element.category == "Table":
        return _FOR_BROWSERS.sub("", element.text_as_html or "") or text
    if element.category == "CodeSnippet":
        return f"```\n{text}\n```"
    if element.category == "Image":
        return _picture(element, text)
    return text


def _picture(element: Element, text: str) -> str:
    """A picture's link with what it shows, as far as one line says it, and its labels below it, each on its line."""
    labels = "  \n".join(line.strip() for line in text.splitlines())
    if not element.image_path:
        return labels
    said = element.summary or ("" if "\n" in text else text)
    link = f"![{_alt(said)}]({element.image_path})"
    return f"{link}\n\n{labels}" if "\n" in text else link


def _alt(text: str) -> str:
    return " ".join(text.replace("[", "(").replace("]", ")").split())


def to_html(partition: Partition) -> str:
    """The same as one HTML page without styles, scripts or remote references."""
    body = "\n".join(_html(e) for e in partition.elements if e.category not in LEFT_OUT)
    return f'<!doctype html>\n<meta charset="utf-8">\n{body}'


def _html(element: Element) -> str:
    text = escape(element.text.strip())
    if element.category == "Title":
        level = min(6, 1 + (element.category_depth or 0))
        return f"<h{level}>{text}</h{level}>"
    if element.category == "Table":
        return element.text_as_html or f"<pre>{text}</pre>"
    if element.category == "CodeSnippet":
        return f"<pre>{text}</pre>"
    if element.category == "ListItem":
        return f"<ul><li>{text}</li></ul>"
    if element.category == "Image":
        return f"<figure>{text}</figure>"
    return f"<p>{text}</p>"
