import sqlite3

import pytest

from ingest.library import Library
from ingest.library_schema import DATABASE
from ingest.types import PageBox
from retrievers import MultiVectorRetriever
from tests.retrievers.made import BagOfWords, element, page, paragraph, put, title

HERRING, BOX = {"herring": 2}, (72.0, 100.0, 200.0, 110.0)


def on(number: int) -> PageBox:
    return PageBox(page=number, box=BOX)


PAGED = (
    title("Catch"),
    paragraph("Herring was landed.", on(1)),
    paragraph("Cod was dear.", on(2)),
    element("Footer", "17", on(2)),
    paragraph("Herring and cod were salted.", on(2)),
)


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "lib", create=True) as opened:
        put(opened, "paged.pdf", PAGED, (page(1), page(2)))
        yield opened


def rows(library: Library, query: str) -> list[tuple]:
    with sqlite3.connect(library.folder / DATABASE) as db:
        return db.execute(query).fetchall()


def without_places(library: Library) -> None:
    """As a library was before places were kept."""
    with sqlite3.connect(library.folder / DATABASE) as db:
        for kind, name in (("TRIGGER", "places_gone"), ("TABLE", "place_keywords"), ("TABLE", "places")):
            db.execute(f"DROP {kind} {name}")
        db.execute("DROP TABLE page_labels")
        db.execute("DROP TABLE chunk_words")
        db.execute("DROP TABLE source_words")
        db.execute("DROP TABLE source_languages")


def test_words_of_a_page_are_found_together_though_no_chunk_has_them_all(library):
    both = library.places.search(library.places.frequencies(["dear", "herring"]), 5)
    assert [place.page for place in both] == [2, 1]
    assert both[0].score > both[1].score


def test_a_search_is_kept_to_sources(library):
    assert library.places.search(HERRING, 5, ["none"]) == []
    assert library.places.search({}, 5) == []


def test_a_number_printed_on_a_page_names_it(library):
    (source,) = [s.id for s in library.sources()]
    assert library.places.labelled([17]) == {(source, 2)}
    assert library.places.labelled([17], ["none"]) == set()
    assert library.places.last_pages([source]) == {source: 2}


def test_where_there_are_no_pages_a_run_of_chunks_is_a_place(library):
    put(library, "notes.txt", [e for n in range(9) for e in (title(f"Part {n}"), paragraph(f"Eel {n} was caught."))])
    found = library.places.search({"eel": 9}, 9)
    assert sorted((place.first, place.last) for place in found) == [(0, 3), (4, 7), (8, 8)]
    assert {place.page for place in found} == {None}
    for place in found:
        keys = library.places.keys_in([place])
        assert [c.number for c in library.places.outlines(keys)] == list(range(place.first, place.last + 1))


def test_what_is_removed_leaves_no_words_behind(library):
    put(library, "old.txt", [paragraph(f"The year 2019 was good for eel. {n}") for n in range(3)])
    assert rows(library, "SELECT count(*) FROM source_words") == [(1,)]
    library.drop_paths(["/docs/old.txt"])
    put(library, "kept.txt", [paragraph("Eel.")])
    library.drop_paths(["/docs/paged.pdf"])
    library.sweep()
    assert library.places.search(HERRING, 5) == []
    assert rows(library, "SELECT count(*) FROM places") == [(1,)]
    assert rows(library, "SELECT count(*) FROM page_labels") == [(0,)]
    assert rows(library, "SELECT count(*) FROM chunk_words") == [(1,)]
    assert rows(library, "SELECT count(*) FROM source_words") == [(0,)]
    assert b"herring" not in b"".join(block for (block,) in rows(library, "SELECT block FROM place_keywords_data"))


def test_a_source_that_is_stored_again_has_its_places_once(library):
    put(library, "paged.pdf", PAGED, (page(1), page(2)))
    assert rows(library, "SELECT count(*) FROM places") == [(2,)]


def test_an_older_library_is_searched_as_it_is_and_completed_when_it_is_written_to(library):
    without_places(library)
    assert library.places.search(HERRING, 5) == []
    retriever = MultiVectorRetriever(library, embedder=BagOfWords())
    assert "Herring" in retriever.retrieve("herring on page 17")[0].chunk.text
    put(library, "more.txt", [paragraph("Herring again.")])
    with library.writing():
        pass
    assert len(library.places.search(HERRING, 5)) == 3
    assert library.places.missing() == []
