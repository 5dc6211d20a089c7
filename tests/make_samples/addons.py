"""Saved pages of invented browser add-ons in the three generations of the add-on site's markup, and an API record."""

from __future__ import annotations

import base64
import html
import json
from dataclasses import dataclass

from tests.make_samples.pictures import GREEN, NAVY, ORANGE, badge

SITE = "https://addons.mozilla.org/en-US/firefox/addon/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addon:
    """What a page says of one add-on; ``more`` are the rows of its list of details."""

    slug: str
    name: str
    author: str
    summary: str
    description: str
    rating: float
    reviews: int
    users: int
    permissions: tuple[str, ...]
    more: tuple[tuple[str, str, str], ...]
    icon: str


SAILING_BOARD = Addon(
    slug="sailing-board",
    name="Sailing Board",
    author="Quay Nine Collective",
    summary="Shows the next five ferry departures of your pier in the toolbar.",
    description="<p>Pick a pier once. The badge counts down to the next departure and turns red when a sailing is "
    "cancelled.</p><ul><li>Updates every 90 seconds</li><li>Works offline for 24 hours</li></ul>"
    "<p>It does not need an account.</p>",
    rating=4.3,
    reviews=87,
    users=1964,
    permissions=("Display notifications to you", "Access your data for ferries.halvane.example"),
    more=(
        ("version", "Version", "2.4.1"),
        ("filesize", "Size", "118.6 KB"),
        ("last-updated", "Last updated", "5 years ago (Nov 12, 2020)"),
        ("related-categories", "Related Categories", "Alerts &amp; Updates"),
        ("license", "License", "MIT License"),
    ),
    icon=NAVY,
)
FARE_FINDER = Addon(
    slug="fare-finder-sound",
    name="Fare Finder for the Sound",
    author="Tilda Marrin",
    summary="Compares single tickets, passes and member prices while you book.",
    description="<p>Open the booking page and the cheapest valid combination is shown beside the total.</p>"
    "<p><b>Known limits:</b> group tickets for more than 12 people are not compared.</p>",
    rating=2.9,
    reviews=41,
    users=612,
    permissions=("Access browser tabs", "Access your data for ferries.halvane.example"),
    more=(
        ("version", "Version", "0.9.7"),
        ("filesize", "Size", "64.2 KB"),
        ("last-updated", "Last updated", "2 years ago (Mar 6, 2023)"),
        ("related-categories", "Related Categories", "Shopping"),
        ("license", "License", "Mozilla Public License 2.0"),
    ),
    icon=ORANGE,
)
TIDE_GLANCE = Addon(
    slug="tide-glance",
    name="Tide Glance",
    author="Brackholm Sailing Club",
    summary="High and low water of eight harbours on the new tab page.",
    description="<p>Times are computed on your computer from harmonic constants; no server is asked.</p>"
    "<ol><li>Choose up to three harbours.</li><li>Choose metres or feet.</li></ol>",
    rating=4.7,
    reviews=153,
    users=3280,
    permissions=("Store unlimited amount of client-side data",),
    more=(
        ("version", "Version", "5.0.2"),
        ("filesize", "Size", "231.9 KB"),
        ("last-updated", "Last updated", "4 months ago (Jan 28, 2025)"),
        ("related-categories", "Related Categories", "Weather"),
        ("license", "License", "GNU General Public License v3.0 only"),
    ),
    icon=GREEN,
)

PAGE = """<!DOCTYPE html>
<html lang="en-US" dir="ltr">
<head>
<meta charset="utf-8">
<title>{name} – Get this Extension for Firefox (en-US)</title>
<link rel="canonical" href="{url}">
<script type="application/ld+json">{linked_data}</script>
</head>
<body>
<div id="react-view">
<header class="Header"><nav class="SectionLinks"><a href="/en-US/firefox/extensions/">Extensions</a>
<a href="/en-US/firefox/themes/">Themes</a></nav></header>
<div class="Addon Addon-extension" data-site-identifier="{slug}">
{body}
</div>
<footer class="Footer"><p>Go to the home page of the add-on site</p></footer>
</div>
{state}</body>
</html>
"""

HEAD = """<div class="Addon-icon"><img class="Addon-icon-image" src="{icon}" alt="Preview of {name}"></div>
<h1 class="AddonTitle">{name}<span class="AddonTitle-author"> by <a href="/user/1/">{author}</a></span></h1>
<p class="Addon-summary">{summary}</p>"""

META_2019 = """<div class="AddonMeta"><dl class="MetadataCard AddonMeta-overallRating">
<div class="MetadataCard-list"><dd class="MetadataCard-content">{users:,}</dd>
<dt class="MetadataCard-title">Users</dt></div>
<div class="MetadataCard-list"><dd class="MetadataCard-content">
<a class="AddonMeta-reviews-content-link" href="reviews/">{reviews}</a></dd>
<dt class="MetadataCard-title">Reviews</dt></div>
<div class="MetadataCard-list"><dd class="MetadataCard-content"><div class="AddonMeta-rating-content"></div></dd>
<dt class="MetadataCard-title"><div class="AddonMeta-rating-title">{rating} Stars</div></dt></div>
</dl></div>"""

META_2022 = """<section class="Card Addon-header-meta-and-ratings"><div class="AddonMeta">
<dl class="MetadataCard AddonMeta-overallRating">
<div class="MetadataCard-list"><dt class="MetadataCard-title">Users</dt>
<dd class="MetadataCard-content">{users:,}</dd></div>
<div class="MetadataCard-list"><dt class="MetadataCard-title">Reviews</dt>
<dd class="MetadataCard-content">{reviews}</dd></div>
</dl><div class="Rating Rating--small" title="Rated {rating} out of 5">
<span class="visually-hidden">Rated {rating} out of 5</span></div></div></section>"""

META_2024 = """<div class="AddonBadges">
<a class="Badge Badge--has-link" data-testid="badge-star-full" href="reviews/">
<span class="Badge-content Badge-content--large">{rating} ({reviews} reviews)</span></a>
<div class="Badge" data-testid="badge-user-fill">
<span class="Badge-content Badge-content--large">{users:,} Users</span></div>
</div>"""

CARDS = """<section class="Card ShowMoreCard AddonDescription">
<header class="Card-header"><h2>About this extension</h2></header>
<div class="AddonDescription-contents">{description}</div></section>
<section class="Card ShowMoreCard PermissionsCard"><header class="Card-header"><h2>Permissions</h2></header>
<p class="PermissionsCard-subhead--required">This add-on needs to:</p>
<ul class="PermissionsCard-list--required">
{permissions}
</ul></section>
<section class="Card AddonMoreInfo"><header class="Card-header"><h2>More information</h2></header>
<dl class="DefinitionList AddonMoreInfo-dl">
{more}
</dl></section>"""

RECORD = {
    "id": 990417,
    "guid": "harbour-tiles@quaynine.example",
    "slug": "harbour-tiles",
    "type": "extension",
    "name": {"en-US": "Harbour Tiles", "de": "Hafenkacheln"},
    "summary": {"en-US": "Webcam pictures of four harbours as tiles on the start page.", "de": None},
    "description": {
        "en-US": "<p>Pictures are refreshed every 5 minutes.</p><ul><li>Night mode after sunset</li>"
        "<li>No pictures are stored</li></ul>"
    },
    "authors": [
        {"id": 4471, "name": "Quay Nine Collective", "url": "https://addons.mozilla.org/en-US/firefox/user/4471/"}
    ],
    "average_daily_users": 448,
    "weekly_downloads": 37,
    "ratings": {"average": 3.85, "bayesian_average": 3.71, "count": 26, "text_count": 9},
    "icon_url": None,
    "previews": [],
    "categories": ["photos-music-videos"],
    "tags": ["harbour", "webcam"],
    "created": "2022-09-05T08:30:00Z",
    "last_updated": "2025-02-11T16:04:52Z",
    "homepage": {
        "url": {"en-US": "https://quaynine.example/tiles"},
        "outgoing": {"en-US": "https://quaynine.example/tiles"},
    },
    "support_url": None,
    "promoted": None,
    "url": "https://addons.mozilla.org/en-US/firefox/addon/harbour-tiles/",
    "current_version": {
        "id": 5600219,
        "version": "1.12.0",
        "compatibility": {"firefox": {"min": "115.0", "max": "*"}, "android": {"min": "120.0", "max": "*"}},
        "license": {"name": {"en-US": "Apache License 2.0"}, "slug": "Apache-2.0"},
        "release_notes": {"en-US": "The Kelding camera was moved to the new mast."},
        "file": {"id": 4400871, "size": 90214, "permissions": ["storage", "alarms", "https://cams.halvane.example/*"]},
    },
}


def write_page_2019() -> bytes:
    """A page of the first generation: details as title and content, the state of the page in a script."""
    return _page(SAILING_BOARD, META_2019, rating_in_data=True, state=True)


def write_page_2022() -> bytes:
    """A page of the second generation, whose linked data leave out a low rating."""
    return _page(FARE_FINDER, META_2022, rating_in_data=False, state=False)


def write_page_2024() -> bytes:
    """A page of the third generation: rating and users as badges."""
    return _page(TIDE_GLANCE, META_2024, rating_in_data=True, state=False)


def write_record() -> bytes:
    """The detail record as the site's API gives it."""
    return (json.dumps(RECORD, indent=2, ensure_ascii=False) + "\n").encode()


def _page(addon: Addon, meta: str, *, rating_in_data: bool, state: bool) -> bytes:
    icon = "data:image/png;base64," + base64.b64encode(badge(addon.icon)).decode()
    parts = (
        HEAD.format(icon=icon, name=addon.name, author=addon.author, summary=addon.summary),
        meta.format(users=addon.users, reviews=addon.reviews, rating=addon.rating),
        CARDS.format(
            description=addon.description,
            permissions="\n".join(f'<li class="Permission">{html.escape(text)}</li>' for text in addon.permissions),
            more="\n".join(
                f'<dt class="Definition-dt">{term}</dt><dd class="Definition-dd AddonMoreInfo-{name}">{value}</dd>'
                for name, term, value in addon.more
            ),
        ),
    )
    page = PAGE.format(
        name=addon.name,
        slug=addon.slug,
        url=f"{SITE}{addon.slug}/",
        linked_data=_linked_data(addon, with_rating=rating_in_data),
        body="\n".join(parts),
        state=_state(addon) if state else "",
    )
    return page.encode()


def _linked_data(addon: Addon, *, with_rating: bool) -> str:
    data: dict[str, object] = {
        "@context": "http://schema.org",
        "@type": "WebApplication",
        "name": addon.name,
        "url": f"{SITE}{addon.slug}/",
        "applicationCategory": "http://schema.org/OtherApplication",
        "operatingSystem": "Firefox",
        "description": addon.summary,
        "offers": {"@type": "Offer", "availability": "http://schema.org/InStock", "price": 0, "priceCurrency": "USD"},
        "version": addon.more[0][2],
    }
    if with_rating:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingCount": addon.reviews,
            "ratingValue": addon.rating,
        }
    return json.dumps(data)


def _state(addon: Addon) -> str:
    state = {
        "addons": {
            "byID": {
                "880125": {
                    "slug": addon.slug,
                    "name": addon.name,
                    "average_daily_users": addon.users,
                    "ratings": {"average": addon.rating, "count": addon.reviews},
                }
            }
        }
    }
    return f'<script type="application/json" id="redux-store-state">{json.dumps(state)}</script>\n'
