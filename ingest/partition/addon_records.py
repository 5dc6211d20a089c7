"""An add-on of the API: a detail record, or one of the flat records that lists are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from ingest.errors import BrokenError
from ingest.partition.addon_blocks import plain_text, record_blocks
from ingest.partition.addon_facts import (
    NO_ADDON,
    Addon,
    count_of,
    items_of,
    link_of,
    mapping,
    rating_of,
    shown_date,
    slug_of,
    tidy,
    unique,
)

LOCALE = "en-US"
"""The locale whose texts are taken where a record has several."""
_APPS = {"firefox": "Firefox", "android": "Firefox for Android", "thunderbird": "Thunderbird"}


def read_record(record: Mapping[str, object]) -> Addon:
    """The add-on of an API detail record, or of the flat records that lists of add-ons are made of.

    A record without a name goes by its slug.

    Raises:
        BrokenError: there is no add-on in it.
    """
    addon = addon_of_record(record)
    name = addon.name or addon.slug
    if not name:
        raise BrokenError(NO_ADDON)
    return replace(addon, name=name)


def load_json(text: str) -> object:
    """The value of a JSON text.

    Raises:
        BrokenError: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except ValueError as exc:
        raise BrokenError(f"broken JSON: {exc}") from exc
    except RecursionError as exc:
        raise BrokenError("broken JSON: nested too deeply") from exc


def addon_of_record(record: Mapping[str, object]) -> Addon:
    """What a record says; the name may be missing."""
    locale = text_of(record.get("default_locale"))
    version = mapping(record.get("current_version"))
    files = [mapping(f) for f in (version.get("file"), *items_of(version.get("files")))]
    ratings = mapping(record.get("ratings"))
    url = _record_link(record.get("url"), locale)
    return Addon(
        name=text_of(record.get("name"), locale) or "",
        icon=text_of(record.get("icon_url") or record.get("icon")),
        summary=plain_text(text_of(record.get("summary"), locale)),
        description=record_blocks(_raw_text(record.get("description"), locale)),
        release_notes=record_blocks(_raw_text(version.get("release_notes"), locale)),
        authors=unique(_named(author, locale) for author in items_of(record.get("authors"))),
        rating=rating_of(ratings.get("average", record.get("rating"))),
        rating_count=count_of(ratings.get("count", record.get("reviews"))),
        users=count_of(record.get("average_daily_users", record.get("users"))),
        weekly_downloads=count_of(record.get("weekly_downloads")),
        version=text_of(version.get("version") or record.get("version")),
        size=next((size for f in (*files, record) if (size := _file_size(f.get("size")))), None),
        last_updated=shown_date(text_of(record.get("last_updated") or record.get("updated"))),
        created=shown_date(text_of(record.get("created"))),
        licence=_named(version.get("license") or record.get("license"), locale),
        compatibility=_compatibility(version.get("compatibility")),
        permissions=unique(text_of(p) for f in files for p in items_of(f.get("permissions"))),
        categories=unique(_named(category, locale) for category in items_of(record.get("categories"))),
        tags=unique(_named(tag, locale) for tag in items_of(record.get("tags"))),
        promoted=_promotions(record),
        screenshots=unique(link_of(text_of(mapping(p).get("image_url"))) for p in items_of(record.get("previews"))),
        homepage=_record_link(record.get("homepage"), locale),
        support=_record_link(record.get("support_url"), locale) or _record_link(record.get("support_email"), locale),
        url=url,
        guid=text_of(record.get("guid")),
        slug=text_of(record.get("slug")) or (slug_of(url) if url else None),
        type=text_of(record.get("type")),
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


def text_of(value: object, default_locale: str | None = None) -> str | None:
    """A text on one line, of several locales the one that is taken; ``None`` where there is none."""
    return tidy(_raw_text(value, default_locale) or "") or None


def _named(value: object, default_locale: str | None) -> str | None:
    """The name of an author, licence, category or tag, which may be given as such or as an object."""
    if isinstance(value, Mapping) and {"name", "slug", "url"} & value.keys():
        texts = (text_of(value.get(key), default_locale) for key in ("name", "slug", "url"))
        return next(filter(None, texts), None)
    return text_of(value, default_locale)


def _record_link(value: object, default_locale: str | None) -> str | None:
    inner = value.get("url") if isinstance(value, Mapping) and "url" in value else value
    return link_of(text_of(inner, default_locale))


def _promotions(record: Mapping[str, object]) -> tuple[str, ...]:
    promoted = record.get("promoted")
    # One promotion is a mapping itself, whose values are no promotions.
    entries = [promoted] if isinstance(promoted, Mapping) else items_of(promoted)
    return unique(text_of(e.get("category") if isinstance(e, Mapping) else e) for e in entries)


def _compatibility(value: object) -> tuple[str, ...]:
    """A sentence an application, such as "Firefox 115.0 and later"."""
    if not isinstance(value, Mapping):
        return unique(_application(text) for item in items_of(value) if (text := text_of(item)))
    return tuple(_versions(_application(app), mapping(limits)) for app, limits in value.items())


def _application(name: str) -> str:
    return _APPS.get(name, tidy(name))


def _versions(app: str, limits: Mapping[str, object]) -> str:
    least, most = text_of(limits.get("min")), text_of(limits.get("max"))
    if most in (None, "*"):
        return f"{app} {least} and later" if least else app
    return f"{app} {least} to {most}" if least else f"{app} up to {most}"


def _file_size(value: object) -> str | None:
    """A size as it is written, or of a number of bytes in the unit that suits it and in bytes."""
    if isinstance(value, str):
        return tidy(value) or None
    count = count_of(value)
    if not count:
        return None
    power = min((count.bit_length() - 1) // 10, 3)
    return f"{count / 1024**power:.1f} {('', 'KB', 'MB', 'GB')[power]} ({count:,} bytes)" if power else f"{count} bytes"
