"""The embedder of a library, and the index of its vectors."""

import shutil

import pytest

from ingest.errors import (
    EmbedderMismatchError,
    UsageError,
)
from ingest.pipeline import ingest, reindex
from ingest.settings import Settings
from tests.ingest.desk import FERRY, CountingEmbedder


def test_an_embedder_object_is_used_and_another_is_refused(desk):
    desk.write("a.md", FERRY)
    desk.run()
    assert len(desk.embedder.texts) == 3
    with desk.open() as library:
        assert (library.embedder.name, library.embedder.dimension) == ("counting", 8)
        assert library.matrix()[1].shape == (3, 8)
    with pytest.raises(EmbedderMismatchError, match="pincite reindex --embedder other"):
        desk.run(embedder=CountingEmbedder("other"))
    desk.write("b.md", "# B\n\nMore.\n")
    with pytest.raises(EmbedderMismatchError):
        desk.run(embedder=CountingEmbedder("counting", 4))


@pytest.mark.parametrize("damage", ["deleted", "emptied", "overwritten"])
def test_the_index_is_made_anew_when_its_copy_is_lost(desk, damage):
    desk.write("a.md", FERRY)
    desk.run()
    folder = desk.folder / "lib/chroma"
    if damage == "overwritten":
        (folder / "chroma.sqlite3").write_bytes(b"no database")
    else:
        shutil.rmtree(folder)
    if damage == "emptied":
        folder.mkdir()
    desk.write("b.md", "# B\n\nMore.\n")
    assert desk.states() == {"docs/a.md": "unchanged", "docs/b.md": "ingested"}
    ids, count = desk.indexed()
    assert len(ids) == count == 4
    assert len(desk.embedder.texts) == 1


def test_a_deleted_index_comes_back_with_a_run_that_finds_nothing_new(desk):
    desk.write("a.md", FERRY)
    desk.run()
    shutil.rmtree(desk.folder / "lib/chroma")
    desk.run()
    assert desk.indexed()[1] == 3
    assert desk.embedder.texts == []


def test_reindex_changes_the_embedder_and_the_next_ingest_keeps_to_it(desk):
    desk.write("a.md", FERRY)
    desk.run()
    with desk.open() as library:
        before = sorted(library.matrix()[0].tolist())
        record = reindex(library, Settings(), "wordllama")
        assert (record.name, record.dimension) == ("wordllama", 256)
        assert library.embedder == record
        assert sorted(library.matrix()[0].tolist()) == before
        assert library.matrix()[1].shape == (3, 256)
    assert desk.indexed() == (before, 3)
    (result,) = ingest([desk.docs], desk.folder / "lib")
    assert result.state == "unchanged"
    desk.write("b.md", FERRY + "\nOne more.\n")
    assert {r.state for r in ingest([desk.docs], desk.folder / "lib")} == {"unchanged", "ingested"}


def test_reindexing_with_an_unknown_embedder_changes_nothing(desk):
    desk.write("a.md", FERRY)
    desk.run()
    with desk.open() as library:
        with pytest.raises(UsageError, match="unknown embedder 'none'"):
            reindex(library, Settings(), "none")
        assert library.embedder.name == "counting"
