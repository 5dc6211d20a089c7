import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import pipeline_options, reading
from ingest.chunk import ChunkOptions
from ingest.errors import (
    NewerSchemaError,
    UsageError,
)
from ingest.partition import PartitionOptions
from ingest.pipeline import ingest, library_status, partition_many, remove
from ingest.settings import Settings
from retrievers import MultiVectorRetriever
from tests.ingest.desk import FERRY


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


def test_the_same_size_and_time_do_not_hide_a_change(desk):
    path = desk.write("a.md", FERRY)
    desk.run()
    before = path.stat()
    path.write_text(FERRY.replace("9 euros", "8 euros"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert desk.states() == {"docs/a.md": "ingested"}
    assert "8 euros" in desk.texts()


def test_another_time_alone_is_no_change(desk):
    path = desk.write("a.md", FERRY)
    desk.run()
    os.utime(path, (1, 1))
    assert desk.states() == {"docs/a.md": "unchanged"}
    assert (desk.pool.tasks, desk.embedder.texts) == ([], [])


def test_no_path_at_all_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="name a file or a folder"):
        list(ingest([], tmp_path / "lib"))


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


def test_many_files_are_partitioned_in_the_order_given_with_their_errors(desk):
    paths = [desk.write("b.md", FERRY), desk.docs / "none.md", desk.write("c.md", ""), desk.write("a.txt", "A text.\n")]
    found = list(partition_many(paths, Settings(), PartitionOptions()))
    assert [path for path, _ in found] == paths
    assert [str(result) for _, result in found[1:3]] == [
        "cannot be read: No such file or directory",
        "empty file (0 bytes)",
    ]
    assert [len(result.elements) for _, result in (found[0], found[3])] == [6, 1]


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
