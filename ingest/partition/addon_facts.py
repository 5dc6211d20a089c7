"""What is known of an add-on, and how names, numbers, dates and addresses of pages and records are read."""

from __future__ import annotations

import math
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple, TypeGuard

MAX_ADDRESS = 2048
"""Characters of an address at most; a longer one is no link that a page shows."""
NO_ADDON = "no add-on in it"
UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SLUG = re.compile(r"/addon/([^/?#]+)")
_OUTGOING = re.compile(r"https?://[^/]*outgoing[^/]*/v1/[0-9a-f]{64}/(.+)")
_COUNT = re.compile(r"\d[\d.,'’\s]*")
_DECIMAL = re.compile(r"\d+(?:[.,]\d+)?")
_SHOWN_DATE = re.compile(r"[((]([^()()]*\d[^()()]*)[))]\s*$")
_ISO_DATE = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:")


class Block(NamedTuple):
    """A paragraph, list item, heading or piece of code of a description; ``depth`` is a list item's nesting."""

    category: str
    text: str
    depth: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Addon:
    """All that is known of an add-on, as plain text; what is not known is ``None`` or empty.

    ``rating`` is the average, above 0 and at most 5. ``icon`` is an address or a ``data:`` URI. Dates are as the page
    shows them, or ISO days. ``permissions`` are the sentences of a page or the names in a record.
    """

    name: str
    icon: str | None = None
    summary: str | None = None
    description: tuple[Block, ...] = ()
    release_notes: tuple[Block, ...] = ()
    authors: tuple[str, ...] = ()
    rating: float | None = None
    rating_count: int | None = None
    users: int | None = None
    weekly_downloads: int | None = None
    version: str | None = None
    size: str | None = None
    last_updated: str | None = None
    created: str | None = None
    licence: str | None = None
    compatibility: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    promoted: tuple[str, ...] = ()
    screenshots: tuple[str, ...] = ()
    homepage: str | None = None
    support: str | None = None
    url: str | None = None
    guid: str | None = None
    slug: str | None = None
    type: str | None = None


def first_known(*addons: Addon) -> Addon:
    """For each field the first value that says something."""
    values = {f.name: [getattr(addon, f.name) for addon in addons] for f in fields(Addon)}
    return Addon(
        **{name: next((v for v in found if v not in (None, "", ())), found[0]) for name, found in values.items()}
    )


def tidy(text: str) -> str:
    """A text on one line, without characters that no XML may hold."""
    return " ".join(UNWRITABLE.sub("", text).split())


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items_of(value: object) -> list[object]:
    """The items of a list, of all lists in a mapping, or the one value."""
    if isinstance(value, dict):
        return [item for inner in value.values() for item in (inner if isinstance(inner, list) else [])]
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def unique(texts: Iterable[str | None]) -> tuple[str, ...]:
    """The texts that say something, each once."""
    return tuple(dict.fromkeys(text for text in texts if text))


def count_of(value: object) -> int | None:
    """A number of things, also from a text such as "1,234 users"; ``None`` where there is none."""
    if isinstance(value, str):
        found = _COUNT.search(value)
        digits = re.sub(r"\D", "", found[0])[:15] if found else ""
        return int(digits) if digits else None
    return int(value) if _is_number(value) and 0 <= value < 1e15 else None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def rating_of(value: object) -> float | None:
    """A rating above 0 and at most 5. Of the two numbers of "2.9 out of 5", in any language, the smaller counts."""
    if isinstance(value, str):
        value = min((float(n.replace(",", ".")) for n in _DECIMAL.findall(value)), default=None)
    return float(value) if _is_number(value) and 0 < value <= 5 else None


def shown_date(text: str | None) -> str | None:
    """The day: an ISO time without its hours, "5 years ago (Nov 12, 2020)" without the age, which is of another day."""
    found = (_SHOWN_DATE.search(text) or _ISO_DATE.match(text)) if text and len(text) < 200 else None
    return found[1] if found else text


def slug_of(url: str) -> str | None:
    """The name of an add-on in its address."""
    found = _SLUG.search(url)
    return urllib.parse.unquote(found[1]) if found else None


def link_of(address: str | None) -> str | None:
    """A web or mail address, that of a page's redirect without the redirect; nothing of any other kind."""
    if not address or len(address) > MAX_ADDRESS:
        return None
    found = _OUTGOING.match(address)
    target = urllib.parse.unquote(found[1]) if found else address.removeprefix("mailto:")
    is_mail = re.fullmatch(r"[^@\s:/]+@[^@\s:/]+", target) is not None
    return tidy(target) if is_mail or target.lower().startswith(("http://", "https://")) else None
