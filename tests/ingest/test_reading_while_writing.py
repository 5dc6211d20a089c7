"""One process writes, others read and wait: documents whole or not at all, one writer at a time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest import indexing
from ingest.library import Library
from ingest.pipeline import remove
from retrievers import MultiVectorRetriever
from tests.inline_pool import InlinePool
from tests.retrievers.made import BagOfWords, paragraph, put, title

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

WRITE = """
import sys
from ingest.library import Library
from tests.retrievers.made import paragraph, put, title
with Library(sys.argv[1]) as library, library.writing():
    for n in range(int(sys.argv[2])):
        sections = [e for s in range(20) for e in (title(f"Section {s}"), paragraph(f"Herring {n} of section {s}."))]
        put(library, f"herring{n}.pdf", sections)
        print(n, flush=True)
"""
"""Puts documents of 20 chunks into a library and tells each."""

HOLD = """
import sys
from ingest.library import Library
with Library(sys.argv[1]) as library, library.writing():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setattr(indexing, "WorkerPool", InlinePool)
    with Library(tmp_path / "lib", create=True) as opened:
        put(opened, "first.pdf", [title("Pier"), paragraph("The pier is made of oak.")])
        indexing.update_index(opened)
        yield opened


@contextmanager
def other_process(code: str, *args: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process with pipes; it is ended with the block."""
    command = [sys.executable, "-c", code, *map(str, args)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def command(*args: object, cwd: Path) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    pipe = subprocess.PIPE
    words = [sys.executable, "-m", "cli", *map(str, args)]
    return subprocess.Popen(words, env=ENVIRONMENT, cwd=cwd, stdout=pipe, stderr=pipe, text=True)


# Readers.


def test_each_document_is_seen_whole_or_not_at_all_while_another_process_writes(library):
    seen: set[int] = set()
    with other_process(WRITE, library.folder, 30) as writer, Library(library.folder) as reader:
        retriever = MultiVectorRetriever(reader, embedder=BagOfWords())
        while writer.poll() is None:
            with reader.snapshot():
                held = [s for s in reader.sources() if s.id in {i for i, _ in reader.documents()}]
                assert {len(reader.chunks_of(s.id)) for s in held if s.pages is None} <= {1, 20}
                assert {s.id: s.chunks for s in held} == {s.id: len(reader.chunks_of(s.id)) for s in held}
            seen.add(len(held))
            assert all(hit.chunk.text for hit in retriever.retrieve("herring of section 3"))
        assert writer.returncode == 0
        assert len(reader.sources()) == 31
    assert seen


@pytest.mark.parametrize("exact_limit", [50_000, 0], ids=["compared", "chroma"])
def test_a_document_is_found_as_soon_as_it_is_committed_and_not_once_it_left(library, exact_limit):
    with Library(library.folder) as reader:
        retriever = MultiVectorRetriever(reader, embedder=BagOfWords(), exact_limit=exact_limit)
        assert retriever.retrieve("pier of oak")[0].doc == "first.pdf"
        with other_process(WRITE, library.folder, 2) as writer:
            assert writer.stdout is not None
            for n in range(2):
                assert writer.stdout.readline() == f"{n}\n"
                hit = retriever.retrieve(f"Herring {n} of section 7")[0]
                assert (hit.doc, hit.chunk.text) == (f"herring{n}.pdf", f"Section 7\n\nHerring {n} of section 7.")
            writer.wait()
        retriever.close()
        remove(library, ["/docs/herring0.pdf"])
        assert "herring0.pdf" not in {hit.doc for hit in retriever.retrieve("Herring 0 of section 7", 60)}
        retriever.close()


# Writers.


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/note.txt").write_text("The ferry sails at noon.")
    return tmp_path


def test_a_second_ingest_that_may_not_wait_names_the_process_that_writes(docs, library):
    with other_process(HOLD, library.folder) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with command("ingest", "docs", "-l", "lib", "--no-wait", cwd=docs) as second:
            said = second.communicate()[1]
    assert second.returncode == 1
    assert f"is being written by process {holder.pid}" in said


def test_a_second_ingest_waits_with_a_message_and_then_goes_on(docs):
    library = Library(docs / "lib", create=True)
    with other_process(HOLD, library.folder) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with command("ingest", "docs", "-l", "lib", "--json", cwd=docs) as second:
            assert second.stderr is not None
            assert f"waiting for process {holder.pid}, which is writing to" in second.stderr.readline()
            assert library.paths() == {}
            holder.communicate()
            said = second.communicate()[0]
    assert '"state": "ingested"' in said
    assert len(library.paths()) == 1
    library.close()


def test_the_lock_of_a_process_that_was_killed_is_taken_over(docs):
    library = Library(docs / "lib", create=True)
    with other_process(HOLD, library.folder) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    assert library.holder() == holder.pid
    with command("ingest", "docs", "-l", "lib", "--no-wait", cwd=docs) as second:
        second.communicate()
    assert second.returncode == 0
    assert len(library.paths()) == 1
    assert library.holder() is None
    library.close()
