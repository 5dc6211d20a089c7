import json
import unicodedata

import pytest

from ingest.discover import sniff, sniff_bytes
from ingest.errors import BrokenError, UnsupportedError
from ingest.partition import PartitionOptions
from ingest.partition.addon_facts import Addon, Block
from ingest.partition.addon_lists import is_addon_list
from ingest.partition.addon_pages import read_page
from ingest.partition.addon_records import read_record
from ingest.partition.addons import is_addon_page, is_addon_record, partition, to_elements
from ingest.tables import html_to_cells
from ingest.types import Source
from tests.expected import SECOND

ADDONS = [expected for expected in SECOND if expected.file.startswith("addon-")]
ADDRESS = "https://addons.mozilla.org/en-US/firefox/addon/buoy-map/"
CANONICAL = f'<link rel="canonical" href="{ADDRESS}">'
OUTGOING = f"https://prod.outgoing.prod.webservices.mozgcp.net/v1/{'ab' * 32}/https%3A//buoys.example/map%3Fa=1"


def page(body: str, head: str = CANONICAL) -> str:
    title = '<h1 class="AddonTitle">Buoy Map<span class="AddonTitle-author"> by <a href="/u/1">Ada</a></span></h1>'
    return (
        f'<!DOCTYPE html><html><head>{head}</head><body><div class="Addon Addon-extension">{title}{body}</div></body>'
    )


def linked(**fields) -> str:
    data = json.dumps({"@type": "WebApplication", "name": "Buoy Map", **fields})
    return f'{CANONICAL}<script type="application/ld+json">{data}</script>'


def facts(addon: Addon) -> dict[str, str]:
    table = next(e for e in to_elements(addon, "s") if e.category == "Table")
    texts = [cell.text for cell in table.cells]
    return dict(zip(texts[::2], texts[1::2], strict=True))


@pytest.fixture
def read(tmp_path):
    def call(content: str | bytes, **options):
        path = tmp_path / "addon"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return partition(Source(id="s", path=path, format="addon", size=1), PartitionOptions(**options))

    return call


# The samples.


@pytest.fixture(params=ADDONS, ids=lambda expected: expected.file)
def expected(request):
    return request.param


@pytest.fixture
def sample(expected, samples):
    source = Source(id="s", path=samples / expected.file, format="addon", size=1)
    return partition(source, PartitionOptions())


def plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def test_all_four_samples_are_expected():
    assert {e.file for e in ADDONS} == {"addon-1.html", "addon-2.html", "addon-3.html", "addon-api.json"}


def test_a_sample_has_what_it_must(expected, sample):
    for wanted in expected.must_have:
        holders = [e for e in sample.elements if wanted.text in plain(e.text)]
        assert holders, wanted
        assert wanted.category is None or wanted.category in {e.category for e in holders}


def test_a_sample_has_nothing_of_what_is_around_it(expected, sample):
    shown = "\n".join(e.text + (e.text_as_html or "") for e in sample.elements)
    assert not [text for text in (*expected.must_not_have, "home page of the add-on site") if text in shown]


def test_a_fact_stands_right_of_its_label(expected, sample):
    table = next(e for e in sample.elements if e.category == "Table")
    rows = {cell.row: cell.text for cell in table.cells if cell.header and cell.column == 0}
    facts = {(rows[cell.row], cell.text) for cell in table.cells if not cell.header and cell.column == 1}
    assert {(cell.row_label[0], cell.text) for cell in expected.cells} <= facts
    assert html_to_cells(table.text_as_html) == table.cells


def test_the_three_designs_of_a_page_give_the_same_fields(samples):
    pages = [read_page((samples / f"addon-{n}.html").read_text("utf-8")) for n in (1, 2, 3)]
    assert [(p.rating, p.rating_count, p.users) for p in pages] == [(4.3, 87, 1964), (2.9, 41, 612), (4.7, 153, 3280)]
    assert [p.authors for p in pages] == [("Quay Nine Collective",), ("Tilda Marrin",), ("Brackholm Sailing Club",)]
    assert [p.name for p in pages] == ["Sailing Board", "Fare Finder for the Sound", "Tide Glance"]
    assert [p.last_updated for p in pages] == ["Nov 12, 2020", "Mar 6, 2023", "Jan 28, 2025"]
    assert [p.slug for p in pages] == ["sailing-board", "fare-finder-sound", "tide-glance"]
    assert pages[0].categories == ("Alerts & Updates",)


def test_sections_stand_under_headings_in_order(samples):
    addon = read_record(json.loads((samples / "addon-api.json").read_text("utf-8")))
    elements = to_elements(addon, "s")
    titles = [(e.category_depth, e.text) for e in elements if e.category == "Title"]
    assert titles == [(0, "Harbour Tiles"), (1, "Description"), (1, "Permissions"), (1, "Release notes"), (1, "Facts")]
    by_id = {e.element_id: e for e in elements}
    night = next(e for e in elements if e.text == "Night mode after sunset")
    assert by_id[night.parent_id].text == "Description"
    assert len(by_id) == len(elements)


def test_a_record_gives_its_facts(samples):
    record = json.loads((samples / "addon-api.json").read_text("utf-8"))
    assert facts(read_record(record)) == {
        "Rating": "3.85",
        "Reviews": "26",
        "Users": "448",
        "Weekly downloads": "37",
        "Version": "1.12.0",
        "Size": "88.1 KB (90,214 bytes)",
        "Last updated": "2025-02-11",
        "Created": "2022-09-05",
        "License": "Apache License 2.0",
        "Compatibility": "Firefox 115.0 and later; Firefox for Android 120.0 and later",
        "Authors": "Quay Nine Collective",
        "Categories": "photos-music-videos",
        "Tags": "harbour, webcam",
        "Type": "extension",
        "Homepage": "https://quaynine.example/tiles",
        "Add-on page": "https://addons.mozilla.org/en-US/firefox/addon/harbour-tiles/",
        "Add-on ID": "harbour-tiles@quaynine.example",
    }


# Which files are add-ons.


def test_samples_are_recognised_by_their_content(expected, samples):
    path = samples / expected.file
    assert sniff(path.read_bytes()[:4096], path.suffix) == "addon"


def test_another_page_stays_a_web_page(samples):
    assert sniff((samples / "notice.html").read_bytes(), ".html") == "html"


def test_another_json_is_not_read():
    with pytest.raises(UnsupportedError, match=r"^not a type that is read \(json\)$"):
        sniff(b'{"guid": "https://blog.example/?p=1", "slug": "tides", "type": "post"}', ".json")


@pytest.mark.parametrize(
    "head",
    [
        CANONICAL,
        f"<link href='{ADDRESS}' data-react-helmet=true rel='canonical'/>",
        f'<meta property="og:url" content="{ADDRESS}?utm_source=x">',
        f"<!-- saved from url=(0060){ADDRESS} -->",
        f"<!--\n Page saved with SingleFile\n url: {ADDRESS}\n saved date: today-->",
        '<link rel="canonical" href="https://addons.mozilla.org/de/android/addon/%C3%BCbersicht/">',
    ],
)
def test_a_page_that_names_an_add_on_as_its_own_address_is_one(head):
    assert is_addon_page(f"<html><head>{head}</head>".encode())


@pytest.mark.parametrize(
    "head",
    [
        f'<a href="{ADDRESS}">get it</a>',
        f'<link rel="alternate" href="{ADDRESS}">',
        f'<link rel="canonical" href="{ADDRESS}reviews/">',
        '<link rel="canonical" href="https://addons.mozilla.org/en-US/firefox/extensions/">',
        f'<link rel="canonical" href="https://blog.example/?to={ADDRESS.removeprefix("https:")}">',
    ],
)
def test_a_page_that_only_speaks_of_add_ons_is_none(head):
    assert not is_addon_page(f"<html><head>{head}</head>".encode())


@pytest.mark.parametrize(
    ("record", "is_one"),
    [
        ({"guid": "a@b", "slug": "a", "average_daily_users": 3}, True),
        ([{"name": "A", "icon": None, "url": ADDRESS, "users": 3.0, "rating": None}], True),
        ({"count": 1, "results": [{"addon": {"slug": "a", "authors": [], "current_version": {}}}]}, True),
        ({"guid": "a@b", "slug": "a", "ratings": {}, "users": 3}, False),
        ({"name": "a", "version": "1.0", "homepage": ADDRESS}, False),
        ("average_daily_users weekly_downloads current_version", False),
    ],
)
def test_a_record_is_known_by_its_keys(record, is_one):
    assert is_addon_record(json.dumps(record).encode()) is is_one


# Pages.


def test_a_rating_that_linked_data_leave_out_is_read_from_the_page():
    shown = '<div class="AddonMeta"><div class="Rating" title="Rated 2.9 out of 5"></div></div>'
    assert read_page(page(shown, linked(version="1.0"))).rating == 2.9


@pytest.mark.parametrize("title", ["5 つ星中 2,9 の評価", "Mit 2,9 von 5 Sternen bewertet", "Rated 2.9 out of 5"])
def test_a_rating_is_read_in_any_language(title):
    assert read_page(page(f'<div class="AddonMeta"><p class="Rating" title="{title}"></p></div>')).rating == 2.9


def test_a_rating_that_only_linked_data_have_is_taken():
    found = read_page(page("", linked(aggregateRating={"ratingValue": 4.1, "ratingCount": 12}, version="3.1")))
    assert (found.rating, found.rating_count, found.version) == (4.1, 12, "3.1")


def test_an_add_on_without_a_rating_has_none():
    shown = '<div class="AddonMeta"><div class="AddonMeta-rating-title">Not rated yet</div></div>'
    assert read_page(page(shown)).rating is None
    assert "Rating" not in facts(read_page(page(shown)))


def test_figures_without_english_labels_are_told_by_their_order():
    card = '<div class="MetadataCard-list"><dt>{}</dt><dd>{}</dd></div>'
    found = read_page(
        page(f'<dl class="AddonMeta">{card.format("Nutzer", "12.345")}{card.format("Bewert.", "67")}</dl>')
    )
    assert (found.users, found.rating_count) == (12345, 67)


def test_reviews_and_other_add_ons_on_the_page_do_not_come_in():
    other = (
        '<ul class="FeaturedAddonReview"><li><div class="Rating" title="Rated 1 out of 5"></div></li></ul>'
        '<section class="AddonsByAuthorsCard"><h1 class="AddonTitle">Other</h1><p class="Addon-summary">Else</p>'
        '<div data-testid="badge-star-full">1.0 (2 reviews)</div></section>'
    )
    found = read_page(page(other))
    assert (found.name, found.summary, found.rating) == ("Buoy Map", None, None)


def test_the_store_fills_what_the_page_does_not_show_and_only_from_its_own_add_on():
    store = {
        "addons": {
            "byID": {
                "1": {"slug": "other", "name": "Other", "guid": "other@b", "weekly_downloads": 1},
                "2": {"slug": "buoy-map", "name": "Stored", "guid": "buoy@b", "weekly_downloads": 90},
            }
        }
    }
    found = read_page(page(f'<script id="redux-store-state" type="application/json">{json.dumps(store)}</script>'))
    assert (found.name, found.guid, found.weekly_downloads) == ("Buoy Map", "buoy@b", 90)


@pytest.mark.parametrize("broken", ['{"@type": ', "[" * 100_000, "null", "[1]", '{"addons": [2]}', ""])
def test_broken_scripts_of_a_page_do_no_harm(broken):
    head = f'{CANONICAL}<script type="application/ld+json">{broken}</script>'
    assert read_page(page(f'<script id="redux-store-state">{broken}</script>', head)).name == "Buoy Map"


def test_definitions_without_a_class_are_told_by_their_labels():
    rows = "<dt>Size</dt><dd>2 KB</dd><dt>Last updated</dt><dd>Mar 6, 2023</dd><dt>License</dt><dd>MIT</dd>"
    more = "<dt>Related Categories</dt><dd><ul><li>Photos, Music</li><li>Tabs</li></ul></dd><dt>Tags</dt><dd>sea</dd>"
    found = read_page(page(f'<dl class="AddonMoreInfo-dl">{rows}{more}</dl>'))
    assert (found.size, found.last_updated, found.licence) == ("2 KB", "Mar 6, 2023", "MIT")
    assert (found.categories, found.tags) == (("Photos, Music", "Tabs"), ("sea",))


def test_links_of_a_page_lose_their_redirect_and_scripts_are_no_links():
    links = (
        f'<a class="AddonMoreInfo-homepage-link" href="{OUTGOING}">Homepage</a>'
        '<a class="AddonMoreInfo-support-email" href="mailto:help@buoys.example">Mail</a>'
    )
    found = read_page(page(links))
    assert (found.homepage, found.support) == ("https://buoys.example/map?a=1", "help@buoys.example")
    assert read_page(page('<a class="AddonMoreInfo-homepage-link" href="javascript:go()">x</a>')).homepage is None


def test_release_notes_of_a_page_come_without_the_head_of_their_card():
    notes = (
        '<section class="AddonDescription-version-notes"><header>Release notes for 2</header>'
        '<div class="ShowMoreCard-contents"><div>New:<ul><li>Maps</li></ul></div></div></section>'
    )
    assert read_page(page(notes)).release_notes == (Block("NarrativeText", "New:"), Block("ListItem", "Maps", 0))


@pytest.mark.parametrize("markup", ["", "<html></html>", f"<html><head>{CANONICAL}</head><body>Loading</body>", "\0"])
def test_a_page_without_a_name_holds_no_add_on(markup):
    with pytest.raises(BrokenError, match=r"^no add-on in it$"):
        read_page(markup)


# Records.


@pytest.mark.parametrize(
    ("name", "default", "wanted"),
    [
        ("Buoys", None, "Buoys"),
        ({"de": "Bojen", "en-US": "Buoys"}, "de", "Buoys"),
        ({"fr": "Bouées", "de": "Bojen"}, "de", "Bojen"),
        ({"en-US": None, "fr": "", "de": "Bojen", "es": "Boyas"}, "fr", "Bojen"),
        ({"_default": "es", "de": "Bojen", "es": "Boyas", "en-US": None}, None, "Boyas"),
        ({"en-US": None}, "en-US", "buoy-map"),
        (None, None, "buoy-map"),
    ],
)
def test_a_text_is_taken_from_the_locale_that_comes_first(name, default, wanted):
    assert read_record({"name": name, "default_locale": default, "slug": "buoy-map"}).name == wanted


@pytest.mark.parametrize(
    "homepage",
    [
        "https://buoys.example/map?a=1",
        {"en-US": "https://buoys.example/map?a=1", "de": None},
        {"url": "https://buoys.example/map?a=1", "outgoing": OUTGOING},
        {"url": {"en-US": "https://buoys.example/map?a=1"}, "outgoing": {"en-US": OUTGOING}},
        OUTGOING,
    ],
)
def test_a_homepage_comes_in_any_shape(homepage):
    assert read_record({"name": "B", "homepage": homepage}).homepage == "https://buoys.example/map?a=1"


@pytest.mark.parametrize(
    ("promoted", "wanted"),
    [
        (None, ()),
        ([], ()),
        ({"category": "recommended", "apps": ["firefox", "android"]}, ("recommended",)),
        ([{"category": "line", "apps": ["firefox"]}, {"category": "spotlight", "apps": []}], ("line", "spotlight")),
        ({"category": None, "apps": []}, ()),
    ],
)
def test_a_promotion_is_an_object_a_list_or_nothing(promoted, wanted):
    assert read_record({"name": "B", "promoted": promoted}).promoted == wanted


@pytest.mark.parametrize("ratings", [None, {}, {"average": 0, "count": None}, {"average": float("nan")}, [4.0]])
def test_ratings_may_be_missing(ratings):
    found = read_record({"name": "B", "ratings": ratings})
    assert (found.rating, found.rating_count) == (None, None)


def test_nulls_are_left_out_of_the_table():
    names = "summary description authors average_daily_users weekly_downloads ratings icon_url tags categories created"
    names += " last_updated homepage support_url promoted guid slug type"
    record = dict.fromkeys(names.split())
    assert facts(read_record({**record, "name": "B", "current_version": {"version": "1", "license": None}})) == {
        "Version": "1"
    }
    assert [e.text for e in to_elements(read_record({**record, "name": "B", "current_version": None}), "s")] == ["B"]


@pytest.mark.parametrize("field", ["file", "files"])
def test_permissions_come_from_one_file_or_many(field):
    one = {"size": 800, "permissions": ["tabs", "storage"]}
    version = {field: one if field == "file" else [one, {"size": 9, "permissions": ["tabs", "alarms"]}, None]}
    found = read_record({"name": "B", "current_version": version})
    assert found.permissions == (("tabs", "storage") if field == "file" else ("tabs", "storage", "alarms"))
    assert found.size == "800 bytes"


@pytest.mark.parametrize(
    ("compatibility", "wanted"),
    [
        ({"firefox": {"min": "57.0", "max": "*"}}, ("Firefox 57.0 and later",)),
        (
            {"android": {"min": "57.0", "max": "60.*"}, "seamonkey": None},
            ("Firefox for Android 57.0 to 60.*", "seamonkey"),
        ),
        ({"firefox": {"max": "60.*"}}, ("Firefox up to 60.*",)),
        (["firefox", "android"], ("Firefox", "Firefox for Android")),
        (None, ()),
    ],
)
def test_compatibility_is_told_in_words(compatibility, wanted):
    assert read_record({"name": "B", "current_version": {"compatibility": compatibility}}).compatibility == wanted


def test_categories_of_several_applications_come_once():
    categories = {"firefox": ["tabs", "other"], "android": ["tabs"]}
    assert read_record({"name": "B", "categories": categories}).categories == ("tabs", "other")


def test_a_flat_record_of_a_list_is_read():
    record = {"name": "B", "url": ADDRESS, "users": 2876.0, "reviews": 17.0, "rating": 4.7, "license": "MIT License"}
    found = read_record({**record, "size": "208.47 KB", "updated": "5 months ago (Feb 27, 2025)", "version": "0.25"})
    assert (found.users, found.rating_count, found.rating, found.slug) == (2876, 17, 4.7, "buoy-map")
    assert (found.licence, found.size, found.last_updated) == ("MIT License", "208.47 KB", "Feb 27, 2025")


@pytest.mark.parametrize("record", [{}, {"name": None}, {"name": {"en-US": " "}, "slug": ""}, {"name": ["B"]}])
def test_a_record_without_a_name_holds_no_add_on(record):
    with pytest.raises(BrokenError, match=r"^no add-on in it$"):
        read_record(record)


@pytest.mark.parametrize(
    "wrong", [7, "x", True, [], {}, [None], {"a": {"b": 1}}, "\ud800", 1e308, 10**400, -1, "(" + "1" * 50_000]
)
def test_fields_of_a_wrong_type_do_no_harm(wrong):
    names = ("summary", "description", "authors", "average_daily_users", "weekly_downloads", "ratings", "icon_url")
    names += (
        "categories",
        "tags",
        "created",
        "homepage",
        "support_url",
        "promoted",
        "current_version",
        "default_locale",
    )
    record = {"name": "B", **dict.fromkeys(names, wrong)}
    versions = ("version", "license", "compatibility", "release_notes", "file", "files")
    for variant in (record, {**record, "current_version": dict.fromkeys(versions, wrong)}):
        elements = to_elements(read_record(variant), "s")
        assert elements[0].text == "B"
        assert all(e.text.encode() for e in elements)


# Descriptions.


def described(html: str) -> list[tuple[str, str]]:
    return [(b.category, b.text) for b in read_record({"name": "B", "description": html}).description]


def test_the_newlines_of_a_record_are_line_breaks():
    text = "One\ntwo <b>three</b>.\n\nLists:\n- EasyBuoy (sea)\n* Other\n1. First\n\n***\n\n<ul>\n<li>Last</li>\n</ul>"
    assert described(text) == [
        ("NarrativeText", "One two three."),
        ("NarrativeText", "Lists:"),
        ("ListItem", "EasyBuoy (sea)"),
        ("ListItem", "Other"),
        ("ListItem", "1. First"),
        ("ListItem", "Last"),
    ]


def test_the_newlines_of_a_page_are_spaces():
    found = read_page(page('<div class="AddonDescription-contents">One\n\ntwo<br>three<br><br>Four</div>'))
    assert [block.text for block in found.description] == ["One two three", "Four"]


def test_scripts_styles_and_comments_leave_no_text():
    assert described("A<script>alert(1)</script> b<!-- c --><style>p{}</style> d<img src=x onerror=e> e") == [
        ("NarrativeText", "A b d e")
    ]


def test_nested_lists_headings_and_code_keep_their_place():
    html = "<h3>How</h3><ul><li>a<ul><li>b</li></ul>c</li></ul><pre>x = 1\n  y</pre>end"
    found = read_record({"name": "B", "description": html}).description
    assert found == (
        Block("Title", "How", 2),
        Block("ListItem", "a", 0),
        Block("ListItem", "b", 1),
        Block("ListItem", "c", 0),
        Block("CodeSnippet", "x = 1\n  y"),
        Block("NarrativeText", "end"),
    )


def test_a_very_deep_description_is_read():
    assert described("start " + "<div>" * 50_000 + "x")[0] == ("NarrativeText", "start")


# Files.


@pytest.mark.parametrize("content", ['{"name": ', "[" * 100_000, '{"a":' * 100_000, "{" + "9" * 9999])
def test_broken_json_is_broken(read, content):
    with pytest.raises(BrokenError, match=r"^broken JSON: "):
        read(content)


def test_a_number_too_long_to_read_is_broken(read):
    with pytest.raises(BrokenError, match=r"^broken JSON: "):
        read('{"name": "B", "average_daily_users": ' + "9" * 10_000 + "}")


@pytest.mark.parametrize("content", ["[]", '[{"title": "A"}, 3]', '{"count": 1, "results": []}'])
def test_a_list_without_add_ons_is_broken(read, content):
    with pytest.raises(BrokenError, match="no add-on in it"):
        read(content)


def listed(name, slug, **more):
    return {"name": name, "url": f"https://addons.mozilla.org/en-US/firefox/addon/{slug}/", **more}


LISTED = [listed("Buoys", "buoys", users=10), listed("Tides", "tides"), {"slug": "buoys", "name": "Buoys again"}]


@pytest.mark.parametrize("shape", [list, lambda r: {"results": r}, lambda r: {"results": [{"addon": a} for a in r]}])
def test_each_add_on_of_a_list_is_a_member_named_by_its_slug(read, shape):
    found = read(json.dumps(shape(LISTED)))
    assert [e.text for e in found.elements] == ["List of 3 add-ons"]
    assert [name for name, _ in found.members] == ["buoys", "tides", "buoys-2"]
    assert json.loads(found.members[0][1])["users"] == 10


ROWS = "".join(
    f"<tr><td><img src='https://addons.mozilla.org/{n}.png'><a href='/en-US/firefox/addon/buoy-{n}/?src=x'>Buoy {n}</a>"
    f"</td><td>{n}00.0</td><td>4.{n}</td><td>Shows buoy {n}.</td></tr>"
    for n in range(1, 7)
)
TABLE = f"<table><tr><th>Name</th><th>Number Users</th><th>Average Rating</th><th>Summary</th></tr>{ROWS}</table>"


def test_a_table_of_add_ons_on_a_page_gives_a_member_a_row_and_the_page_without_it(read):
    said = "<h1>My add-ons</h1><p>These are the add-ons that I use on board.</p>"
    found = read(f"<html><body>{said}{TABLE}</body></html>")
    assert [e.text for e in found.elements] == [
        "My add-ons", "These are the add-ons that I use on board.", "List of 6 add-ons",
    ]  # fmt: skip
    name, data = found.members[1]
    assert name == "buoy-2"
    assert json.loads(data) == {
        "slug": "buoy-2",
        "authors": [],
        "name": "Buoy 2",
        "url": "https://addons.mozilla.org/en-US/firefox/addon/buoy-2/",
        "icon": "https://addons.mozilla.org/2.png",
        "users": "200",
        "rating": "4.2",
        "summary": "Shows buoy 2.",
    }
    assert sniff_bytes(data, name) == "addon"


def test_saved_search_results_are_a_list_of_add_ons(read):
    result = (
        '<li class="SearchResult"><img class="SearchResult-icon" src="https://addons.mozilla.org/i.png">'
        '<h2><a class="SearchResult-link" href="/en-US/firefox/addon/tides/?q=1">Tides</a></h2>'
        '<p class="SearchResult-summary">Shows tides.</p><div class="Rating" title="Rated 4.5 out of 5"></div>'
        '<span class="SearchResult-users-text">1,200 users</span></li>'
    )
    [(name, data)] = read(f"<html><body><ul>{result}</ul></body></html>").members
    addon = read(data.decode())
    assert name == "tides"
    assert [e.text for e in addon.elements[:2]] == ["Tides", "Shows tides."]
    facts = next(e.text for e in addon.elements if e.category == "Table")
    assert "Rating 4.5\nUsers 1,200" in facts
    assert "Icon https://addons.mozilla.org/i.png" in facts


def test_a_page_that_only_names_some_add_ons_is_no_list():
    links = "".join(f'<p><a href="https://addons.mozilla.org/firefox/addon/a{n}/">{n}</a></p>' for n in range(3))
    rows = "<tr><td>1</td></tr>" * 20
    assert not is_addon_list(f"<html>{links}<table>{rows}</table>".encode())
    assert is_addon_list(f"<html>{TABLE}".encode())


def test_a_file_too_large_is_not_read(read, monkeypatch):
    monkeypatch.setattr("ingest.partition.addons.MAX_BYTES", 10)
    with pytest.raises(BrokenError, match="too large"):
        read('{"name": "Buoys"}')


def test_an_icon_is_a_picture_only_where_its_bytes_are_in_the_file(read, samples):
    inside = (samples / "addon-1.html").read_text("utf-8")
    found = read(inside)
    picture = next(e for e in found.elements if e.category == "Image")
    assert found.images[picture.image_path].startswith(b"\x89PNG")
    assert not read(inside, images="off").images
    remote = read(page('<img class="Addon-icon-image" src="https://addons.mozilla.org/icon.png">'))
    assert not remote.images
    assert "icon.png" not in "".join(e.text for e in remote.elements if e.category != "Table")


@pytest.mark.parametrize("data", ["AAAA", "%%%", "A"])
def test_a_broken_icon_is_left_out(read, data):
    found = read(page(f'<img class="Addon-icon-image" src="data:image/png;base64,{data}">'))
    assert [e.category for e in found.elements][:1] == ["Title"]
    assert not found.images


def test_a_page_in_another_charset_is_decoded(read):
    markup = page('<p class="Addon-summary">Für Bojen</p>', '<meta charset="iso-8859-1">' + CANONICAL)
    assert read(markup.encode("latin-1")).elements[1].text == "Für Bojen"
