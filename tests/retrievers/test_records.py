import pytest

from ingest.library import Library
from retrievers import MultiVectorRetriever, answer
from retrievers.records import asks_for_addons
from retrievers.shapes import answer_json
from tests.retrievers.made import BagOfWords, paragraph, put, table, title

SITE = "https://addons.mozilla.org/firefox/addon"


def addon(library, name, summary, *, rating=4.0, reviews=100, users=1000, categories="Other"):
    slug = name.lower().replace(" ", "-")
    facts = {
        "Rating": f"{rating:g}",
        "Reviews": f"{reviews:,}",
        "Users": f"{users:,}",
        "Categories": categories,
        "Add-on page": f"{SITE}/{slug}/",
        "Icon": f"https://addons.mozilla.org/{slug}.png",
    }
    rows = "".join(f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in facts.items())
    elements = [title(name), paragraph(summary), title("Facts", 1), table(f"<table>{rows}</table>")]
    put(library, f"{slug}.json", elements, kind="addon")


@pytest.fixture
def ask(tmp_path):
    with Library(tmp_path / "library", create=True) as library:
        addon(library, "Tab Reloader", "Reloads tabs on a timer of your own.", users=9_000, categories="Tabs")
        addon(library, "Tide Table", "Shows the tides of each harbour.", rating=4.9, users=500_000, categories="Tabs")
        addon(library, "Night Reader", "Dark pages for reading at night.", rating=3.0, categories="Appearance")
        addon(library, "Dusk Reader", "Dark pages for reading at dusk.", rating=4.8, categories="Appearance")
        put(library, "notes.txt", [title("Notes"), paragraph("The harbour office opens at nine each morning.")])
        retriever = MultiVectorRetriever(library, embedder=BagOfWords())
        yield lambda question: answer(question, retriever=retriever, model="extractive")


def test_the_best_matching_add_on_comes_first_with_all_that_is_known_of_it(ask):
    found = answer_json(ask("which add-on reloads tabs on a timer?"))
    assert found["found"]
    assert found["records"][0] == {
        "name": "Tab Reloader",
        "doc": "tab-reloader.json",
        "path": found["records"][0]["path"],
        "icon": "https://addons.mozilla.org/tab-reloader.png",
        "description": "Reloads tabs on a timer of your own.",
        "url": f"{SITE}/tab-reloader/",
        "rating": 4.0,
        "reviews": 100,
        "users": 9000,
        "version": None,
    }
    assert found["clarify"] is None


def test_each_suggestion_is_quoted_and_cited(ask):
    found = ask("is there an extension that reloads tabs on a timer?")
    assert found.text.startswith("Tab Reloader: Reloads tabs on a timer of your own. [1]")
    assert (found.citations[0].quote, found.citations[0].verified) == ("Reloads tabs on a timer of your own.", True)
    assert len(found.citations) == len(found.records)


def test_of_two_that_match_alike_the_better_rated_comes_first(ask):
    names = [record.name for record in ask("recommend an add-on with dark pages for reading").records]
    assert names[:2] == ["Dusk Reader", "Night Reader"]


def test_a_vague_request_gets_the_best_rated_and_one_question_back(ask):
    found = ask("I need an add-on")
    assert found.records[0].name == "Tide Table"
    assert found.clarify is not None
    assert found.clarify.count("?") == 1
    assert "Tabs" in found.clarify
    assert "Appearance" in found.clarify


def test_a_purpose_that_no_add_on_has_gets_none(ask):
    found = ask("which add-on converts kilograms into stones?")
    assert (found.records, found.found) == ((), False)


def test_an_add_on_that_shares_the_smaller_part_of_a_purpose_is_no_answer(ask):
    found = ask("which add-on prints dark mural pages?")
    assert (found.records, found.found) == ((), False)


def test_a_question_for_something_else_gets_no_records(ask):
    found = ask("When does the harbour office open?")
    assert found.records == ()
    assert "nine" in found.text


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Which add-on blocks ads?", True),
        ("what Firefox extension saves pages?", True),
        ("I need an add-on", True),
        ("any good plugins for music?", True),
        ("Is there an extension to take notes?", True),
        ("What is the rating of the Buoys extension?", False),
        ("Which permissions does this add-on need?", False),
        ("What does the add-on do?", False),
        ("How long is the extension of the pier?", False),
    ],
)
def test_a_question_asks_for_add_ons_or_about_one(question, asks):
    assert asks_for_addons(question) is asks
