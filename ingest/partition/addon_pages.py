"""An add-on of a saved page: its markup, its JSON-LD, and the store of the script that drew it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.partition.addon_blocks import blocks_of, parse_html
from ingest.partition.addon_facts import (
    NO_ADDON,
    Addon,
    Block,
    count_of,
    first_known,
    items_of,
    link_of,
    mapping,
    rating_of,
    shown_date,
    slug_of,
    tidy,
    unique,
)
from ingest.partition.addon_records import addon_of_record, load_json, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

_TYPE_CLASS = re.compile(r"\bAddon-([a-z]+)(?=\s|$)")
_OTHER_ADDONS = ("AddonsByAuthorsCard", "AddonRecommendations", "AddonsCard", "SearchResult", "FeaturedAddonReview")
_LABELS = {
    "size": "filesize",
    "last updated": "last-updated",
    "categories": "related-categories",
    "related categories": "related-categories",
    "licence": "license",
}
"""What definitions without a class of their own are called by the others."""


def read_page(html: str) -> Addon:
    """The add-on of a saved page.

    Raises:
        BrokenError: there is no add-on in it.
    """
    root = parse_html(html)
    if root is None:
        raise BrokenError(NO_ADDON)
    shown = _shown_addon(root)
    linked = next((_linked_addon(data) for data in _linked_data(root)), Addon(name=""))
    known = first_known(shown, linked)
    slug = shown.slug or (slug_of(known.url) if known.url else None)
    addon = first_known(replace(known, slug=slug), _stored_addon(root, slug))
    if not addon.name:
        raise BrokenError(NO_ADDON)
    return addon


def _shown_addon(root: _Element) -> Addon:
    """What the markup shows."""
    main = next(iter(_by_class(root, "Addon")), root)
    for name in _OTHER_ADDONS:
        for node in _by_class(main, name):
            node.getparent().remove(node)
    url = link_of(_attribute(root, "//link[@rel='canonical']/@href | //meta[@property='og:url']/@content"))
    details = _details(main)
    rating, rating_count, users = _figures(main)
    return Addon(
        name=_shown_name(main),
        icon=_attribute(main, ".//img[contains(@class, 'Addon-icon-image')]/@src"),
        summary=_text_of_class(main, "Addon-summary"),
        description=blocks_of(next(iter(_by_class(main, "AddonDescription-contents")), None)),
        release_notes=_shown_release_notes(main),
        authors=tuple(_line(a) for span in _by_class(main, "AddonTitle-author") for a in span.iter("a")),
        rating=rating,
        rating_count=rating_count,
        users=users,
        version=_detail(details, "version"),
        size=_detail(details, "filesize"),
        last_updated=shown_date(_detail(details, "last-updated")),
        licence=_detail(details, "license"),
        permissions=unique(_line(li) for li in _by_class(main, "Permission")),
        categories=_entries(details.get("related-categories")),
        tags=_entries(details.get("tags")),
        screenshots=unique(
            link_of(str(src)) for src in main.xpath(".//img[contains(@class, 'ScreenShots-image')]/@src")
        ),
        promoted=unique(_line(node) for node in main.xpath(".//*[starts-with(@data-testid, 'badge-recommended')]")),
        homepage=link_of(_attribute(main, ".//a[contains(@class, 'AddonMoreInfo-homepage-link')]/@href")),
        support=link_of(_attribute(main, ".//a[contains(@class, 'AddonMoreInfo-support')]/@href")),
        url=url,
        slug=slug_of(url) if url else main.get("data-site-identifier"),
        type=found[1] if (found := _TYPE_CLASS.search(main.get("class", ""))) else None,
    )


def _shown_name(main: _Element) -> str:
    """The heading without the author that stands in it, or else the page's title without what follows the name."""
    heading = next(iter(_by_class(main, "AddonTitle")), None)
    if heading is None:
        return ""
    by = "".join("".join(node.itertext()) for node in _by_class(heading, "AddonTitle-author"))
    return tidy("".join(heading.itertext()).replace(by, " ", 1))


def _figures(main: _Element) -> tuple[float | None, int | None, int | None]:
    """The rating, the number of reviews and the users, in whichever of the three designs they are shown.

    The labels are read only where they are English; else their order tells.
    """
    badge = _line(next(iter(main.xpath(".//*[starts-with(@data-testid, 'badge-star')]")), None))
    if badge:
        users = _line(next(iter(main.xpath(".//*[@data-testid='badge-user-fill']")), None))
        rating, _, reviews = badge.replace("(", "(").partition("(")
        return rating_of(rating), count_of(reviews), count_of(users)
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
    return rating_of(stars), count_of(reviews), count_of(users)


def _shown_release_notes(main: _Element) -> tuple[Block, ...]:
    card = next(iter(_by_class(main, "AddonDescription-version-notes")), None)
    if card is None:
        return ()
    return blocks_of(next(iter(_by_class(card, "ShowMoreCard-contents")), card))


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
    return unique(_line(entry) for entry in list(node.iter("li")) or list(node.iter("a")) or [node])


def _linked_data(root: _Element) -> Iterator[Mapping[str, object]]:
    """The JSON-LD of an application."""
    for script in root.xpath("//script[@type='application/ld+json']"):
        data = _script_json(script)
        found = items_of(mapping(data).get("@graph")) or (data if isinstance(data, list) else [data])
        yield from (mapping(d) for d in found if "Application" in str(mapping(d).get("@type")))


def _linked_addon(data: Mapping[str, object]) -> Addon:
    rating = mapping(data.get("aggregateRating"))
    return Addon(
        name=text_of(data.get("name")) or "",
        icon=text_of(data.get("image")),
        summary=text_of(data.get("description")),
        rating=rating_of(rating.get("ratingValue")),
        rating_count=count_of(rating.get("ratingCount")),
        version=text_of(data.get("version")),
        compatibility=unique([text_of(data.get("operatingSystem"))]),
        url=link_of(text_of(data.get("url"))),
    )


def _stored_addon(root: _Element, slug: str | None) -> Addon:
    """The add-on in the store of the page's script; the store also holds other add-ons."""
    script = next(iter(root.xpath("//script[@id='redux-store-state']")), None)
    by_id = mapping(mapping(mapping(_script_json(script)).get("addons")).get("byID"))
    records = [mapping(record) for record in by_id.values()]
    own = next((r for r in records if slug and r.get("slug") == slug), {})
    return addon_of_record(own)


def _script_json(script: _Element | None) -> object:
    with suppress(BrokenError):
        return load_json(script.text or "") if script is not None else None
    return None


def _by_class(root: _Element, name: str) -> list[_Element]:
    path = ".//*[contains(concat(' ', normalize-space(@class), ' '), $name)]"
    found: list[_Element] = root.xpath(path, name=f" {name} ")
    return found


def _attribute(root: _Element, path: str) -> str | None:
    return next((str(value).strip() for value in root.xpath(path)), None)


def _text_of_class(root: _Element, name: str) -> str | None:
    return next((text for node in _by_class(root, name) if (text := _line(node))), None)


def _line(node: _Element | None) -> str:
    return "" if node is None else tidy("".join(node.itertext()))
