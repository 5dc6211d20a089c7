"""The index is disposable, and what left the library is in none of its bytes."""

import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ingest import indexing
from ingest.errors import LibraryError
from ingest.indexing import drop_index, update_index
from ingest.library import Library
from ingest.library_index import damage_of
from ingest.pipeline import ingest, reindex, remove
from ingest.settings import Settings
from ingest.workers import WorkerPool
from retrievers import MultiVectorRetriever
from retrievers.history import Session, Turn, gone_sources
from retrievers.history_sqlite import SQLiteHistory
from tests.inline_pool import InlinePool
from tests.retrievers.made import BagOfWords, paragraph, put, table, title

QUESTIONS = ["Which ship sails to Brackholm?", "engine overhaul", "rope and ice at berth 7", "berth 23", "halibut"]


def fill(library: Library) -> None:
    put(library, "ferries.pdf", [title("Ferries"), paragraph("MV Eider sails between Halvane and Brackholm.")])
    put(library, "costs.pdf", [table("<table><tr><th>Work</th><td>Engine overhaul</td></tr></table>")])
    put(library, "many.pdf", [e for n in range(40) for e in (title(f"Berth {n}"), paragraph(f"Ice and rope {n}."))])


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A library with its index, written by a process of its own as users have it."""
    folder = tmp_path_factory.mktemp("sound") / "lib"
    with Library(folder, create=True) as library:
        fill(library)
        update_index(library)
    return folder


@pytest.fixture
def library(sound, tmp_path, monkeypatch):
    """A copy of that library, whose index is written in this process."""
    monkeypatch.setattr(indexing, "WorkerPool", InlinePool)
    shutil.copytree(sound, tmp_path / "lib")
    with Library(tmp_path / "lib") as opened:
        yield opened


def by_chroma(library: Library) -> MultiVectorRetriever:
    return MultiVectorRetriever(library, embedder=BagOfWords(), exact_limit=0)


def uses_chroma(retriever: MultiVectorRetriever) -> bool:
    return retriever._vectors._chroma is not None


def answers(retriever: MultiVectorRetriever) -> list:
    try:
        return [retriever.retrieve(question) for question in QUESTIONS]
    finally:
        retriever.close()


def all_compared(library: Library) -> list:
    return answers(MultiVectorRetriever(library, embedder=BagOfWords()))


# Damage.


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


FILES = ["chroma.sqlite3", "data_level0.bin", "header.bin", "index_metadata.pickle", "length.bin", "link_lists.bin"]


def test_these_are_all_the_files_of_an_index(library):
    assert sorted(path.name for path in library.chroma_folder.rglob("*") if path.is_file()) == FILES


@pytest.mark.parametrize("harm", [halve, zero, Path.unlink], ids=["truncated", "zeroed", "deleted"])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_noticed_told_once_answered_without_and_made_good(library, caplog, monkeypatch, name, harm):
    expected = all_compared(library)
    (path,) = library.chroma_folder.rglob(name)
    harm(path)
    retriever = by_chroma(library)
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        # Opening damaged files can hang or crash: it is never tried.
        patch.delattr("ingest.vectors._connect")
        assert answers(retriever) == expected
        assert [retriever.retrieve(question) for question in QUESTIONS] == expected
    (told,) = caplog.messages
    assert name in told
    assert "the next `pincite ingest` makes it anew; until then all vectors are compared" in told
    assert not uses_chroma(retriever)
    update_index(library)
    assert f"{name}" in caplog.messages[1]
    assert [retriever.retrieve(question) for question in QUESTIONS] == expected
    assert uses_chroma(retriever)
    retriever.close()


def test_a_file_of_the_graph_that_lies_in_one_byte_is_noticed(library):
    (path,) = library.chroma_folder.rglob("data_level0.bin")
    flip(path)
    assert damage_of(library.chroma_folder, library.index_seal()) is not None


def test_damage_under_an_open_index_is_noticed_at_the_next_question(library, caplog):
    expected, retriever = all_compared(library), by_chroma(library)
    retriever.retrieve("ice")
    assert uses_chroma(retriever)
    zero(library.chroma_folder / "chroma.sqlite3")
    with caplog.at_level(logging.WARNING):
        assert [retriever.retrieve(question) for question in QUESTIONS] == expected
    assert not uses_chroma(retriever)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("command", ["remove", "reindex", "ingest"])
def test_each_command_that_writes_makes_a_damaged_index_good(library, command, tmp_path):
    shutil.rmtree(library.chroma_folder)
    if command == "remove":
        remove(library, ["/docs/costs.pdf"])
    elif command == "reindex":
        reindex(library, Settings(jobs=1), "wordllama")
    else:
        (tmp_path / "note.txt").write_text("The halibut catch.")
        list(ingest([tmp_path / "note.txt"], library.folder, embedder=BagOfWords()))
    assert library.index_work() == ([], [])
    assert library.index_seal()
    assert damage_of(library.chroma_folder, library.index_seal()) is None


def test_a_sound_index_is_left_as_it_is(library, caplog):
    before = library.index_seal()
    update_index(library)
    assert library.index_seal() == before
    assert not caplog.messages


def test_reading_leaves_the_seal_whole(library):
    for _ in range(3):
        answers(by_chroma(library))
        assert damage_of(library.chroma_folder, library.index_seal()) is None


@pytest.mark.parametrize("count", [1, 2])
def test_an_index_of_few_vectors_is_written_whole_so_that_reading_writes_none(tmp_path, count):
    with Library(tmp_path / "lib", create=True) as library:
        for n in range(count):
            put(library, f"{n}.txt", [paragraph(f"Halibut {n}.")])
        update_index(library)
        answers(by_chroma(library))
        assert damage_of(library.chroma_folder, library.index_seal()) is None


def test_an_index_whose_writing_was_cut_short_is_made_anew(library):
    put(library, "new.pdf", [paragraph("The halibut catch.")])
    library.unseal_index()
    retriever = by_chroma(library)
    assert answers(retriever) == all_compared(library)
    update_index(library)
    assert library.index_work() == ([], [])
    answers(retriever)
    assert damage_of(library.chroma_folder, library.index_seal()) is None


def test_another_release_of_chroma_makes_its_files_anew(library, monkeypatch):
    monkeypatch.setattr("ingest.library_index._chroma_version", lambda: "9.9.9")
    os.utime(library.chroma_folder / "chroma.sqlite3")
    assert damage_of(library.chroma_folder, library.index_seal()) == "chroma.sqlite3 is not what was written"


def test_an_index_that_hangs_when_it_is_opened_is_given_up_told_once_and_answered_without(library, caplog, monkeypatch):
    expected, go_on = all_compared(library), threading.Event()
    monkeypatch.setattr("retrievers.multi_vector.OPEN_SECONDS", 0.05)
    monkeypatch.setattr("ingest.vectors._connect", lambda _: go_on.wait() and 1 / 0)
    retriever = by_chroma(library)
    with caplog.at_level(logging.WARNING):
        assert [retriever.retrieve(question) for question in QUESTIONS] == expected
    (told,) = caplog.messages
    assert "could not be opened in 0.05" in told
    go_on.set()


def test_an_index_that_cannot_be_opened_again_is_not_sealed(library, monkeypatch):
    put(library, "new.pdf", [paragraph("The halibut catch.")])

    def refuse(*_: object) -> int:
        raise LibraryError("it does not open")

    monkeypatch.setattr(indexing, "_count_afresh", refuse)
    with pytest.raises(LibraryError, match="it does not open"):
        update_index(library)
    assert not library.index_seal()
    assert answers(by_chroma(library)) == all_compared(library)


def crash(*_: object) -> None:
    os.abort()


def hang(*_: object) -> None:
    threading.Event().wait()


@pytest.mark.parametrize(("task", "cause"), [(crash, "signal SIGABRT"), (hang, "took too long")])
def test_a_writer_that_crashes_or_hangs_costs_its_process_alone(sound, tmp_path, monkeypatch, task, cause):
    shutil.copytree(sound, tmp_path / "lib")
    monkeypatch.setattr(indexing, "write_index", task)
    monkeypatch.setattr(indexing, "OPEN_SECONDS", 0.5)
    with Library(tmp_path / "lib") as library:
        drop_index(library)
        with pytest.raises(indexing.LibraryError, match=f"could not be written .*{cause}"):
            update_index(library)
        assert answers(by_chroma(library)) == all_compared(library)


def test_sources_are_written_in_groups_of_about_as_many_vectors(library, monkeypatch):
    monkeypatch.setattr(indexing, "AT_ONCE", 4)
    sources = [record.id for record in library.sources()]
    counts = library.vector_counts(sources)
    groups = list(indexing._groups(library, sources))
    assert [source for group in groups for source in group] == sources
    assert len(groups) > 1
    assert all(len(group) == 1 or sum(counts[s] for s in group) <= 4 for group in groups)


# What left is gone.

WORD = "zqxylophone"


def a_picture(folder: Path) -> Path:
    picture = Image.new("RGB", (900, 300), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, 880, 280), outline="navy", width=6)
    draw.ellipse((650, 60, 850, 240), fill="orange")
    draw.text((60, 110), WORD.upper(), fill="black", font_size=70)
    path = folder / "picture.png"
    picture.save(path)
    return path


def a_document(folder: Path, name: str, word: str) -> Path:
    """A document with a word in its title, its text, a table, its file name and a picture's caption."""
    from docx import Document

    document = Document()
    document.add_heading(f"{word}title of the report", 1)
    for n in range(60):
        document.add_paragraph(
            f"Paragraph {n} tells of the {word}text and of the {word}{n} at the pier. " * (n % 7 + 1)
        )
    grid = document.add_table(rows=3, cols=2)
    for n, cell in enumerate(c for row in grid.rows for c in row.cells):
        cell.text = f"{word}cell{n}"
    if word == WORD:
        document.add_picture(str(a_picture(folder.parent)))
        document.add_paragraph(f"Figure 1: the {word}caption", style="Caption")
    path = folder / f"{name}.docx"
    document.save(str(path))
    return path


def traces(folder: Path, vectors: list[bytes]) -> list[tuple[str, str]]:
    """Where in a folder's files and names a word or one of the vectors stands."""
    sought = {"utf-8": WORD.encode(), "utf-16": WORD.encode("utf-16-le"), "utf-16-be": WORD.encode("utf-16-be")}
    found: list[tuple[str, str]] = []
    for path in folder.rglob("*"):
        data = os.fsencode(path.relative_to(folder)) + (path.read_bytes() if path.is_file() else b"")
        found += [(path.name, how) for how, what in sought.items() if what in data.lower()]
        found += [(path.name, "vector") for vector in vectors if vector in data]
    return found


def a_history(folder: Path, source_id: str) -> SQLiteHistory:
    """A session whose turn quotes a document."""
    history, text = SQLiteHistory(folder), f"What of the {WORD}?"
    history.start(Session(session_id="a", started=1.0))
    history.append("a", Turn(question=text, full_question=text, answer={}, asked=1.0, source_ids=(source_id,)))
    return history


def take_out_by_command(docs: Path, path: Path, folder: Path) -> None:
    with Library(folder) as library:
        remove(library, [path])


def take_out_by_ingest(docs: Path, path: Path, folder: Path) -> None:
    path.unlink()
    list(ingest([docs], folder))


@pytest.mark.parametrize("take_out", [take_out_by_command, take_out_by_ingest])
def test_no_byte_of_what_was_taken_out_is_left_in_the_folder(
    tmp_path, take_out: Callable[[Path, Path, Path], None], monkeypatch
):
    # Whatever the size, a document's vectors leave Chroma's files.
    monkeypatch.setattr(indexing, "REBUILD_LIMIT", 0)
    docs, folder = tmp_path / "docs", tmp_path / "lib"
    docs.mkdir()
    paths = [a_document(docs, name, word) for name, word in (("a", "alpha"), (f"b {WORD}", WORD), ("c", "gamma"))]
    results = {r.path: r for r in ingest([docs], folder)}
    assert results[f"docs/b {WORD}.docx"].elements["Image"] == 1
    with Library(folder) as library:
        known = {p: s for s, p in library.documents()}
        vectors = [row.tobytes() for row in library.matrix(source_ids=[known[str(paths[1])]])[1]]
        kept = {row.tobytes() for p in (paths[0], paths[2]) for row in library.matrix(source_ids=[known[str(p)]])[1]}
        reader = MultiVectorRetriever(library, exact_limit=0)
        assert reader.retrieve(f"{WORD}text")
        (picture,) = [e for e in library.partition(known[str(paths[1])]).elements if e.image_path]
        assert WORD in picture.text.lower()
        library.put_summary("said of it", str(picture.image_path), f"A drawing of the {WORD}")
    history = a_history(folder, known[str(paths[1])])
    own = [vector for vector in vectors if vector not in kept]
    before = traces(folder, own)
    assert {how for _, how in before} == {"utf-8", "vector"}
    assert {"library.sqlite", "data_level0.bin"} <= {name for name, _ in before}
    assert len(list((folder / "images").iterdir())) == 1
    take_out(docs, paths[1], folder)
    # What was said about it stays until its deletion is asked for.
    assert {name for name, _ in traces(folder, own)} == {"history.sqlite"}
    with Library(folder) as library:
        assert history.purge(gone_sources(history, library)) == 1
    history.close()
    assert traces(folder, own) == []
    assert list((folder / "images").iterdir()) == []
    with Library(folder) as library:
        assert {Path(p).name for _, p in library.documents()} == {"a.docx", "c.docx"}
        # A reader that held the index open writes nothing back.
        retriever = MultiVectorRetriever(library, exact_limit=0)
        assert retriever.retrieve("alphatext")
        reader.close()
        retriever.close()
    assert traces(folder, own) == []


def test_what_a_stopped_removal_left_behind_goes_with_the_next_run(library, tmp_path, monkeypatch):
    # Chroma's file of vectors has room for more, which it fills with what lies in its process's memory: the process
    # that writes it must be one that never held what is gone, as users have it and a pool in this process is not.
    monkeypatch.setattr(indexing, "WorkerPool", WorkerPool)
    known = {p: s for s, p in library.documents()}
    gone = [row.tobytes() for row in library.matrix(source_ids=[known["/docs/many.pdf"]])[1]]
    library.drop_paths(["/docs/many.pdf"])
    assert library.purging
    (tmp_path / "note.txt").write_text("The halibut catch.")
    list(ingest([tmp_path / "note.txt"], library.folder, embedder=BagOfWords()))
    assert not library.purging
    library.close()
    held = {
        str(path.relative_to(library.folder)): path.read_bytes() for path in library.folder.rglob("*") if path.is_file()
    }
    assert [name for name, data in held.items() if b"Berth 17" in data] == []
    assert [name for name, data in held.items() if any(vector in data for vector in gone)] == []
    assert np.frombuffer(gone[0], np.float32).any()
