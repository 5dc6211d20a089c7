"""Lists of add-ons: each entry a record of its own, from JSON (exports, search results, collections) or a web page.

Of a page, a table whose rows link to add-ons is read, and the results of addons.mozilla.org's own search.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_ENTRIES = 5_000
LISTED_HEAD = 5
"""Rows with a link to an add-on in a page's first bytes from which it may be a list of them."""

_SITE = "https://addons.mozilla.org"
_ROW_LINK = re.compile(
    rb"""href\s*=\s*["']?(?:https?://addons\.mozilla\.org)?/(?:[\w-]{2,12}/)?(?:firefox|android)/addon/([^/\s"'<>?#]+)""",
    re.IGNORECASE,
)
_ROW = re.compile(rb"<tr[\s>]", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://addons\.mozilla\.org)?/(?:[\w-]{2,12}/)?(?:firefox|android)/addon/([^/\s?#]+)")
_LISTS = ("results", "addons", "objects", "items")
"""What objects that hold a list call it."""
_COLUMNS = (
    (r"users|installs", "users"),
    (r"reviews|ratings? count|number (?:of )?ratings", "reviews"),
    (r"rating|stars?$", "rating"),
    (r"update", "updated"),
    (r"created|added", "created"),
    (r"categor", "categories"),
    (r"summary|description", "summary"),
    (r"version", "version"),
    (r"size", "size"),
    (r"licen[cs]e", "license"),
    (r"homepage|website", "homepage"),
    (r"authors?|developers?|publisher", "authors"),
    (r"permission", "permissions"),
    (r"tags?\b", "tags"),
    (r"compatib", "compatibility"),
)
"""What the columns of tables of add-ons are called, and the key of a record that they hold."""
_UNSAFE = re.compile(r"[^\w.@{}-]+")


def is_addon_list(head: bytes) -> bool:
    """Whether the first bytes of a page hold a table of which most rows link to add-ons, or search results."""
    linked = {found[1] for found in _ROW_LINK.finditer(head)}
    if b"SearchResult-link" in head:
        return bool(linked)
    rows = len(_ROW.findall(head))
    return len(linked) >= LISTED_HEAD and 3 * len(linked) >= 2 * (rows - 1)


def listed_records(data: object) -> list[Mapping[str, object]] | None:
    """The records of a JSON list of add-ons, or of an object that holds one; ``None`` where it is no list."""
    if isinstance(data, Mapping):
        data = next((data[key] for key in _LISTS if isinstance(data.get(key), list)), None)
    if not isinstance(data, list):
        return None
    entries = (entry.get("addon", entry) for entry in data[:MAX_ENTRIES] if isinstance(entry, Mapping))
    return [entry for entry in entries if isinstance(entry, Mapping) and (entry.get("name") or entry.get("slug"))]


def take_listed(root: _Element) -> list[Mapping[str, object]]:
    """The records of the add-ons that a page lists; what listed them is taken out of the page."""
    results = root.xpath("//li[contains(concat(' ', @class, ' '), ' SearchResult ')]")
    records: list[Mapping[str, object]] = [record for node in results if (record := _search_result(node))]
    for node in results:
        node.getparent().remove(node)
    for table in list(root.iter("table")):
        found = list(_table_records(table))
        if found:
            records += found
            table.getparent().remove(table)
    return records[:MAX_ENTRIES]


def members_of(records: Sequence[Mapping[str, object]]) -> tuple[tuple[str, bytes], ...]:
    """Each record as a source of its own, named by its slug."""
    names: dict[str, bytes] = {}
    for record in records:
        wanted = _member_name(record)
        name, number = wanted, 1
        while name in names:
            number += 1
            name = f"{wanted}-{number}"
        # With keys that tell it for an add-on's record, whatever the list leaves out.
        whole = {"slug": wanted, "authors": [], **record}
        names[name] = json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace")
    return tuple(names.items())


def _member_name(record: Mapping[str, object]) -> str:
    found = _LINK.search(str(record.get("url") or ""))
    given = record.get("slug") or (urllib.parse.unquote(found[1]) if found else None) or record.get("name")
    if isinstance(given, Mapping):
        given = next((value for value in given.values() if isinstance(value, str)), None)
    return _UNSAFE.sub("-", str(given or "addon")).strip("-.")[:100] or "addon"


# A page.


def _table_records(table: _Element) -> Iterator[Mapping[str, object]]:
    """A record a row, by the names of its columns; nothing where most rows link to no add-on."""
    rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
    heads = [_text(cell) for cell in rows[0]] if rows else []
    records = [record for row in rows[1:] if (record := _row_record(row, heads))]
    if len(records) >= LISTED_HEAD or (records and len(records) == len(rows) - 1):
        yield from records if 3 * len(records) >= 2 * (len(rows) - 1) else ()


def _row_record(row: Sequence[_Element], heads: Sequence[str]) -> dict[str, object] | None:
    place = next((n for n, cell in enumerate(row) if _addon_link(cell) is not None), None)
    if place is None:
        return None
    link = _addon_link(row[place])
    if link is None:
        return None
    record: dict[str, object] = {"name": _text(link) or _text(row[place]), "url": _address(link)}
    icon = next((img.get("src") for cell in row[: place + 1] for img in cell.iter("img")), None)
    if icon:
        record["icon"] = icon
    for head, cell in zip(heads, row, strict=False):
        key = next((key for words, key in _COLUMNS if re.search(rf"\b(?:{words})", head, re.IGNORECASE)), None)
        if key is not None and key not in record and cell is not row[place] and _text(cell):
            record[key] = _value(key, cell)
    return record


def _value(key: str, cell: _Element) -> object:
    text = _text(cell)
    if key == "homepage":
        return next((a.get("href") for a in cell.iter("a") if a.get("href")), text)
    if key in ("users", "reviews"):
        return text.removesuffix(".0")
    if key in ("authors", "tags", "permissions"):
        return [part.strip() for part in re.split(r"[,;]\s+", text) if part.strip()]
    return text


def _addon_link(node: _Element) -> _Element | None:
    return next((a for a in node.iter("a") if _LINK.match(a.get("href") or "")), None)


def _address(link: _Element) -> str:
    found = _LINK.match(link.get("href") or "")
    path = found[0] if found else ""
    return (path if path.startswith("http") else _SITE + path) + "/"


def _search_result(node: _Element) -> dict[str, object] | None:
    link = _addon_link(node)
    if link is None:
        return None
    parts = {
        "name": "SearchResult-link",
        "summary": "SearchResult-summary",
        "authors": "SearchResult-author",
        "users": "SearchResult-users-text",
    }
    shown = {key: _of_class(node, name) for key, name in parts.items()}
    record: dict[str, object] = {key: text for key, text in shown.items() if text}
    icon = node.xpath(".//img[contains(@class, 'SearchResult-icon')]/@src")
    rating = node.xpath(".//*[contains(@class, 'Rating')]/@title")
    return {
        **record,
        "url": _address(link),
        **({"icon": icon[0]} if icon else {}),
        **({"rating": rating[0]} if rating else {}),
    }


def _of_class(node: _Element, name: str) -> str:
    found = node.xpath(".//*[contains(concat(' ', @class, ' '), $name)]", name=f" {name} ")
    return _text(found[0]) if found else ""


def _text(node: _Element) -> str:
    return " ".join("".join(node.itertext()).split())
