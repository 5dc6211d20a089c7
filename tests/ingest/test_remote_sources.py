"""A bucket is brought into sync as a folder is."""

import logging

import pytest

from ingest import pipeline, remote
from ingest.errors import SourceError, UnreachableError, UsageError
from ingest.library import Library
from ingest.partition import PartitionOptions
from ingest.pipeline import IngestOptions, ingest, remove
from ingest.settings import Settings
from ingest.watch import follow
from retrievers.show import original_of
from tests.ingest.test_remote import SECRET, bucket, refused, s3, s3_server  # noqa: F401 (fixtures)
from tests.inline_pool import InlinePool


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch):
    monkeypatch.setattr(pipeline, "WorkerPool", InlinePool)


@pytest.fixture
def fetched(monkeypatch):
    """The addresses that were downloaded."""
    found = []

    def told(wanted, folder, max_bytes):
        found.append(wanted.address)
        return remote.fetch_object(wanted, folder, max_bytes)

    monkeypatch.setattr("ingest.remote_sources.fetch_object", told)
    return found


@pytest.fixture
def sync(bucket, tmp_path):  # noqa: F811
    def call(prefix="", **options):
        settings = options.pop("settings", None) or Settings()
        root = f"{bucket.scheme}://docs/{prefix}".rstrip("/")
        found = ingest([root], tmp_path / "lib", options=IngestOptions(**options), settings=settings)
        return {result.path.removeprefix(f"{bucket.scheme}://docs/"): result for result in found}

    return call


def states(results):
    return {path: result.state for path, result in results.items()}


def texts(tmp_path):
    with Library(tmp_path / "lib") as library:
        return {path: [e.text for e in library.partition(id_).elements] for id_, path in library.documents()}


def test_what_is_unchanged_is_not_fetched_and_what_changed_is_read_again(bucket, sync, fetched, tmp_path):  # noqa: F811
    bucket.put("a/one.md", b"The ferry sails at noon.")
    bucket.put("a/two.md", b"The harbour is closed.")
    assert states(sync()) == {"a/one.md": "ingested", "a/two.md": "ingested"}
    assert len(fetched) == 2
    fetched.clear()
    assert states(sync()) == {"a/one.md": "unchanged", "a/two.md": "unchanged"}
    assert fetched == []
    bucket.put("a/two.md", b"The harbour is open.")
    assert states(sync()) == {"a/one.md": "unchanged", "a/two.md": "ingested"}
    assert fetched == [f"{bucket.scheme}://docs/a/two.md"]
    bucket.remove("a/one.md")
    assert states(sync()) == {"a/two.md": "unchanged", "a/one.md": "removed"}
    assert texts(tmp_path) == {f"{bucket.scheme}://docs/a/two.md": ["The harbour is open."]}


def test_no_bytes_of_objects_stay(bucket, sync, tmp_path):  # noqa: F811
    bucket.put("one.md", b"The ferry sails at noon.")
    bucket.put("odd.xyz", b"\0\1\2")
    sync()
    assert not (tmp_path / "lib" / "members").exists()
    assert not (tmp_path / "lib" / "scratch").exists()


def test_what_could_not_be_read_is_not_fetched_again_until_it_changes_or_is_asked_for(bucket, sync, fetched):  # noqa: F811
    bucket.put("odd.xyz", b"\0\1\2")
    bucket.put("broken.pdf", b"no pdf")
    bucket.put("one.md", b"The ferry sails at noon.")
    first = sync()
    assert states(first) == {"odd.xyz": "skipped", "broken.pdf": "failed", "one.md": "ingested"}
    fetched.clear()
    second = sync()
    assert {path: result.reason for path, result in second.items()} == {p: r.reason for p, r in first.items()}
    assert fetched == []
    sync(retry_failed=True)
    assert len(fetched) == 2
    bucket.put("broken.pdf", b"still none")
    fetched.clear()
    sync()
    assert fetched == [f"{bucket.scheme}://docs/broken.pdf"]


def test_one_that_is_too_large_is_skipped_without_being_fetched(bucket, sync, fetched):  # noqa: F811
    bucket.put("big.txt", b"x" * (2**20 + 1))
    results = sync(settings=Settings(max_file_mb=1))
    assert (results["big.txt"].state, fetched) == ("skipped", [])
    assert "larger than 1 MB" in results["big.txt"].reason


def test_a_bucket_that_is_suddenly_empty_keeps_its_sources_until_told(bucket, sync):  # noqa: F811
    bucket.put("a/one.md", b"x")
    sync()
    bucket.remove("a/one.md")
    (problem,) = sync().values()
    assert (problem.state, problem.reason) == (
        "failed",
        "nothing lies under this address; its sources were kept: 1 (--prune removes them)",
    )
    assert states(sync(prune=True)) == {"a/one.md": "removed"}
    (problem,) = sync(prune=True).values()
    assert problem.reason == "nothing lies under this address"


def test_a_bucket_that_cannot_be_read_keeps_its_sources_even_when_pruned(bucket, sync, monkeypatch, tmp_path):  # noqa: F811
    bucket.put("one.md", b"The ferry sails at noon.")
    sync()

    def unreachable(_root):
        raise UnreachableError("the bucket docs cannot be read (EndpointConnectionError)")

    monkeypatch.setattr("ingest.remote_sources.list_objects", unreachable)
    (problem,) = sync(prune=True).values()
    assert problem.reason.endswith("its sources were kept: 1")
    assert len(texts(tmp_path)) == 1


def test_an_object_that_cannot_be_fetched_now_keeps_what_was_read_of_it(bucket, sync, monkeypatch, tmp_path):  # noqa: F811
    bucket.put("one.md", b"The ferry sails at noon.")
    sync()
    bucket.put("one.md", b"The ferry sails at four.")

    def broken(*_):
        raise UnreachableError("the bucket docs cannot be read (ReadTimeoutError)")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.remote_sources.fetch_object", broken)
        result = sync()["one.md"]
    assert result.state == "failed"
    assert result.reason.endswith("its earlier content was kept")
    assert "noon" in str(texts(tmp_path))
    assert states(sync()) == {"one.md": "ingested"}
    assert "four" in str(texts(tmp_path))


def test_the_same_bytes_under_another_key_are_read_once(bucket, sync, tmp_path):  # noqa: F811
    for key in ["a.md", "b.md", "c.md"]:
        bucket.put(key, b"The ferry sails at noon.")
    assert states(sync()) == {"a.md": "ingested", "b.md": "ingested", "c.md": "ingested"}
    with Library(tmp_path / "lib") as library:
        assert (len(library.sources()), len(library.paths())) == (1, 3)


def test_another_way_of_reading_fetches_what_it_needs(bucket, sync, fetched):  # noqa: F811
    bucket.put("one.md", b"The ferry sails at noon.")
    sync()
    fetched.clear()
    assert states(sync(partition=PartitionOptions(parser="fast"))) == {"one.md": "ingested"}
    assert len(fetched) == 1


def test_parts_of_a_container_are_sources_too(bucket, sync, samples):  # noqa: F811
    bucket.put("mail.eml", (samples / "mail.eml").read_bytes())
    found = states(sync())
    assert found.pop("mail.eml") == "ingested"
    assert set(found.values()) == {"ingested"}
    assert all(path.startswith("mail.eml!/") for path in found)
    assert found.keys() | {"mail.eml"} == sync().keys()


def test_why_no_page_of_an_object_is_drawn_is_told(bucket, sync, samples, tmp_path):  # noqa: F811
    bucket.put("report.pdf", (samples / "report.pdf").read_bytes())
    sync(partition=PartitionOptions(parser="fast"))
    with Library(tmp_path / "lib") as library:
        (source,) = library.sources()
        with pytest.raises(SourceError, match="lies in a bucket, from which no page is drawn"):
            original_of(library, source.id)


def test_what_is_removed_leaves_nothing_behind(bucket, sync, tmp_path):  # noqa: F811
    bucket.put("a/one.md", b"The ferry sails at noon.")
    bucket.put("b/two.md", b"The harbour is closed.")
    sync()
    with Library(tmp_path / "lib") as library:
        assert [r.state for r in remove(library, [f"{bucket.scheme}://docs/a"])] == ["removed"]
        assert list(library.paths()) == [f"{bucket.scheme}://docs/b/two.md"]
    assert b"one.md" not in b"".join(p.read_bytes() for p in (tmp_path / "lib").rglob("*") if p.is_file())
    assert states(sync("b")) == {"b/two.md": "unchanged"}


@pytest.mark.usefixtures("refused")
def test_a_server_that_does_not_answer_fails_the_root_and_no_secret_is_kept(tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="ingest")
    (result,) = ingest(["s3://docs/a"], tmp_path / "lib", settings=Settings())
    assert (result.state, result.path) == ("failed", "s3://docs/a")
    assert SECRET not in result.reason + caplog.text
    assert all(SECRET.encode() not in p.read_bytes() for p in (tmp_path / "lib").rglob("*") if p.is_file())


def test_keys_in_an_address_are_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="key or password") as told:
        list(ingest([f"s3://AKIA:{SECRET}@docs/a"], tmp_path / "lib", settings=Settings()))
    assert SECRET not in str(told.value)
    with pytest.raises(UsageError, match="cannot be watched"):
        next(follow(["s3://docs/a"], settings=Settings(library=tmp_path / "lib")))
