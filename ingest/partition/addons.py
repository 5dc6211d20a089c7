"""Add-ons: a saved addons.mozilla.org page, or an API detail record, as one source with a table of its facts.

A page says the same thing in up to three places: its markup, which changed over the years and is read by class
names that did not, its JSON-LD, and the store of the script that drew it. What is shown goes before what is not.
Nothing that a page or record refers to is ever fetched.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.addon_lists import is_addon_list, listed_records, members_of, take_listed
from ingest.partition.bridge import picture_png
from ingest.partition.encoding import declared_charset, decode
from ingest.partition.headings import nest_under_headings
from ingest.partition.web import partition_markup
from ingest.tables import cells_to_html, table_text
from ingest.types import Cell, Element, Partition, Source, stable_id

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_BYTES = 32 * 2**20
"""Bytes of a page or record at most; the largest real ones have less than one MB."""
MAX_ADDRESS = 2048
"""Characters of an address at most; a longer one is no link that a page shows."""
MAX_SCREENSHOTS = 10
LOCALE = "en-US"
"""The locale whose texts are taken where a record has several."""

_NO_ADDON = "no add-on in it"
_ADDRESS = re.compile(
    rb"""https?://addons\.mozilla\.org/(?:[\w-]{2,12}/)?(?:firefox|android)/addon/[^/\s"'<>?#]+/?(?:[?#][^\s"'<>]*)?["'\s]"""
)
_PAGE_TAG = re.compile(rb"<link\b[^>]{0,1000}>|<meta\b[^>]{0,1000}>|<!--.{0,1000}?-->", re.IGNORECASE | re.DOTALL)
_NAMES_ITSELF = re.compile(rb"""rel=["']?canonical|og:url|saved from url|\burl:\s""", re.IGNORECASE)
_OWN_KEYS = re.compile(
    rb'"(average_daily_users|weekly_downloads|current_version|contributions_url|is_source_public)"\s*:'
    rb"|(https://addons\.mozilla\.org/[\w/-]{0,20}addon/)"
)
_COMMON_KEYS = re.compile(rb'"(guid|slug|default_locale|icon_url|icon|ratings|rating|users|authors)"\s*:')

_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SLUG = re.compile(r"/addon/([^/?#]+)")
_TYPE_CLASS = re.compile(r"\bAddon-([a-z]+)(?=\s|$)")
_OUTGOING = re.compile(r"https?://[^/]*outgoing[^/]*/v1/[0-9a-f]{64}/(.+)")
_DATA_PICTURE = re.compile(r"\s*data:image/[\w.+-]+;base64,", re.IGNORECASE)
_COUNT = re.compile(r"\d[\d.,'’\s]*")
_DECIMAL = re.compile(r"\d+(?:[.,]\d+)?")
_SHOWN_DATE = re.compile(r"[((]([^()()]*\d[^()()]*)[))]\s*$")
_ISO_DATE = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:")
_BULLET = re.compile(r"[-*•·◦▪●‣►▶✓✔✅➤–—]\s+(?=\S)")
_NUMBERED = re.compile(r"\d{1,2}[.)]\s+\S")

_BLOCK_TAGS = frozenset(
    {"address", "article", "blockquote", "body", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"header", "hr", "html", "li", "main", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT = frozenset({"script", "style", "template", "noscript", "head", "iframe", "object", "svg"})
_OTHER_ADDONS = ("AddonsByAuthorsCard", "AddonRecommendations", "AddonsCard", "SearchResult", "FeaturedAddonReview")
_LABELS = {
    "size": "filesize",
    "last updated": "last-updated",
    "categories": "related-categories",
    "related categories": "related-categories",
    "licence": "license",
}
"""What definitions without a class of their own are called by the others."""
_APPS = {"firefox": "Firefox", "android": "Firefox for Android", "thunderbird": "Thunderbird"}


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


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a saved add-on page or an API detail record; of a list of add-ons each is a source of its own.

    Raises:
        BrokenError: the file is damaged, too large, or holds no add-on.
    """
    content = source.path.read_bytes()
    if len(content) > MAX_BYTES:
        raise BrokenError(f"larger than {MAX_BYTES // 2**20} MB, too large for an add-on page or record")
    text = decode(content, declared_charset(content))
    if text.lstrip().startswith(("{", "[")):
        data = _load(text)
        listed = listed_records(data)
        if listed is not None:
            return _listed(listed, source.id)
        addon = read_record(_mapping(data))
    elif is_addon_list(content) and not is_addon_page(content):
        return _listed_on_page(text, source, options)
    else:
        addon = read_page(text)
    stored = _icon_png(addon.icon) if options.images != "off" else None
    elements = to_elements(addon, source.id, icon_path=stored[0] if stored else None)
    return Partition(elements=elements, images=dict([stored]) if stored else {})


def _listed(records: Sequence[Mapping[str, object]], source_id: str) -> Partition:
    if not records:
        raise BrokenError(_NO_ADDON)
    title = replace(_element("Title", _list_name(records), 0), element_id=stable_id(source_id, "list"))
    return Partition(elements=(title,), members=members_of(records))


def _list_name(records: Sequence[Mapping[str, object]]) -> str:
    return f"List of {len(records)} add-on{'s' * (len(records) != 1)}"


def _listed_on_page(text: str, source: Source, options: PartitionOptions) -> Partition:
    """The add-ons that a page lists as members; the rest of the page is read like any other."""
    from lxml import etree  # type: ignore[import-untyped]

    root = _parse(text)
    listed = _listed(take_listed(root) if root is not None else [], source.id)
    rest = partition_markup(etree.tostring(root, encoding="unicode", method="html"), source, options)
    return replace(rest, elements=(*rest.elements, *listed.elements), members=listed.members)


# Is it one?


def is_addon_page(head: bytes) -> bool:
    """Whether the first bytes of an HTML page name as its own address that of an add-on on addons.mozilla.org."""
    tags = (found[0] for found in _PAGE_TAG.finditer(head))
    return any(_NAMES_ITSELF.search(tag) and _ADDRESS.search(tag) for tag in tags)


def is_addon_record(head: bytes) -> bool:
    """Whether the first bytes of a JSON text have keys of an API detail record of an add-on, or of a list of them."""
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return False
    own = {found[1] or b"address" for found in _OWN_KEYS.finditer(head)}
    common = {found[1] for found in _COMMON_KEYS.finditer(head)}
    return bool(own) and len(own) + len(common) >= 3


# A page.


def read_page(html: str) -> Addon:
    """The add-on of a saved page.

    Raises:
        BrokenError: there is no add-on in it.
    """
    root = _parse(html)
    if root is None:
        raise BrokenError(_NO_ADDON)
    shown = _shown_addon(root)
    linked = next((_linked_addon(data) for data in _linked_data(root)), Addon(name=""))
    known = _first_known(shown, linked)
    slug = shown.slug or (_slug_of(known.url) if known.url else None)
    addon = _first_known(replace(known, slug=slug), _stored_addon(root, slug))
    if not addon.name:
        raise BrokenError(_NO_ADDON)
    return addon


def _first_known(*addons: Addon) -> Addon:
    """For each field the first value that says something."""
    values = {f.name: [getattr(addon, f.name) for addon in addons] for f in fields(Addon)}
    return Addon(
        **{name: next((v for v in found if v not in (None, "", ())), found[0]) for name, found in values.items()}
    )


def _parse(html: str) -> _Element | None:
    from lxml import etree

    content = _UNWRITABLE.sub("", html).encode()
    # Comments go, so that the text after one is not parted from the text before.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(content, parser) if content.strip() else None
    except etree.LxmlError as exc:
        raise BrokenError(f"broken HTML: {exc}") from exc


def _shown_addon(root: _Element) -> Addon:
    """What the markup shows."""
    main = next(iter(_by_class(root, "Addon")), root)
    for name in _OTHER_ADDONS:
        for node in _by_class(main, name):
            node.getparent().remove(node)
    url = _link(_attribute(root, "//link[@rel='canonical']/@href | //meta[@property='og:url']/@content"))
    details = _details(main)
    rating, rating_count, users = _figures(main)
    return Addon(
        name=_shown_name(main),
        icon=_attribute(main, ".//img[contains(@class, 'Addon-icon-image')]/@src"),
        summary=_text_of_class(main, "Addon-summary"),
        description=_blocks(next(iter(_by_class(main, "AddonDescription-contents")), None)),
        release_notes=_shown_release_notes(main),
        authors=tuple(_line(a) for span in _by_class(main, "AddonTitle-author") for a in span.iter("a")),
        rating=rating,
        rating_count=rating_count,
        users=users,
        version=_detail(details, "version"),
        size=_detail(details, "filesize"),
        last_updated=_shown_date(_detail(details, "last-updated")),
        licence=_detail(details, "license"),
        permissions=_unique(_line(li) for li in _by_class(main, "Permission")),
        categories=_entries(details.get("related-categories")),
        tags=_entries(details.get("tags")),
        screenshots=_unique(
            _link(str(src)) for src in main.xpath(".//img[contains(@class, 'ScreenShots-image')]/@src")
        ),
        promoted=_unique(_line(node) for node in main.xpath(".//*[starts-with(@data-testid, 'badge-recommended')]")),
        homepage=_link(_attribute(main, ".//a[contains(@class, 'AddonMoreInfo-homepage-link')]/@href")),
        support=_link(_attribute(main, ".//a[contains(@class, 'AddonMoreInfo-support')]/@href")),
        url=url,
        slug=_slug_of(url) if url else main.get("data-site-identifier"),
        type=found[1] if (found := _TYPE_CLASS.search(main.get("class", ""))) else None,
    )


def _shown_name(main: _Element) -> str:
    """The heading without the author that stands in it, or else the page's title without what follows the name."""
    heading = next(iter(_by_class(main, "AddonTitle")), None)
    if heading is None:
        return ""
    by = "".join("".join(node.itertext()) for node in _by_class(heading, "AddonTitle-author"))
    return _tidy("".join(heading.itertext()).replace(by, " ", 1))


def _figures(main: _Element) -> tuple[float | None, int | None, int | None]:
    """The rating, the number of reviews and the users, in whichever of the three designs they are shown.

    The labels are read only where they are English; else their order tells.
    """
    badge = _line(next(iter(main.xpath(".//*[starts-with(@data-testid, 'badge-star')]")), None))
    if badge:
        users = _line(next(iter(main.xpath(".//*[@data-testid='badge-user-fill']")), None))
        rating, _, reviews = badge.replace("(", "(").partition("(")
        return _rating(rating), _count(reviews), _count(users)
    meta = next(iter(_by_class(main, "AddonMeta")), None)
    if meta is None:
        return None, None, None
    cards = [(_line(c.find(".//dt")), _line(c.find(".//dd"))) for c in _by_class(meta, "MetadataCard-list")]
    values = [value for _, value in cards[:2]] + ["", ""]
    users = next((v for label, v in cards if label.lower().startswith("user")), values[0])
    reviews = next((v for label, v in cards if label.lower().startswith("review")), values[1])
    stars = _text_of_class(meta, "AddonMeta-rating-title") or _attribute(
        meta, ".//*[contains(@class, 'Rating')]/@title"
    )
    return _rating(stars), _count(reviews), _count(users)


def _shown_release_notes(main: _Element) -> tuple[Block, ...]:
    card = next(iter(_by_class(main, "AddonDescription-version-notes")), None)
    if card is None:
        return ()
    return _blocks(next(iter(_by_class(card, "ShowMoreCard-contents")), card))


def _details(main: _Element) -> dict[str, _Element]:
    """The definitions of the page's own table by the name in their class, or by their label where it has none."""
    found: dict[str, _Element] = {}
    for table in _by_class(main, "AddonMoreInfo-dl"):
        label = ""
        for node in table.iter("dt", "dd"):
            if node.tag == "dt":
                label = _line(node).lower()
                continue
            named = re.search(r"AddonMoreInfo-([a-z-]+)", node.get("class", ""))
            found.setdefault(named[1] if named else _LABELS.get(label, label), node)
    return found


def _detail(details: Mapping[str, _Element], name: str) -> str | None:
    return _line(details.get(name)) or None


def _entries(node: _Element | None) -> tuple[str, ...]:
    """The entries of a list, or the one text where there is no list: a category may hold a comma."""
    if node is None:
        return ()
    return _unique(_line(entry) for entry in list(node.iter("li")) or list(node.iter("a")) or [node])


def _linked_data(root: _Element) -> Iterator[Mapping[str, object]]:
    """The JSON-LD of an application."""
    for script in root.xpath("//script[@type='application/ld+json']"):
        data = _script_json(script)
        found = _items(_mapping(data).get("@graph")) or (data if isinstance(data, list) else [data])
        yield from (_mapping(d) for d in found if "Application" in str(_mapping(d).get("@type")))


def _linked_addon(data: Mapping[str, object]) -> Addon:
    rating = _mapping(data.get("aggregateRating"))
    return Addon(
        name=_text(data.get("name")) or "",
        icon=_text(data.get("image")),
        summary=_text(data.get("description")),
        rating=_rating(rating.get("ratingValue")),
        rating_count=_count(rating.get("ratingCount")),
        version=_text(data.get("version")),
        compatibility=_unique([_text(data.get("operatingSystem"))]),
        url=_link(_text(data.get("url"))),
    )


def _stored_addon(root: _Element, slug: str | None) -> Addon:
    """The add-on in the store of the page's script; the store also holds other add-ons."""
    script = next(iter(root.xpath("//script[@id='redux-store-state']")), None)
    by_id = _mapping(_mapping(_mapping(_script_json(script)).get("addons")).get("byID"))
    records = [_mapping(record) for record in by_id.values()]
    own = next((r for r in records if slug and r.get("slug") == slug), {})
    return _addon_of_record(own)


def _script_json(script: _Element | None) -> object:
    with suppress(BrokenError):
        return _load(script.text or "") if script is not None else None
    return None


# A record.


def _load(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise BrokenError(f"broken JSON: {exc}") from exc
    except RecursionError as exc:
        raise BrokenError("broken JSON: nested too deeply") from exc


def read_record(record: Mapping[str, object]) -> Addon:
    """The add-on of an API detail record, or of the flat records that lists of add-ons are made of.

    A record without a name goes by its slug.

    Raises:
        BrokenError: there is no add-on in it.
    """
    addon = _addon_of_record(record)
    name = addon.name or addon.slug
    if not name:
        raise BrokenError(_NO_ADDON)
    return replace(addon, name=name)


def _addon_of_record(record: Mapping[str, object]) -> Addon:
    locale = _text(record.get("default_locale"))
    version = _mapping(record.get("current_version"))
    files = [_mapping(f) for f in (version.get("file"), *_items(version.get("files")))]
    ratings = _mapping(record.get("ratings"))
    url = _record_link(record.get("url"), locale)
    return Addon(
        name=_text(record.get("name"), locale) or "",
        icon=_text(record.get("icon_url") or record.get("icon")),
        summary=_plain(_text(record.get("summary"), locale)),
        description=_record_blocks(_raw_text(record.get("description"), locale)),
        release_notes=_record_blocks(_raw_text(version.get("release_notes"), locale)),
        authors=_unique(_named(author, locale) for author in _items(record.get("authors"))),
        rating=_rating(ratings.get("average", record.get("rating"))),
        rating_count=_count(ratings.get("count", record.get("reviews"))),
        users=_count(record.get("average_daily_users", record.get("users"))),
        weekly_downloads=_count(record.get("weekly_downloads")),
        version=_text(version.get("version") or record.get("version")),
        size=next((size for f in (*files, record) if (size := _file_size(f.get("size")))), None),
        last_updated=_shown_date(_text(record.get("last_updated") or record.get("updated"))),
        created=_shown_date(_text(record.get("created"))),
        licence=_named(version.get("license") or record.get("license"), locale),
        compatibility=_compatibility(version.get("compatibility")),
        permissions=_unique(_text(p) for f in files for p in _items(f.get("permissions"))),
        categories=_unique(_named(category, locale) for category in _items(record.get("categories"))),
        tags=_unique(_named(tag, locale) for tag in _items(record.get("tags"))),
        promoted=_promotions(record),
        screenshots=_unique(_link(_text(_mapping(p).get("image_url"))) for p in _items(record.get("previews"))),
        homepage=_record_link(record.get("homepage"), locale),
        support=_record_link(record.get("support_url"), locale) or _record_link(record.get("support_email"), locale),
        url=url,
        guid=_text(record.get("guid")),
        slug=_text(record.get("slug")) or (_slug_of(url) if url else None),
        type=_text(record.get("type")),
    )


def _raw_text(value: object, default_locale: str | None = None) -> str | None:
    """A text, or of a mapping from locale to text: ``LOCALE``, else the default locale, else the first with a text."""
    if isinstance(value, Mapping):
        first = (LOCALE, default_locale, value.get("_default"))
        texts = [value.get(key) for key in first if isinstance(key, str)]
        texts += [text for key, text in value.items() if not key.startswith("_")]
        return next((text for text in texts if isinstance(text, str) and text.strip()), None)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _text(value: object, default_locale: str | None = None) -> str | None:
    return _tidy(_raw_text(value, default_locale) or "") or None


def _named(value: object, default_locale: str | None) -> str | None:
    """The name of an author, licence, category or tag, which may be given as such or as an object."""
    if isinstance(value, Mapping) and {"name", "slug", "url"} & value.keys():
        return next((text for key in ("name", "slug", "url") if (text := _text(value.get(key), default_locale))), None)
    return _text(value, default_locale)


def _record_link(value: object, default_locale: str | None) -> str | None:
    inner = value.get("url") if isinstance(value, Mapping) and "url" in value else value
    return _link(_text(inner, default_locale))


def _promotions(record: Mapping[str, object]) -> tuple[str, ...]:
    promoted = record.get("promoted")
    # One promotion is a mapping itself, whose values are no promotions.
    entries = [promoted] if isinstance(promoted, Mapping) else _items(promoted)
    return _unique(_text(e.get("category") if isinstance(e, Mapping) else e) for e in entries)


def _compatibility(value: object) -> tuple[str, ...]:
    """A sentence an application, such as "Firefox 115.0 and later"."""
    if not isinstance(value, Mapping):
        return _unique(_application(text) for item in _items(value) if (text := _text(item)))
    return tuple(_versions(_application(app), _mapping(limits)) for app, limits in value.items())


def _application(name: str) -> str:
    return _APPS.get(name, _tidy(name))


def _versions(app: str, limits: Mapping[str, object]) -> str:
    least, most = _text(limits.get("min")), _text(limits.get("max"))
    if most in (None, "*"):
        return f"{app} {least} and later" if least else app
    return f"{app} {least} to {most}" if least else f"{app} up to {most}"


def _file_size(value: object) -> str | None:
    """A size as it is written, or of a number of bytes in the unit that suits it and in bytes."""
    if isinstance(value, str):
        return _tidy(value) or None
    count = _count(value)
    if not count:
        return None
    power = min((count.bit_length() - 1) // 10, 3)
    return f"{count / 1024**power:.1f} {('', 'KB', 'MB', 'GB')[power]} ({count:,} bytes)" if power else f"{count} bytes"


# Values.


def _tidy(text: str) -> str:
    return " ".join(_UNWRITABLE.sub("", text).split())


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    """The items of a list, of all lists in a mapping, or the one value."""
    if isinstance(value, dict):
        return [item for inner in value.values() for item in (inner if isinstance(inner, list) else [])]
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _unique(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _count(value: object) -> int | None:
    if isinstance(value, str):
        found = _COUNT.search(value)
        digits = re.sub(r"\D", "", found[0])[:15] if found else ""
        return int(digits) if digits else None
    return int(value) if _is_number(value) and 0 <= value < 1e15 else None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def _rating(value: object) -> float | None:
    """A rating above 0 and at most 5. Of the two numbers of "2.9 out of 5", in any language, the smaller counts."""
    if isinstance(value, str):
        value = min((float(n.replace(",", ".")) for n in _DECIMAL.findall(value)), default=None)
    return float(value) if _is_number(value) and 0 < value <= 5 else None


def _shown_date(text: str | None) -> str | None:
    """The day: an ISO time without its hours, "5 years ago (Nov 12, 2020)" without the age, which is of another day."""
    found = (_SHOWN_DATE.search(text) or _ISO_DATE.match(text)) if text and len(text) < 200 else None
    return found[1] if found else text


def _slug_of(url: str) -> str | None:
    found = _SLUG.search(url)
    return urllib.parse.unquote(found[1]) if found else None


def _link(address: str | None) -> str | None:
    """A web or mail address, that of a page's redirect without the redirect; nothing of any other kind."""
    if not address or len(address) > MAX_ADDRESS:
        return None
    found = _OUTGOING.match(address)
    target = urllib.parse.unquote(found[1]) if found else address.removeprefix("mailto:")
    is_mail = re.fullmatch(r"[^@\s:/]+@[^@\s:/]+", target) is not None
    return _tidy(target) if is_mail or target.lower().startswith(("http://", "https://")) else None


def _by_class(root: _Element, name: str) -> list[_Element]:
    path = ".//*[contains(concat(' ', normalize-space(@class), ' '), $name)]"
    found: list[_Element] = root.xpath(path, name=f" {name} ")
    return found


def _attribute(root: _Element, path: str) -> str | None:
    return next((str(value).strip() for value in root.xpath(path)), None)


def _text_of_class(root: _Element, name: str) -> str | None:
    return next((text for node in _by_class(root, name) if (text := _line(node))), None)


def _line(node: _Element | None) -> str:
    return "" if node is None else _tidy("".join(node.itertext()))


# HTML to blocks.


def _record_blocks(html: str | None) -> tuple[Block, ...]:
    """The blocks of a record's HTML, in which, other than on a page, a newline is a line break."""
    return _blocks(_parse(html.replace("\n", "<br>"))) if html else ()


def _plain(html: str | None) -> str | None:
    root = _parse(html) if html else None
    return None if root is None else _tidy(" ".join(text for _, _, text in _runs(root))) or None


def _blocks(root: _Element | None) -> tuple[Block, ...]:
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


# Elements.


def to_elements(addon: Addon, source_id: str, *, icon_path: str | None = None) -> tuple[Element, ...]:
    """The add-on as a title, its summary, what describes it section by section, and the table of its facts.

    ``icon_path`` is the key of its picture, where the file itself holds that.
    """
    made = [_element("Title", addon.name, 0)]
    if addon.summary:
        made.append(_element("NarrativeText", addon.summary))
    if icon_path:
        made.append(replace(_element("Image", f"Icon of {addon.name}"), image_path=icon_path))
    made += _section("Description", [_element(*block) for block in addon.description])
    made += _section("Permissions", [_element("ListItem", text, 0) for text in addon.permissions])
    made += _section("Release notes", [_element(*block) for block in addon.release_notes])
    made += _section("Facts", _facts_table(addon))
    numbered = (replace(e, element_id=stable_id(source_id, i, e.category, e.text)) for i, e in enumerate(made))
    return tuple(nest_under_headings(numbered))


def _element(category: str, text: str, depth: int | None = None) -> Element:
    return Element(element_id="", category=category, text=text, category_depth=depth)


def _section(title: str, elements: list[Element]) -> list[Element]:
    return [_element("Title", title, 1), *elements] if elements else []


def _facts_table(addon: Addon) -> list[Element]:
    facts = [(label, value) for label, value in _facts(addon) if value]
    cells = tuple(
        Cell(row=row, column=column, text=text, header=column == 0)
        for row, fact in enumerate(facts)
        for column, text in enumerate(fact)
    )
    table = replace(_element("Table", table_text(cells)), text_as_html=cells_to_html(cells), cells=cells)
    return [table] if facts else []


def _facts(addon: Addon) -> Iterator[tuple[str, str | None]]:
    """The rows of the table, labelled as the pages label them."""
    yield "Rating", None if addon.rating is None else f"{addon.rating:g}"
    yield "Reviews", _grouped(addon.rating_count)
    yield "Users", _grouped(addon.users)
    yield "Weekly downloads", _grouped(addon.weekly_downloads)
    yield "Version", addon.version
    yield "Size", addon.size
    yield "Last updated", addon.last_updated
    yield "Created", addon.created
    yield "License", addon.licence
    yield "Compatibility", "; ".join(addon.compatibility)
    yield "Authors", ", ".join(addon.authors)
    yield "Categories", ", ".join(addon.categories)
    yield "Tags", ", ".join(addon.tags)
    yield "Promoted", ", ".join(addon.promoted)
    yield "Type", addon.type
    yield "Homepage", addon.homepage
    yield "Support", addon.support
    yield "Add-on page", addon.url
    yield "Add-on ID", addon.guid
    yield "Icon", None if addon.icon is None or addon.icon.startswith("data:") else _link(addon.icon)
    yield "Screenshots", ", ".join(addon.screenshots[:MAX_SCREENSHOTS])


def _grouped(count: int | None) -> str | None:
    return None if count is None else f"{count:,}"


def _icon_png(address: str | None) -> tuple[str, bytes] | None:
    """The key and PNG bytes of an icon that stands in the file itself; the addresses of others are not followed."""
    found = _DATA_PICTURE.match(address or "")
    if found is None or address is None:
        return None
    try:
        return picture_png(base64.b64decode(urllib.parse.unquote_to_bytes(address[found.end() :])))
    except binascii.Error:
        return None
