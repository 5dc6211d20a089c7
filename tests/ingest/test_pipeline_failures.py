"""Files that fail, tasks that are lost, runs that are stopped: each costs itself alone."""

import os
import signal
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest

from ingest import pipeline_embedding, pipeline_stages, reading
from ingest.chunk import ChunkOptions
from ingest.errors import (
    LibraryLockedError,
    LimitError,
    UnsupportedError,
)
from ingest.library import Library
from ingest.pipeline import IngestOptions, ingest
from tests.ingest.desk import FERRY, CountingEmbedder

ROOT = Path(__file__).resolve().parents[2]


def test_a_mistake_while_pages_are_joined_fails_its_file_alone(desk, monkeypatch):
    desk.write("a.md", FERRY)
    monkeypatch.setattr(reading.Reading, "whole", lambda _: {}["none"])
    (result,) = desk.run()
    assert (result.state, result.reason) == ("failed", "cannot be read (KeyError: 'none')")


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
