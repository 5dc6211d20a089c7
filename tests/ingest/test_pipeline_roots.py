"""Which files an ingest takes: roots, folders that are gone, files that change meanwhile, links."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from ingest.library import Library
from ingest.pipeline import ingest
from tests.ingest.desk import FERRY


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


def test_files_that_may_still_be_written_to_are_left_as_they_are_known(desk):
    path = desk.write("a.md", FERRY)
    assert desk.run(still=3600) == []
    assert desk.states() == {"docs/a.md": "ingested"}
    path.write_text("Another text.\n")
    assert desk.run(still=3600) == []
    assert "oak" in desk.texts()
    assert desk.states(still=1e-9) == {"docs/a.md": "ingested"}
    assert "Another text." in desk.texts()


def test_the_library_folder_is_never_ingested(desk):
    desk.write("a.md", FERRY)
    desk.run()
    (desk.folder / "lib/images/b.md").write_text("# B\n\nFrom the library.\n")
    assert set(desk.states(desk.folder)) == {"docs/a.md"}
    (result,) = desk.run(desk.folder / "lib/images")
    assert (result.state, result.reason) == ("failed", "lies in the library's own folder, which is never ingested")


def test_a_missing_path_leaves_no_library_behind(tmp_path):
    (result,) = ingest([tmp_path / "nosuch"], tmp_path / "lib")
    assert (result.state, result.reason) == ("failed", "no such file or folder")
    assert not (tmp_path / "lib").exists()
