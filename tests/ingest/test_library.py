import os
import sqlite3
import stat
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import (
    EmbedderMismatchError,
    LibraryError,
    LibraryLockedError,
    LibraryMissingError,
    NewerSchemaError,
)
from ingest.library import EmbedderRecord, Library, PathRecord, SourceRecord
from ingest.library_schema import DATABASE, SCHEMA_VERSION
from ingest.pipeline import remove
from ingest.rows import pack_words, path_text, shown_path, stored_path, unpack_words
from ingest.types import Cell, Chunk, Element, Page, PageBox, Partition, VectorText, Word

ROOT = Path(__file__).resolve().parents[2]
PICTURE = "images/" + "1" * 64 + ".png"


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "lib", create=True) as opened:
        opened.claim_embedder("test", 2)
        yield opened


def put(library: Library, source_id: str, *texts: str, picture: str | None = None, root: str = "/docs", name: str = ""):
    """A source of one text element and chunk a text; its vectors are those texts."""
    elements = tuple(
        Element(element_id=f"{source_id}-{i}", category="Title", text=text, image_path=picture)
        for i, text in enumerate(texts)
    )
    chunks = [
        Chunk(
            chunk_id=f"{source_id}/{i}",
            source_id=source_id,
            index=i,
            kind="text",
            text=text,
            vectors=(VectorText(name="text", text=text),),
        )
        for i, text in enumerate(texts)
    ]
    record = SourceRecord(
        id=source_id,
        format="txt",
        size=1,
        partition_key="p",
        chunk_key="c",
        pages=None,
        elements={"Title": len(texts)},
        warnings=(),
        seconds=0.1,
    )
    images = {picture: b"PNG " + source_id.encode()} if picture else {}
    vectors = {f"hash of {t}": np.array([len(t), 1], "<f4").tobytes() for t in texts}
    library.put_source(
        record, Partition(elements=elements, images=images), chunks, {t: f"hash of {t}" for t in texts}, vectors
    )
    put_path(library, name or f"{root}/{source_id}.txt", source_id, root)


def put_path(library: Library, path: str, source_id: str | None, root: str = "/docs") -> None:
    state = "ingested" if source_id else "failed"
    library.put_path(PathRecord(path=path, source_id=source_id, state=state, reason=None, size=1, mtime_ns=1), root)


def texts_of(library: Library) -> dict[str, list[str]]:
    return {s.id: [c.text for c in library.chunks_of(s.id)] for s in library.sources()}


def bytes_of(folder: Path) -> bytes:
    """Every byte of every file, and every name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join(os.fsencode(path) + path.read_bytes() for path in files)


# The folder.


def test_the_folder_is_private_and_ignored_by_git(library):
    assert stat.S_IMODE(library.folder.stat().st_mode) == 0o700
    assert (library.folder / ".gitignore").read_text() == "*\n"


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    tmp_path.chmod(0o755)
    with pytest.raises(LibraryError, match="holds other files and is no library"):
        Library(tmp_path, create=True)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_creation_that_was_cut_short_is_completed(tmp_path):
    (tmp_path / "lib/images").mkdir(parents=True)
    (tmp_path / "lib/.gitignore").write_text("*\n")
    with Library(tmp_path / "lib", create=True) as library:
        assert library.sources() == []


def test_no_library_says_how_to_make_one(tmp_path):
    with pytest.raises(LibraryMissingError, match=r"no library at .*; make one with `pincite ingest PATH`"):
        Library(tmp_path / "lib")
    assert not (tmp_path / "lib").exists()


def test_a_newer_schema_says_what_to_do(library):
    library.close()
    with sqlite3.connect(library.folder / DATABASE) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(NewerSchemaError, match="upgrade pincite, or name another library with --library"):
        Library(library.folder)
    with pytest.raises(NewerSchemaError):
        Library(library.folder, create=True)


def test_a_library_of_an_earlier_schema_is_brought_up_to_date_and_told(library, tmp_path, caplog):
    put(library, "a", "one")
    library.close()
    with sqlite3.connect(library.folder / DATABASE) as db:
        db.execute("DROP TABLE index_files")
        db.execute("PRAGMA user_version = 1")
    db.close()
    with Library(library.folder) as upgraded, Library(tmp_path / "new", create=True) as new:
        assert texts_of(upgraded) == {"a": ["one"]}
        tables = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
        assert list(map(tuple, upgraded._db.execute(tables))) == list(map(tuple, new._db.execute(tables)))
    assert caplog.messages == [
        f"{library.folder}: brought from schema 1 to 2; the search index is made anew by the next ingest",
        f"{library.folder}: brought from schema 2 to 3; its vectors take less room",
    ]
    with Library(library.folder):
        assert len(caplog.messages) == 2


def test_a_file_that_is_no_database_is_an_error_of_the_library(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / DATABASE).write_bytes(b"no database " * 100)
    with pytest.raises(LibraryError, match="the library's database cannot be used"):
        Library(tmp_path / "lib")


# The embedder.


def test_another_embedder_is_refused_with_the_way_out(library):
    library.claim_embedder("test", 2)
    assert library.embedder == EmbedderRecord(name="test", dimension=2)
    with pytest.raises(EmbedderMismatchError, match=r"ask with test, or run `pincite reindex --embedder minilm`"):
        library.claim_embedder("minilm", 2)
    with pytest.raises(EmbedderMismatchError):
        library.claim_embedder("test", 3)


def test_changing_the_embedder_replaces_every_vector(library):
    put(library, "a", "one", "two")
    ids = library.matrix()[0].tolist()
    renamed = {old: (f"new {old}", np.full(3, 0.5, "<f4").tobytes()) for old, _ in library.vector_texts()}
    library.replace_embeddings(EmbedderRecord(name="other", dimension=3), renamed)
    found, matrix = library.matrix()
    assert found.tolist() == ids
    assert matrix.tolist() == [[0.5] * 3] * 2
    assert library.index_work()[0] == ["a"]


# Sources.


def test_all_of_a_source_comes_back_as_it_was_put(library):
    box = PageBox(page=2, box=(1.0, 2.0, 3.25, 4.5))
    cell = Cell(row=1, column=0, text="42 €", colspan=2, header=True, page=2, box=(1.0, 2.0, 3.0, 4.0))
    element = Element(
        element_id="e", category="Table", text="ä 東 🚀", page_number=2, boxes=(box,), parent_id="p", category_depth=1,
        text_as_html="<table>", image_path=PICTURE, confidence=0.5, cells=(cell, Cell(row=0, column=0, text="")),
    )  # fmt: skip
    page = Page(
        page=2, width=595.0, height=842.0, rotation=90, reasons=("scan",), words=(Word("ä", (1.0, 2.0, 3.0, 4.0)),)
    )
    chunk = Chunk(
        chunk_id="k", source_id="a", index=0, kind="table", text="ä 東 🚀", title_path=("Top", "Löwer"),
        page_numbers=(2, 3), element_ids=("e",), boxes=(box,), text_as_html="<table>", image_path=PICTURE,
        vectors=(VectorText(name="text", text="ä"), VectorText(name="rows", text="42")),
    )  # fmt: skip
    record = SourceRecord(
        id="a", format="pdf", size=9, partition_key="p", chunk_key="c", pages=1, elements={"Table": 1},
        warnings=("page 1: ü",), seconds=1.5, chunks=1,
    )  # fmt: skip
    hashes = {"ä": "h1", "42": "h2"}
    vectors = {"h1": np.ones(2, "<f4").tobytes(), "h2": np.zeros(2, "<f4").tobytes()}
    partition = Partition(elements=(element,), pages=(page,), images={PICTURE: b"PNG"})
    library.put_source(record, partition, [chunk], hashes, vectors)
    assert library.source("a") == record
    assert library.partition("a") == replace(partition, images={})
    assert library.page("a", 2) == page
    assert library.chunk("k") == chunk
    assert library.elements(["none", "e"]) == [element]
    assert (library.element_source("e"), library.element_source("none")) == ("a", None)
    assert (library.folder / PICTURE).read_bytes() == b"PNG"


def test_pictures_and_parts_are_durable_before_the_rows_that_name_them(library, monkeypatch):
    events: list[str] = []
    fsync, replaced, transaction = os.fsync, Path.replace, Library._transaction

    def told_fsync(handle: int) -> None:
        events.append(f"fsync {Path(f'/proc/self/fd/{handle}').readlink().relative_to(library.folder)}")
        fsync(handle)

    def told_replace(path: Path, target: Path) -> Path:
        events.append(f"rename to {target.relative_to(library.folder)}")
        return replaced(path, target)

    def told_transaction(opened: Library):
        events.append("transaction")
        return transaction(opened)

    monkeypatch.setattr(os, "fsync", told_fsync)
    monkeypatch.setattr(Path, "replace", told_replace)
    monkeypatch.setattr(Library, "_transaction", told_transaction)
    put(library, "a", "one", picture=PICTURE)
    pid = os.getpid()
    assert events[:4] == [f"fsync {PICTURE}.{pid}.tmp", f"rename to {PICTURE}", "fsync images", "transaction"]
    events.clear()
    library.put_member("b", "pdf", b"%PDF")
    assert events == ["fsync .", f"fsync members/b.pdf.{pid}.tmp", "rename to members/b.pdf", "fsync members"]


def test_a_source_that_fails_midway_leaves_the_old_state(library):
    put(library, "a", "old text")
    before = library.generation, library.matrix()[0].tolist()
    with pytest.raises(KeyError):
        put_with_a_missing_hash(library)
    assert texts_of(library) == {"a": ["old text"]}
    assert (library.generation, library.matrix()[0].tolist()) == before
    assert library.keyword_search("old", 5)
    assert not library.keyword_search("new", 5)
    put(library, "a", "newer text")
    assert texts_of(library) == {"a": ["newer text"]}


def put_with_a_missing_hash(library: Library) -> None:
    record = library.source("a")
    assert record is not None
    texts = ["new text", "without hash"]
    chunks = [
        Chunk(chunk_id=f"n{i}", source_id="a", index=i, kind="text", text=t, vectors=(VectorText(name="text", text=t),))
        for i, t in enumerate(texts)
    ]
    library.put_source(record, Partition(elements=()), chunks, {"new text": "h"}, {"h": bytes(8)})


def test_a_full_disk_is_an_error_of_the_library_and_loses_nothing(library):
    put(library, "a", "old text")
    library._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(LibraryError, match=r"cannot be written .*full"):
        put(library, "b", "x " * 500_000)
    library._db.execute("PRAGMA max_page_count = 1000000")
    put(library, "c", "next")
    assert texts_of(library) == {"a": ["old text"], "c": ["next"]}


def test_the_generation_counts_changes_of_content_alone(library):
    seen = [library.generation]

    def changed() -> bool:
        seen.append(library.generation)
        return seen[-1] != seen[-2]

    put(library, "a", "text")
    assert changed()
    put_path(library, "/docs/a.txt", "a")
    library.drop_paths([])
    library.mark_indexed(["a"], [])
    assert library.sweep() == 0
    assert not changed()
    library.drop_paths(["/docs/a.txt"])
    assert changed()


def test_a_path_that_is_not_utf8_survives_and_can_be_shown(library):
    path = os.fsdecode(os.fsencode(library.folder.parent) + b"/caf\xe9/\xff.txt")
    put(library, "a", "text", name=path, root=str(Path(path).parent))
    assert library.paths_of(["a"]) == {"a": path}
    assert list(library.paths(str(Path(path).parent))) == [path]
    assert library.shown(path) == "caf\\xe9/\\xff.txt"
    library.shown(path).encode()
    assert library.drop_paths([path]) == [path]


@given(st.binary(min_size=1).filter(lambda raw: b"\0" not in raw))
def test_any_path_comes_back_from_what_is_stored(raw):
    path = os.fsdecode(raw)
    assert path_text(stored_path(path)) == path
    shown_path(path).encode()


@given(st.lists(st.tuples(st.text(), st.tuples(*[st.floats(-1e5, 1e5)] * 4))))
def test_words_come_back_with_boxes_to_a_hundredth_of_a_point(words):
    found = unpack_words(pack_words([Word(text, box) for text, box in words]))
    assert [w.text for w in found] == [text for text, _ in words]
    for word, (_, box) in zip(found, words, strict=True):
        assert word.box == pytest.approx(box, abs=0.0051)


def test_words_that_were_packed_before_schema_3_are_read():
    packed = zlib.compress(b'[["Fares", 72.0, 100.5, 98.25, 110.0]]')
    assert unpack_words(packed) == (Word("Fares", (72.0, 100.5, 98.25, 110.0)),)


# Paths, roots, deletion.


def test_a_file_under_two_roots_leaves_when_both_have_lost_it(library):
    put(library, "a", "text", root="/docs", name="/docs/sub/a.txt")
    put_path(library, "/docs/sub/a.txt", "a", "/docs/sub")
    assert library.roots() == ["/docs", "/docs/sub"]
    assert library.drop_paths(["/docs/sub/a.txt"], "/docs") == []
    assert library.sweep() == 0
    assert library.drop_paths(["/docs/sub/a.txt"], "/docs/sub") == ["/docs/sub/a.txt"]
    assert library.sweep() == 1
    assert (library.sources(), library.roots()) == ([], [])


def test_the_same_content_at_two_paths_is_stored_once_and_leaves_with_the_last(library):
    put(library, "a", "text", name="/docs/b.txt")
    put_path(library, "/docs/a.txt", "a")
    assert library.counts()["sources"] == 1
    assert library.paths_of(["a", "none"]) == {"a": "/docs/a.txt"}
    library.drop_paths(["/docs/a.txt"])
    assert library.sweep() == 0
    assert library.paths_of(["a"]) == {"a": "/docs/b.txt"}
    library.drop_paths(["/docs/b.txt"])
    assert library.sweep() == 1


def test_a_sweep_removes_what_nothing_refers_to_and_keeps_what_is_shared(library):
    put(library, "a", "both", "only in a", picture=PICTURE)
    put(library, "b", "both", picture=PICTURE)
    put(library, "c", "of c", picture=PICTURE.replace("1", "2"))
    library.put_summary("key", PICTURE.replace("1", "2"), "a summary")
    (library.folder / "images/left.123.tmp").write_bytes(b"of a run that was killed")
    library.drop_paths(["/docs/a.txt", "/docs/c.txt"])
    assert library.sweep() == 2
    assert texts_of(library) == {"b": ["both"]}
    assert library.known_hashes(["hash of both", "hash of only in a", "hash of of c"]) == {"hash of both"}
    assert [p.name for p in (library.folder / "images").iterdir()] == [Path(PICTURE).name]
    assert library.summary("key") is None
    assert library.counts() == {"sources": 1, "chunks": 1, "vectors": 1, "images": 1}


def test_no_byte_of_a_removed_document_stays_in_the_folder(library, tmp_path):
    # Texts of all sizes: in one cell, over several pages of the database, and many of them.
    sizes = [1, 50, 3000, 20_000]
    for n in range(12):
        texts = [f"Kept{n} word{i} " + "filler " * size for i, size in enumerate(sizes)]
        secret = [f"zqx{n}secret{i} " + f"zqx{n} " * size for i, size in enumerate(sizes)]
        put(library, f"kept{n}", *texts)
        put(library, f"gone{n}", *secret, picture=f"images/{n:064}.png", name=f"/docs/zqx{n}.txt")
    results = remove(library, [f"/docs/zqx{n}.txt" for n in range(12)])
    assert [r.state for r in results] == ["removed"] * 12
    assert len(library.keyword_search("filler", 100)) == 12 * 4
    assert b"zqx" not in bytes_of(library.folder)
    library.close()
    assert b"zqx" not in bytes_of(library.folder)
    assert b"Kept11" in bytes_of(library.folder)


# Search.


def test_keywords_are_found_by_stem_best_first_and_within_sources(library):
    put(library, "a", "The ferries sail at noon.", "A pier. " + "Filler words here. " * 30 + "ferry")
    put(library, "b", "One ferry sails.", "nothing")
    key = {c.text: k for k, c in library.chunks(range(1, 5)).items()}
    found = library.keyword_search("ferry", 10)
    assert {k for k, _ in found} == set(key.values()) - {key["nothing"]}
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert found[-1][0] == next(k for text, k in key.items() if text.startswith("A pier"))
    assert [k for k, _ in library.keyword_search("ferry", 10, ["b"])] == [key["One ferry sails."]]
    assert library.keyword_search("ferry", 10, []) == []
    assert len(library.keyword_search("ferry", 1)) == 1
    assert library.document_frequency(["ferry", "pier", "absent"]) == {"ferry": 3, "pier": 1, "absent": 0}


def test_a_filter_may_name_any_number_of_sources(library):
    put(library, "a", "The ferry.")
    many = [f"s{n}" for n in range(40_000)] + ["a"]
    assert len(library.keyword_search("ferry", 10, many)) == 1
    assert len(library.matrix(source_ids=many)[0]) == 1


def test_vectors_come_as_a_matrix_of_all_of_some_or_of_those_not_indexed(library):
    put(library, "a", "one", "two two")
    put(library, "b", "three")
    library.mark_indexed(["a"], [])
    ids, rows = library.matrix()
    assert rows.tolist() == [[3, 1], [7, 1], [5, 1]]
    assert rows.dtype == np.float32
    assert library.matrix(source_ids=["a"])[1].tolist() == [[3, 1], [7, 1]]
    assert library.matrix(dirty_only=True)[1].tolist() == [[5, 1]]
    assert library.matrix(source_ids=[])[1].shape == (0, 2)
    first = library.chunks_of("a")[0]
    (owner, name), *_ = library.vector_owners([*ids.tolist(), 999]).values()
    assert (library.chunks([owner])[owner].chunk_id, name) == (first.chunk_id, "text")


def test_what_the_index_lacks_is_known_until_it_is_done(library):
    put(library, "a", "one")
    put(library, "b", "two")
    old = library.matrix(source_ids=["a"])[0].tolist()
    assert library.index_work() == (["a", "b"], [])
    library.mark_indexed(["a", "b"], [])
    put(library, "a", "one changed")
    assert library.index_work() == (["a"], old)
    library.drop_paths(["/docs/b.txt"])
    library.sweep()
    dirty, deleted = library.index_work()
    assert (dirty, len(deleted)) == (["a"], 2)
    library.mark_indexed(["a"], deleted)
    assert library.index_work() == ([], [])
    library.mark_all_dirty()
    assert library.index_work() == (["a"], [])


def test_a_vector_id_is_never_used_again(library):
    put(library, "a", "one")
    (first,) = library.matrix()[0].tolist()
    library.drop_paths(["/docs/a.txt"])
    library.sweep()
    put(library, "b", "two")
    assert library.matrix()[0].tolist() == [first + 1]


def test_a_snapshot_sees_one_state_while_another_connection_writes(library):
    put(library, "a", "one")
    with Library(library.folder) as reader, reader.snapshot():
        assert texts_of(reader) == {"a": ["one"]}
        put(library, "b", "two")
        assert texts_of(reader) == {"a": ["one"]}
    assert set(texts_of(library)) == {"a", "b"}


# The lock.

HOLD = """
import sys
from ingest.library import Library
with Library(sys.argv[1]) as library, library.writing():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_who_writes_and_a_dead_one_does_not_count(library):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HOLD, str(library.folder)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(LibraryLockedError, match=f"is being written by process {other.pid}$"),
            library.writing(wait=0),
        ):
            pass
        assert library.holder() == other.pid
        other.kill()
    with library.writing(wait=0):
        assert library.holder() == os.getpid()
    assert library.holder() is None


def test_a_writer_that_waits_says_for_whom(library, caplog):
    with library.writing(), pytest.raises(LibraryLockedError), library.writing(wait=0.01):
        pass
    assert f"waiting for process {os.getpid()}, which is writing to" in caplog.text
