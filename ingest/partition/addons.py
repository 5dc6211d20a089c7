"""Add-ons: a saved addons.mozilla.org page, or an API detail record, as one source with a table of its facts.

A page says the same thing in up to three places: its markup, which changed over the years and is read by class
names that did not, its JSON-LD, and the store of the script that drew it. What is shown goes before what is not.
Nothing that a page or record refers to is ever fetched.
"""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.addon_blocks import parse_html
from ingest.partition.addon_facts import NO_ADDON, Addon, link_of, mapping
from ingest.partition.addon_lists import is_addon_list, listed_records, members_of, take_listed
from ingest.partition.addon_pages import read_page
from ingest.partition.addon_records import load_json, read_record
from ingest.partition.bridge import picture_png
from ingest.partition.encoding import declared_charset, decode
from ingest.partition.headings import nest_under_headings
from ingest.partition.web import partition_markup
from ingest.tables import cells_to_html, table_text
from ingest.types import Cell, Element, Partition, Source, stable_id

MAX_BYTES = 32 * 2**20
"""Bytes of a page or record at most; the largest real ones have less than one MB."""
MAX_SCREENSHOTS = 10
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
_DATA_PICTURE = re.compile(r"\s*data:image/[\w.+-]+;base64,", re.IGNORECASE)


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
        data = load_json(text)
        listed = listed_records(data)
        if listed is not None:
            return _listed(listed, source.id)
        addon = read_record(mapping(data))
    elif is_addon_list(content) and not is_addon_page(content):
        return _listed_on_page(text, source, options)
    else:
        addon = read_page(text)
    stored = _icon_png(addon.icon) if options.images != "off" else None
    elements = to_elements(addon, source.id, icon_path=stored[0] if stored else None)
    return Partition(elements=elements, images=dict([stored]) if stored else {})


def _listed(records: Sequence[Mapping[str, object]], source_id: str) -> Partition:
    if not records:
        raise BrokenError(NO_ADDON)
    title = replace(_element("Title", _list_name(records), 0), element_id=stable_id(source_id, "list"))
    return Partition(elements=(title,), members=members_of(records))


def _list_name(records: Sequence[Mapping[str, object]]) -> str:
    return f"List of {len(records)} add-on{'s' * (len(records) != 1)}"


def _listed_on_page(text: str, source: Source, options: PartitionOptions) -> Partition:
    """The add-ons that a page lists as members; the rest of the page is read like any other."""
    from lxml import etree  # type: ignore[import-untyped]

    root = parse_html(text)
    listed = _listed(take_listed(root) if root is not None else [], source.id)
    rest = partition_markup(etree.tostring(root, encoding="unicode", method="html"), source, options)
    return replace(rest, elements=(*rest.elements, *listed.elements), members=listed.members)


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
    yield "Icon", None if addon.icon is None or addon.icon.startswith("data:") else link_of(addon.icon)
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
