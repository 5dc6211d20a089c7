import hashlib
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest

from ingest import indexing, pipeline, pipeline_embedding, pipeline_options, pipeline_stages, reading
from ingest.chunk import ChunkOptions
from ingest.errors import (
    EmbedderMismatchError,
    LibraryLockedError,
    LimitError,
    NewerSchemaError,
    UnsupportedError,
    UsageError,
)
from ingest.library import Library
from ingest.partition import PartitionOptions
from ingest.pipeline import IngestOptions, ingest, library_status, partition_many, reindex, remove
from ingest.settings import Settings
from ingest.types import SourceResult
from ingest.vectors import ChromaIndex
from retrievers import MultiVectorRetriever
from tests.inline_pool import InlinePool

ROOT = Path(__file__).resolve().parents[2]
FERRY = """# Ferry

The ferry sails at noon.

## Fares

A crossing costs 9 euros.

## Pier

The pier is made of oak.
"""


class CountingEmbedder:
    """Vectors by the hash of a text; counts the texts."""

    def __init__(self, name: str = "counting", dimension: int = 8) -> None:
        self.name, self.dimension = name, dimension
        self.texts: list[str] = []

    def embed(self, texts):
        self.texts += texts
        rows = [np.frombuffer(hashlib.sha256(t.encode()).digest()[: self.dimension], np.uint8) + 1.0 for t in texts]
        matrix = np.array(rows, np.float32).reshape(-1, self.dimension)
        return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


class Desk:
    """A folder ``docs``, its library, and ingests whose work is done and counted in this process."""

    def __init__(self, folder: Path, pool: InlinePool) -> None:
        self.folder, self.docs, self.pool = folder, folder / "docs", pool
        self.embedder = CountingEmbedder()
        self.docs.mkdir()

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def run(self, *roots: Path, embedder: CountingEmbedder | None = None, **options) -> list[SourceResult]:
        self.pool.tasks.clear()
        self.embedder.texts.clear()
        given = embedder or self.embedder
        chosen = IngestOptions(**options)
        return list(ingest(roots or [self.docs], self.folder / "lib", options=chosen, embedder=given))

    def states(self, *roots: Path, **options) -> dict[str, str]:
        return {r.path: r.state for r in self.run(*roots, **options)}

    def open(self) -> Library:
        return Library(self.folder / "lib")

    def texts(self) -> str:
        with self.open() as library:
            return "\n".join(c.text for s in library.sources() for c in library.chunks_of(s.id))

    def indexed(self) -> tuple[list[int], int]:
        """The vector ids of SQLite, and how many Chroma holds, after making sure that it has each of those."""
        with self.open() as library:
            ids, matrix = library.matrix()
            assert library.index_work() == ([], [])
            index = ChromaIndex(library.chroma_folder, library.embedder.dimension, create=False)
        try:
            for vector, row in zip(ids.tolist(), matrix, strict=True):
                assert index.search(row, 1, {vector})[0] == (vector, pytest.approx(1, abs=1e-4))
            return ids.tolist(), index.count()
        finally:
            index.close()


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Desk:
    pool = InlinePool(2)
    monkeypatch.setattr(pipeline, "WorkerPool", lambda count, **_: pool)
    monkeypatch.setattr(indexing, "WorkerPool", InlinePool)
    return Desk(tmp_path, pool)


# Sync.


def test_a_first_run_reads_all_and_a_second_does_nothing(desk):
    desk.write("a.md", FERRY)
    desk.write("sub/b.txt", "Plain text of the harbour.\n")
    first = desk.run()
    assert {r.path: (r.state, r.chunks > 0) for r in first} == {
        "docs/a.md": ("ingested", True),
        "docs/sub/b.txt": ("ingested", True),
    }
    assert desk.pool.tasks == ["partition_text"] * 2
    with desk.open() as library:
        before = library.generation
    second = desk.run()
    assert [r.state for r in second] == ["unchanged"] * 2
    assert {(r.path, r.chunks, tuple(r.elements.items())) for r in first} == {
        (r.path, r.chunks, tuple(r.elements.items())) for r in second
    }
    assert (desk.pool.tasks, desk.embedder.texts) == ([], [])
    with desk.open() as library:
        assert library.generation == before


def test_a_changed_file_is_replaced_and_its_old_text_leaves(desk):
    path = desk.write("a.md", "# Title\n\nThe zqxold text.\n")
    desk.write("b.md", "# Other\n\nAnother text.\n")
    desk.run()
    path.write_text("# Title\n\nThe new text.\n")
    assert desk.states() == {"docs/a.md": "ingested", "docs/b.md": "unchanged"}
    assert "new text" in desk.texts()
    held = b"".join(p.read_bytes() for p in (desk.folder / "lib").rglob("*") if p.is_file())
    assert b"zqxold" not in held
    ids, count = desk.indexed()
    assert len(ids) == count


def test_only_the_texts_of_a_changed_paragraph_are_embedded(desk):
    path = desk.write("a.md", FERRY)
    desk.run()
    everything = list(desk.embedder.texts)
    path.write_text(FERRY.replace("9 euros", "11 euros"))
    desk.run()
    assert len(everything) == 3
    assert len(desk.embedder.texts) == 1
    assert "11 euros" in desk.embedder.texts[0]


def test_a_deleted_file_is_removed_from_its_own_root_alone(desk):
    kept, gone = desk.write("kept/a.md", FERRY), desk.write("gone/b.md", "# B\n\nText of b.\n")
    desk.run(kept.parent, gone.parent)
    gone.unlink()
    desk.write("gone/c.txt", "Something else.\n")
    assert desk.states(kept.parent) == {"docs/kept/a.md": "unchanged"}
    assert desk.states(gone.parent) == {"docs/gone/c.txt": "ingested", "docs/gone/b.md": "removed"}
    assert "Text of b" not in desk.texts()


def test_a_file_under_two_roots_is_told_once_and_leaves_when_both_have_lost_it(desk):
    path = desk.write("sub/a.md", FERRY)
    desk.write("sub/b.txt", "b stays.\n")
    assert desk.states(desk.docs, path.parent, path) == {"docs/sub/a.md": "ingested", "docs/sub/b.txt": "ingested"}
    path.unlink()
    assert desk.states() == {"docs/sub/b.txt": "unchanged"}
    assert desk.states(path.parent) == {"docs/sub/b.txt": "unchanged"}
    assert "oak" in desk.texts()
    assert desk.states(path, prune=True) == {"docs/sub/a.md": "removed"}
    assert "oak" not in desk.texts()


def test_a_file_argument_touches_that_file_alone(desk):
    path, other = desk.write("a.md", FERRY), desk.write("b.txt", "A text.\n")
    desk.run()
    other.unlink()
    assert desk.states(path) == {"docs/a.md": "unchanged"}
    assert "A text." in desk.texts()


def test_roots_are_one_by_whatever_path_they_are_named(desk, monkeypatch):
    desk.write("a.md", FERRY)
    desk.run()
    monkeypatch.chdir(desk.docs)
    assert desk.states(Path("../docs"), Path()) == {"docs/a.md": "unchanged"}
    with desk.open() as library:
        assert library.roots() == [str(desk.docs)]


@pytest.mark.parametrize("loss", ["missing", "empty"])
def test_a_root_that_is_suddenly_missing_or_empty_keeps_its_sources_until_pruned(desk, loss):
    desk.write("a.md", FERRY)
    desk.run()
    shutil.rmtree(desk.docs)
    if loss == "empty":
        desk.docs.mkdir()
    (result,) = desk.run()
    what = "the folder is empty" if loss == "empty" else "no such file or folder"
    assert (result.path, result.state) == ("docs", "failed")
    assert result.reason == f"{what}; its sources were kept: 1 (--prune removes them)"
    assert "oak" in desk.texts()
    assert desk.states(prune=True) == {"docs/a.md": "removed"}
    assert desk.texts() == ""


@pytest.mark.parametrize("loss", ["missing", "empty"])
def test_a_folder_inside_on_which_nothing_is_mounted_any_more_keeps_its_sources_until_pruned(desk, monkeypatch, loss):
    desk.write("a.md", FERRY)
    desk.write("share/b.md", "# Costs\n\nThe halibut catch.")
    desk.write("own/c.md", "# Ice\n\nThe ice is thin.")
    monkeypatch.setattr("ingest.discover.mount_points", lambda: frozenset({"/", str(desk.docs / "share")}))
    desk.run()
    monkeypatch.setattr("ingest.discover.mount_points", lambda: frozenset({"/"}))
    shutil.rmtree(desk.docs / "own")
    shutil.rmtree(desk.docs / "share")
    if loss == "empty":
        (desk.docs / "share").mkdir()
    for again in range(2):
        found = {r.path: (r.state, r.reason) for r in desk.run()}
        reason = "nothing is mounted here any more; its sources were kept (--prune removes them)"
        gone = {} if again else {"docs/own/c.md": ("removed", "the file is gone")}
        assert found == {"docs/share": ("failed", reason), "docs/a.md": ("unchanged", None), **gone}
    assert "halibut" in desk.texts()
    assert desk.states(prune=True) == {"docs/a.md": "unchanged", "docs/share/b.md": "removed"}
    assert "halibut" not in desk.texts()
    with desk.open() as library:
        assert library.mounts(str(desk.docs)) == ()


def test_a_mounted_folder_whose_files_are_deleted_is_in_sync(desk, monkeypatch):
    desk.write("a.md", FERRY)
    desk.write("share/b.md", "# Costs\n\nThe halibut catch.")
    monkeypatch.setattr("ingest.discover.mount_points", lambda: frozenset({str(desk.docs / "share")}))
    desk.run()
    (desk.docs / "share/b.md").unlink()
    assert desk.states() == {"docs/a.md": "unchanged", "docs/share/b.md": "removed"}


def test_a_root_that_never_was_fails_and_the_others_are_ingested(desk):
    desk.write("a.md", FERRY)
    results = desk.run(desk.folder / "none", desk.docs)
    assert [(r.path, r.state, r.reason) for r in results] == [
        ("none", "failed", "no such file or folder"),
        ("docs/a.md", "ingested", None),
    ]
    assert desk.states(desk.folder / "none", prune=True) == {"none": "failed"}


def test_an_empty_folder_gives_no_result(desk):
    assert desk.run() == []


def test_a_folder_that_cannot_be_read_keeps_its_sources_and_is_told(desk, monkeypatch):
    desk.write("locked/a.md", FERRY)
    gone = desk.write("b.txt", "A text.\n")
    desk.run()
    gone.unlink()
    scan = os.scandir

    def guarded(folder):
        if str(folder).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    assert desk.states(prune=True) == {"docs/locked": "failed", "docs/b.txt": "removed"}
    assert "oak" in desk.texts()
    assert desk.states(desk.docs / "locked") == {"docs/locked": "failed"}


def test_a_file_that_cannot_be_opened_keeps_its_earlier_content(desk, monkeypatch):
    path = desk.write("a.md", FERRY)
    desk.run()
    real = os.open

    def guarded(name, *rest, **named):
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied")
        return real(name, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", guarded)
        (result,) = desk.run()
    assert result.state == "failed"
    assert result.reason == "cannot be read: permission denied; its earlier content was kept"
    assert "oak" in desk.texts()
    assert desk.states() == {"docs/a.md": "unchanged"}


@pytest.fixture
def meanwhile(desk, monkeypatch):
    """Has something done each time that a file was read in a worker, before what was read is taken."""

    def then(act):
        real = desk.pool.submit

        def submit(function, *args, **options):
            future = real(function, *args, **options)
            if desk.pool.tasks[-1] == "partition_text":
                act()
            return future

        monkeypatch.setattr(desk.pool, "submit", submit)

    return then


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(desk, meanwhile):
    path = desk.write("a.md", FERRY)
    new = FERRY.replace("oak", "steel")
    meanwhile(lambda: path.write_text(new) if path.read_text() == FERRY else None)
    (result,) = desk.run()
    assert (result.state, desk.pool.tasks) == ("ingested", ["partition_text"] * 2)
    assert "steel" in desk.texts()
    assert "oak" not in desk.texts()
    with desk.open() as library:
        assert library.path(str(path)).source_id == hashlib.sha256(new.encode()).hexdigest()


def test_a_failure_to_read_what_a_file_was_before_does_not_count(desk, meanwhile):
    path = desk.write("a.pdf", b"%PDF-1.7\nbroken\n")
    meanwhile(lambda: path.write_text("<html><body><p>Now a page.</p></body></html>"))
    with Library(desk.folder / "lib", create=True) as library:
        (result,) = desk.run()
        assert result.state == "failed"
        assert result.reason.startswith("is being written")
        assert library.path(str(path)).failed_key is None


def test_a_link_that_takes_a_files_place_while_it_is_read_brings_nothing_in(desk, meanwhile):
    path = desk.write("a.txt", "Public text.\n")
    secret = desk.folder / "secret.txt"
    secret.write_text("A zqxsecret text.\n")

    def swap():
        path.unlink(missing_ok=True)
        path.symlink_to(secret)

    meanwhile(swap)
    (result,) = desk.run()
    assert (result.state, result.reason) == ("skipped", "not a regular file")
    assert desk.texts() == ""


def test_a_file_that_is_written_to_all_the_time_keeps_its_earlier_content(desk, meanwhile):
    path = desk.write("a.md", FERRY)
    desk.run()
    path.write_text("Another text.\n")
    meanwhile(lambda: path.write_text(path.read_text() + "And more.\n"))
    (result,) = desk.run()
    assert (result.state, len(desk.pool.tasks)) == ("failed", 3)
    assert result.reason == "is being written; the next ingest reads it; its earlier content was kept"
    assert "oak" in desk.texts()


def test_links_are_followed_on_request_alone(desk):
    outside = desk.folder / "outside.md"
    outside.write_text(FERRY)
    (desk.docs / "a.md").symlink_to(outside)
    assert desk.states() == {}
    assert desk.states(desk.docs / "a.md") == {"docs/a.md": "ingested"}
    assert desk.states(follow_symlinks=True) == {"docs/a.md": "unchanged"}


def test_the_same_size_and_time_do_not_hide_a_change(desk):
    path = desk.write("a.md", FERRY)
    desk.run()
    before = path.stat()
    path.write_text(FERRY.replace("9 euros", "8 euros"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert desk.states() == {"docs/a.md": "ingested"}
    assert "8 euros" in desk.texts()


def test_files_that_may_still_be_written_to_are_left_as_they_are_known(desk):
    path = desk.write("a.md", FERRY)
    assert desk.run(still=3600) == []
    assert desk.states() == {"docs/a.md": "ingested"}
    path.write_text("Another text.\n")
    assert desk.run(still=3600) == []
    assert "oak" in desk.texts()
    assert desk.states(still=1e-9) == {"docs/a.md": "ingested"}
    assert "Another text." in desk.texts()


def test_another_time_alone_is_no_change(desk):
    path = desk.write("a.md", FERRY)
    desk.run()
    os.utime(path, (1, 1))
    assert desk.states() == {"docs/a.md": "unchanged"}
    assert (desk.pool.tasks, desk.embedder.texts) == ([], [])


def test_a_mistake_while_pages_are_joined_fails_its_file_alone(desk, monkeypatch):
    desk.write("a.md", FERRY)
    monkeypatch.setattr(reading.Reading, "whole", lambda _: {}["none"])
    (result,) = desk.run()
    assert (result.state, result.reason) == ("failed", "cannot be read (KeyError: 'none')")


def test_the_library_folder_is_never_ingested(desk):
    desk.write("a.md", FERRY)
    desk.run()
    (desk.folder / "lib/images/b.md").write_text("# B\n\nFrom the library.\n")
    assert set(desk.states(desk.folder)) == {"docs/a.md"}
    (result,) = desk.run(desk.folder / "lib/images")
    assert (result.state, result.reason) == ("failed", "lies in the library's own folder, which is never ingested")


def test_no_path_at_all_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="name a file or a folder"):
        list(ingest([], tmp_path / "lib"))


# Files that fail.


def test_a_broken_file_does_not_stop_the_run_and_is_not_read_again(desk):
    path = desk.write("a.docx", b"PK\x03\x04 broken")
    bad = desk.write("b.pdf", b"%PDF-1.7\nbroken\n")
    desk.write("c.xyz", "unknown")
    desk.write("d.md", FERRY)
    desk.write("e.md", b"")
    expected = {
        "docs/a.docx": "failed",
        "docs/b.pdf": "failed",
        "docs/c.xyz": "skipped",
        "docs/d.md": "ingested",
        "docs/e.md": "failed",
    }
    first = desk.run()
    assert {r.path: r.state for r in first} == expected
    again = desk.run()
    assert {r.path: (r.state, r.reason) for r in again} == {
        r.path: ("unchanged" if r.state == "ingested" else r.state, r.reason) for r in first
    }
    assert desk.pool.tasks == []
    desk.run(retry_failed=True)
    assert desk.pool.tasks == ["partition_text"]
    bad.write_text("# Now a text\n")
    path.write_bytes(b"")
    assert desk.states()["docs/b.pdf"] == "failed"
    bad.write_text("<html><body><p>Now a page of its own.</p></body></html>")
    assert desk.states()["docs/b.pdf"] == "ingested"


def test_a_file_that_breaks_gives_up_what_it_held(desk):
    path = desk.write("a.md", FERRY)
    desk.run()
    path.write_bytes(b"")
    assert desk.states() == {"docs/a.md": "failed"}
    assert desk.texts() == ""


@pytest.mark.parametrize(
    ("task", "error", "reason"),
    [
        ("partition_text", LimitError("its reader crashed (signal SIGSEGV)"), "its reader crashed (signal SIGSEGV)"),
        ("embed_texts", LimitError("took too long"), "could not be embedded: took too long"),
    ],
)
def test_a_lost_worker_fails_its_file_once_and_a_retry_reads_it(desk, task, error, reason, monkeypatch):
    monkeypatch.setattr(pipeline_embedding, "EMBED_BATCH", 1)
    desk.write("a.md", FERRY)
    desk.pool.broken[task] = error
    results = list(ingest([desk.docs], desk.folder / "lib"))
    assert [(r.state, r.reason) for r in results] == [("failed", reason)]
    desk.pool.broken.clear()
    (result,) = ingest([desk.docs], desk.folder / "lib", options=IngestOptions(retry_failed=True))
    assert result.state == "ingested"


def test_a_mistake_while_chunking_fails_its_file_alone(desk, monkeypatch):
    desk.write("a.md", FERRY)
    desk.write("b.txt", "A text.\n")
    real = pipeline_stages.chunk

    def mistaken(*args, doc, **options):
        return {}[doc] if doc == "a.md" else real(*args, doc=doc, **options)

    monkeypatch.setattr(pipeline_stages, "chunk", mistaken)
    results = {r.path: (r.state, r.reason) for r in desk.run()}
    assert results == {
        "docs/a.md": ("failed", "cannot be read (KeyError: 'a.md')"),
        "docs/b.txt": ("ingested", None),
    }


def test_a_type_that_its_reader_refuses_is_skipped_in_every_run(desk):
    desk.write("a.md", FERRY)
    desk.pool.broken["partition_text"] = UnsupportedError("not a type that is read (odd)")
    first, second = desk.run(), desk.run()
    assert [(r.state, r.reason) for r in first + second] == [("skipped", "not a type that is read (odd)")] * 2
    assert desk.pool.tasks == []


# Work that is kept.


def test_a_moved_file_keeps_its_work(desk):
    path = desk.write("a.md", FERRY)
    desk.run()
    path.rename(desk.docs / "b.md")
    assert desk.states() == {"docs/b.md": "ingested", "docs/a.md": "removed"}
    assert (desk.pool.tasks, desk.embedder.texts) == ([], [])
    assert desk.texts().count("oak") == 1


def test_the_same_bytes_at_two_paths_are_read_once(desk):
    for name in ("a.md", "b.md", "c/d.md"):
        desk.write(name, FERRY)
    assert set(desk.states().values()) == {"ingested"}
    assert desk.pool.tasks == ["partition_text"]
    assert desk.texts().count("oak") == 1


def test_another_chunk_option_chunks_again_without_reading(desk):
    desk.write("a.md", FERRY)
    desk.run()
    (result,) = desk.run(chunk=ChunkOptions(chunking="by_page"))
    assert (result.state, result.chunks) == ("ingested", 1)
    assert desk.pool.tasks == []
    assert desk.states(chunk=ChunkOptions(chunking="by_page")) == {"docs/a.md": "unchanged"}


def test_another_partition_option_reads_again_and_embeds_nothing_known(desk):
    desk.write("a.md", FERRY)
    desk.run()
    options = PartitionOptions(images="off")
    assert desk.states(partition=options) == {"docs/a.md": "ingested"}
    assert (desk.pool.tasks, desk.embedder.texts) == (["partition_text"], [])
    assert desk.states(partition=options) == {"docs/a.md": "unchanged"}


@pytest.mark.parametrize(("stage", "reads"), [("PARTITION_VERSION", ["partition_text"]), ("CHUNK_VERSION", [])])
def test_what_an_earlier_version_derived_is_derived_again_and_told(desk, monkeypatch, caplog, stage, reads):
    desk.write("a.md", FERRY)
    desk.run()
    assert not caplog.messages
    monkeypatch.setattr(pipeline_options, stage, str(int(getattr(pipeline_options, stage)) + 1))
    assert desk.states() == {"docs/a.md": "ingested"}
    assert desk.pool.tasks == reads
    assert desk.embedder.texts == []
    (told,) = caplog.messages
    assert told.endswith("what an earlier pincite read is brought up to date now: 1 documents")
    assert desk.states() == {"docs/a.md": "unchanged"}
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("stage", ["PARTITION_VERSION", "CHUNK_VERSION"])
def test_what_a_newer_version_derived_is_refused(desk, monkeypatch, stage):
    desk.write("a.md", FERRY)
    desk.run()
    monkeypatch.setattr(pipeline_options, stage, "0")
    with pytest.raises(NewerSchemaError, match="upgrade pincite"):
        desk.run()


def test_the_warnings_of_an_earlier_reading_do_not_outlive_it(desk, monkeypatch):
    desk.write("a.md", FERRY)
    real = reading.partition_text

    def partition_text(source, options):
        return replace(real(source, options), warnings=("page 1: odd",) if options.images == "auto" else ())

    monkeypatch.setattr(reading, "partition_text", partition_text)
    assert desk.run()[0].warnings == ("page 1: odd",)
    assert desk.run(chunk=ChunkOptions(chunking="by_page"))[0].warnings == ("page 1: odd",)
    assert desk.run(partition=PartitionOptions(images="off"))[0].warnings == ()


# The embedder and the index.


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
        before = library.matrix()[0].tolist()
        record = reindex(library, Settings(), "wordllama")
        assert (record.name, record.dimension) == ("wordllama", 256)
        assert library.embedder == record
        assert library.matrix()[0].tolist() == before
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


# Removal, status, progress.


def test_remove_takes_files_and_folders_out_and_says_what_it_does_not_know(desk):
    path = desk.write("a.md", "# A\n\nThe zqx text.\n")
    desk.write("sub/b.md", "# B\n\nThe zqx other.\n")
    desk.write("c.md", "# C\n\nStays.\n")
    desk.run()
    with desk.open() as library:
        results = remove(library, ["docs/a.md", desk.docs / "sub", desk.docs / "none.md"])
    assert [(r.path, r.state, r.reason) for r in results] == [
        ("docs/a.md", "removed", "removed on request"),
        ("docs/sub/b.md", "removed", "removed on request"),
        (str(desk.docs / "none.md"), "failed", "not in this library"),
    ]
    assert b"zqx" not in b"".join(p.read_bytes() for p in (desk.folder / "lib").rglob("*") if p.is_file())
    assert desk.indexed()[1] == 1
    assert path.exists()


def test_the_status_tells_each_path_as_it_stands(desk):
    desk.write("a.md", FERRY)
    desk.write("b.xyz", "unknown")
    desk.write("c.md", "")
    desk.run()
    desk.run()
    with desk.open() as library:
        found = {r.path: (r.state, r.reason, r.chunks) for r in library_status(library)}
    assert found == {
        "docs/a.md": ("ingested", None, 3),
        "docs/b.xyz": ("skipped", "not a type that is read (xyz)", 0),
        "docs/c.md": ("failed", "empty file (0 bytes)", 0),
    }


def test_a_name_that_is_not_utf8_goes_all_the_way(desk):
    raw = os.fsencode(desk.docs) + b"/caf\xe9.md"
    shutil.copy(desk.write("a.md", FERRY), os.fsdecode(raw))
    assert desk.states() == {"docs/a.md": "ingested", "docs/caf\\xe9.md": "ingested"}
    (desk.docs / "a.md").unlink()
    desk.run()
    assert desk.states() == {"docs/caf\\xe9.md": "unchanged"}
    with desk.open() as library:
        assert [os.fsencode(p) for p in library.paths()] == [raw]
        assert [r.state for r in remove(library, ["docs/caf\\xe9.md"])] == ["removed"]


def test_a_pdf_whose_name_is_not_utf8_is_read(desk, samples):
    shutil.copy(samples / "report.pdf", os.fsdecode(os.fsencode(desk.docs) + b"/caf\xe9.pdf"))
    (result,) = desk.run()
    assert (result.path, result.state, result.pages) == ("docs/caf\\xe9.pdf", "ingested", 7)


def test_progress_counts_files_and_names_the_stage(desk):
    desk.write("a.md", FERRY)
    desk.write("b.txt", "A text.\n")
    seen = []
    list(ingest([desk.docs], desk.folder / "lib", embedder=desk.embedder, on_progress=seen.append))
    assert {p.total for p in seen} == {2}
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    assert seen[-1].done == 2
    assert {"reading", "chunking", "indexing"} <= {p.stage for p in seen}


def test_an_ingest_that_may_not_wait_exits_while_another_writes(desk):
    desk.write("a.md", FERRY)
    desk.run()
    with desk.open() as library, library.writing(), pytest.raises(LibraryLockedError):
        desk.run(wait=False)


def test_what_a_run_that_was_given_up_has_finished_is_kept(desk):
    for n in range(3):
        desk.write(f"{n}.md", FERRY.replace("noon", f"{n}"))
    results = ingest([desk.docs], desk.folder / "lib", embedder=desk.embedder)
    first = next(results)
    results.close()
    states = desk.states()
    assert states[first.path] == "unchanged"
    assert len(states) == 3
    assert desk.indexed()[1] == len(desk.indexed()[0])


def test_many_files_are_partitioned_in_the_order_given_with_their_errors(desk):
    paths = [desk.write("b.md", FERRY), desk.docs / "none.md", desk.write("c.md", ""), desk.write("a.txt", "A text.\n")]
    found = list(partition_many(paths, Settings(), PartitionOptions()))
    assert [path for path, _ in found] == paths
    assert [str(result) for _, result in found[1:3]] == [
        "cannot be read: No such file or directory",
        "empty file (0 bytes)",
    ]
    assert [len(result.elements) for _, result in (found[0], found[3])] == [6, 1]


# With worker processes.


def contents(library: Library) -> tuple:
    """All that an ingest of the same files gives alike; vector ids aside, which count attempts."""
    sources = sorted((s.id, s.format, s.pages, tuple(s.elements.items()), s.warnings) for s in library.sources())
    chunks = [library.chunk(c.chunk_id) for s in sources for c in library.chunks_of(s[0])]
    matrix = sorted(row.tobytes() for row in library.matrix()[1])
    return sources, chunks, matrix, sorted((p.path, p.source_id, p.state) for p in library.paths().values())


def test_a_run_that_was_killed_is_completed_to_what_an_undisturbed_one_gives(desk):
    for n in range(6):
        desk.write(f"{n}.md", FERRY.replace("noon", f"{n} o'clock"))
    list(ingest([desk.docs], desk.folder / "undisturbed"))
    command = [sys.executable, "-m", "cli", "ingest", "docs", "--json", "-l", "lib", "--jobs", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=desk.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as run:
        assert run.stdout is not None
        first = run.stdout.readline()
        run.send_signal(signal.SIGKILL)
    assert b'"state": "ingested"' in first
    results = list(ingest([desk.docs], desk.folder / "lib"))
    assert {r.state for r in results} <= {"unchanged", "ingested"}
    assert results[0].state == "unchanged"
    with desk.open() as disturbed, Library(desk.folder / "undisturbed") as undisturbed:
        assert contents(disturbed) == contents(undisturbed)
    ids, count = desk.indexed()
    assert len(ids) == count


# --- containers ---------------------------------------------------------------------------------


def mail(*attachments: tuple[str, bytes]) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Timetable", "a@ferry.example", "b@ferry.example"
    message.set_content("The new timetable is attached.")
    for name, data in attachments:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def test_parts_of_a_container_come_go_and_are_told_with_it(desk):
    path = desk.write("note.eml", mail(("ferry.md", FERRY.encode())))
    shown = ["docs/note.eml", "docs/note.eml!/ferry.md"]
    assert desk.states() == dict.fromkeys(shown, "ingested")
    assert desk.states() == dict.fromkeys(shown, "unchanged")
    assert not desk.pool.tasks
    with desk.open() as library:
        assert [r.path for r in library_status(library)] == shown
    path.unlink()
    desk.write("other.md", FERRY)
    desk.run()
    with desk.open() as library:
        assert [s.format for s in library.sources()] == ["md"]
        assert not list((library.folder / "members").iterdir())


def test_parts_that_a_stopped_run_left_out_are_read_by_the_next(desk):
    desk.write("note.eml", mail(("ferry.md", FERRY.encode())))
    desk.run()
    with desk.open() as library:
        (container,) = [s for s in library.sources() if s.parent_id is None]
        library.keep_members(container.id, [])
        library.sweep()
        assert not library.members(container.id)
    desk.run()
    with desk.open() as library:
        assert [m.member for m in library.members(container.id)] == ["ferry.md"]


def test_a_part_that_fails_is_told_in_every_run(desk):
    desk.write("note.eml", mail(("broken.pdf", b"%PDF-1.7 nothing")))
    for _ in range(2):
        (failed,) = [r for r in desk.run() if r.state == "failed"]
        assert failed.path == "docs/note.eml!/broken.pdf"


def test_a_failed_embedding_keeps_what_the_same_bytes_gave_before(desk, monkeypatch):
    desk.write("ferry.md", FERRY)
    desk.run()
    broken = CountingEmbedder()
    monkeypatch.setattr(broken, "embed", refuse_to_embed)
    (result,) = desk.run(embedder=broken, chunk=ChunkOptions(max_characters=20))
    assert result.state == "failed"
    assert "earlier content was kept" in result.reason
    with desk.open() as library:
        assert len(library.sources()) == 1
    assert desk.states(chunk=ChunkOptions(max_characters=20)) == {"docs/ferry.md": "ingested"}


def refuse_to_embed(_):
    raise LimitError("its reader crashed")


def test_a_document_is_found_by_each_of_its_names(desk):
    desk.write("annual.md", FERRY)
    desk.write("copy/zcopy.md", FERRY)
    desk.run()
    with desk.open() as library:
        assert sorted(Path(path).name for _, path in library.documents()) == ["annual.md", "zcopy.md"]
        retriever = MultiVectorRetriever(library, embedder=desk.embedder)
        assert retriever.retrieve("ferry", doc="zcopy.md")
        assert retriever.retrieve("ferry", doc="a*.md")
        assert not retriever.retrieve("ferry", doc="b*.md")


def test_a_missing_path_leaves_no_library_behind(tmp_path):
    (result,) = ingest([tmp_path / "nosuch"], tmp_path / "lib")
    assert (result.state, result.reason) == ("failed", "no such file or folder")
    assert not (tmp_path / "lib").exists()


def test_small_files_share_tasks_and_a_lost_one_costs_itself_alone(desk, monkeypatch):
    for number in range(5):
        desk.write(f"{number}.txt", f"Text number {number}.\n")
    bundled = []

    def lost(calls):
        bundled.append(len(calls))
        future = Future()
        future.set_exception(LimitError("its reader crashed (signal SIGSEGV)"))
        return future

    monkeypatch.setattr(desk.pool, "each", lost)
    real = reading.partition_text

    def crashing(source, options):
        if source.path.name == "3.txt":
            raise LimitError("its reader crashed (signal SIGSEGV)")
        return real(source, options)

    monkeypatch.setattr(reading, "partition_text", crashing)
    assert desk.states() == {f"docs/{n}.txt": "failed" if n == 3 else "ingested" for n in range(5)}
    assert bundled[0] == 5
    assert desk.states() == {f"docs/{n}.txt": "failed" if n == 3 else "unchanged" for n in range(5)}


def test_an_interrupted_write_of_many_sources_leaves_none_half_written(desk, monkeypatch):
    for number in range(5):
        desk.write(f"{number}.txt", f"Text number {number}.\n")
    real, done = Library.put_source, []

    def failing(library, record, *rest):
        done.append(record.id)
        if len(done) == 3:
            raise KeyboardInterrupt
        real(library, record, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Library, "put_source", failing)
        with pytest.raises(KeyboardInterrupt):
            desk.run()
    with desk.open() as library:
        held = [record.id for record in library.sources()]
        assert {known.source_id for known in library.paths().values()} == set(held)
    assert set(desk.states().values()) <= {"ingested", "unchanged"}
    assert all(f"Text number {number}." in desk.texts() for number in range(5))
