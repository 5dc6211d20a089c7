"""What runs on each machine of a cluster, without the cluster."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import ray_node
from ingest.errors import LimitError, SourceError, UnavailableError
from ingest.ray_node import Hello, NodeWorkers, Sent, hello, read_source, sees, sources_in, with_paths
from ingest.types import Source
from ingest.workers import Packed, at_border, result_of
from tests.inline_pool import InlinePool


@pytest.fixture
def source(tmp_path) -> Source:
    path = tmp_path / "a note.txt"
    path.write_bytes(b"The ferry sails at noon.")
    return Source(id=hashlib.sha256(path.read_bytes()).hexdigest(), path=path, format="txt", size=24)


@pytest.fixture
def node(monkeypatch):
    monkeypatch.setattr(ray_node, "WorkerPool", InlinePool)
    monkeypatch.setattr(ray_node, "packed_result_of", lambda future: Packed(repr(result_of(future)).encode()))
    made = NodeWorkers(1)
    yield made
    made.close()


def text_of(source: Source) -> str:
    return source.path.read_text()


def name_of(source: Source) -> tuple[str, str]:
    return source.path.name, source.path.read_text()


def refuse(_source: Source) -> None:
    raise SourceError("is empty")


def elsewhere(source: Source) -> Source:
    """The source as another machine knows it, which does not see its file."""
    return replace(source, path=Path("/nowhere") / source.path.name)


def test_a_file_that_the_machine_sees_is_read_where_it_lies(node, source):
    assert node.run(text_of, (source,), 5.0).result == Packed(b"'The ferry sails at noon.'")


def test_a_file_that_it_does_not_see_is_asked_for_and_read_from_what_is_sent(node, source):
    far = elsewhere(source)
    assert node.run(text_of, (far,), 5.0).lacking == (source.id,)
    assert node.run(name_of, (far,), 5.0, read_source(source)).result == Packed(
        b"('a note.txt', 'The ferry sails at noon.')"
    )
    assert node.run(text_of, (far,), 5.0).result is not None, "sent once, it is kept"


def test_other_bytes_under_the_same_path_are_not_taken_for_the_source(node, source):
    source.path.write_bytes(b"The ferry sails at four.")
    assert node.run(text_of, (source,), 5.0).lacking == (source.id,)


def test_a_part_of_a_container_is_known_by_its_bytes_and_its_place(source):
    identity = hashlib.sha256(b"parent\x1fa.txt" + source.path.read_bytes()).hexdigest()
    part = replace(source, id=identity, parent_id="parent", member="a.txt")
    assert sees(part)
    assert not sees(replace(part, member="b.txt"))


def test_sources_within_the_tasks_of_a_bundle_get_their_paths_too(node, source):
    calls = [(at_border, (text_of, elsewhere(source))), (at_border, (text_of, elsewhere(source)))]
    assert [each.id for each in sources_in((calls,))] == [source.id, source.id]
    moved = with_paths((calls,), {source.id: source.path})
    assert [task[1][1].path for task in moved[0]] == [source.path, source.path]


def test_an_error_of_the_source_is_the_reply(node, source):
    reply = node.run(refuse, (source,), 5.0)
    assert (type(reply.error), str(reply.error)) == (SourceError, "is empty")


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/passwd", "a/b.txt"])
def test_a_sent_file_stays_in_its_own_folder(node, source, name):
    reply = node.run(name_of, (elsewhere(source),), 5.0, Sent(source.id, name, b"x"))
    assert reply.result == Packed(repr((Path(name).name, "x")).encode())


def test_sent_files_that_no_task_uses_go_when_there_are_too_many(node, source, monkeypatch):
    monkeypatch.setattr(ray_node, "KEPT_BYTES", 30)
    far = elsewhere(source)
    assert node.run(text_of, (far,), 5.0, read_source(source)).result is not None
    other = replace(far, id="other")
    assert node.run(text_of, (other,), 5.0, Sent("other", "b.txt", b"12345678901234567890")).result is not None
    assert node.run(text_of, (far,), 5.0).lacking == (source.id,)
    assert node.run(text_of, (other,), 5.0).result is not None


def test_a_file_that_has_gone_or_grown_cannot_be_sent(source):
    with pytest.raises(UnavailableError, match="being written"):
        read_source(replace(source, size=3))
    source.path.unlink()
    with pytest.raises(UnavailableError, match="No such file"):
        read_source(source)


def test_machines_must_run_the_same(monkeypatch):
    mine = hello()
    assert mine.differs_from(hello()) is None
    assert mine.differs_from(replace(mine, pincite="0.0.1")) == f"pincite 0.0.1 there, {mine.pincite} here"
    assert "python 3.9 there" in (mine.differs_from(replace(mine, python="3.9")) or "")
    assert mine.differs_from(Hello(pincite=mine.pincite, python=mine.python, code="x")) is not None


def test_a_crash_of_a_worker_is_the_error_of_its_task_alone(source):
    from tests.hostile_tasks import segfault

    workers = NodeWorkers(1)
    crashed = workers.run(segfault, (), 20.0)
    assert isinstance(crashed.error, LimitError)
    assert "SIGSEGV" in str(crashed.error)
    assert workers.run(text_of, (source,), 20.0).result is not None
    workers.close()
