"""What goes wrong with a cluster is one clear error, and nothing is half committed."""

import fcntl
import hashlib
import json
import os
import shutil
import socket
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from ingest import ingest, ray_engine
from ingest.errors import UnavailableError, UsageError
from ingest.library import Library
from ingest.ray_engine import RayEngine
from ingest.ray_node import Hello, hello
from ingest.settings import Settings
from ingest.types import Source
from ingest.workers import result_of
from tests import ray_cluster  # before Ray
from tests.ingest.test_ray_engine import double

pytestmark = pytest.mark.xdist_group("ray")

SMALLEST_STORE = 80 * 2**20
"""Ray takes no less than 75 MB."""


@pytest.fixture(scope="module")
def cluster():
    """A machine whose object store is small."""
    folder = Path("/tmp") / f"pincite-rays-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    with ray_cluster.cluster(folder, 1, store_bytes=SMALLEST_STORE) as made:
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "note.md").write_text("# Note\n\nThe ferry sails at noon.\n")
    return folder


@pytest.fixture
def unseen(docs):
    """The documents under a path that leads nowhere on a machine: through a handle of this process."""
    folder = os.open(docs, os.O_RDONLY)
    handle = fcntl.fcntl(folder, fcntl.F_DUPFD_CLOEXEC, 900)
    yield Path(f"/proc/self/fd/{handle}")
    os.close(handle)
    os.close(folder)


@pytest.fixture
def blind(cluster, monkeypatch):
    """The settings of a cluster whose machines see no file of ours."""
    monkeypatch.setattr(ray_engine, "_Node", partial(ray_engine._Node, is_blind=True))
    return Settings(engine="ray", ray_address=cluster.address)


def read_size(source: Source) -> int:
    return source.path.stat().st_size


def sources(library):
    with Library(library) as opened:
        return len(opened.sources()), len(opened.paths())


@pytest.fixture
def silent():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def web_server():
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("other", ["silent", "web_server"])
def test_an_address_where_something_else_answers_is_wrong_use_at_once(other, request, docs, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(BaseHTTPRequestHandler, "log_message", lambda *_: None)
    address = f"127.0.0.1:{request.getfixturevalue(other)}"
    with pytest.raises(UsageError, match=f"no Ray cluster answers at {address}"):
        list(ingest([docs], tmp_path / "lib", settings=Settings(engine="ray", ray_address=address)))
    assert sources(tmp_path / "lib") == (0, 0)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (Hello(pincite="9.9", python=hello().python, code=hello().code), "pincite .* there, 9.9 here"),
        (Hello(pincite=hello().pincite, python="3.99", code=hello().code), "python .* there, 3.99 here"),
        (Hello(pincite=hello().pincite, python=hello().python, code="x"), "another build of pincite"),
    ],
)
def test_machines_of_another_version_are_wrong_use(cluster, docs, tmp_path, monkeypatch, other, told):
    monkeypatch.setattr(ray_engine, "hello", lambda: other)
    with pytest.raises(UsageError, match=told):
        list(ingest([docs], tmp_path / "lib", settings=Settings(engine="ray", ray_address=cluster.address)))
    assert sources(tmp_path / "lib") == (0, 0)


@pytest.fixture
def foreign(cluster):
    """The cluster as one that says it was started by another version of Ray."""
    from ray._raylet import GcsClient

    head = GcsClient(address=cluster.address)
    known = head.internal_kv_get(b"CLUSTER_METADATA", b"cluster")
    said = json.dumps({**json.loads(known), "ray_version": "1.2.3"}).encode()
    head.internal_kv_put(b"CLUSTER_METADATA", said, True, b"cluster")
    yield cluster.address
    head.internal_kv_put(b"CLUSTER_METADATA", known, True, b"cluster")


def test_another_version_of_ray_is_wrong_use(foreign, docs, tmp_path):
    with pytest.raises(UsageError, match=r"cannot be joined: .*Ray: 1\.2\.3"):
        list(ingest([docs], tmp_path / "lib", settings=Settings(engine="ray", ray_address=foreign)))
    assert sources(tmp_path / "lib") == (0, 0)


def test_a_machine_of_another_version_that_joins_later_is_left_out(cluster, monkeypatch, caplog):
    engine = RayEngine(cluster.address)
    monkeypatch.setattr(ray_engine, "NODES_EVERY", 0.0)
    monkeypatch.setattr(ray_engine, "hello", lambda: Hello(pincite="9.9", python="3", code=""))
    added = cluster.add()
    try:
        tries = 0
        while not engine._left_out and (tries := tries + 1) < 2000:
            assert result_of(engine.submit(double, 21, timeout=60)) == 42
        assert (engine.count, len(engine._left_out)) == (1, 1)
        assert "another version" in caplog.text
    finally:
        engine.close()
        cluster.kill(added)


def test_a_file_that_machines_do_not_see_and_that_no_object_store_holds_is_sent(cluster, unseen):
    data = b"\0" * (SMALLEST_STORE + 2**20)
    (unseen / "big.bin").write_bytes(data)
    source = Source(id=hashlib.sha256(data).hexdigest(), path=unseen / "big.bin", format="pdf", size=len(data))
    engine = RayEngine(cluster.address)
    try:
        assert engine._room == SMALLEST_STORE // ray_engine.STORE_SHARE
        assert result_of(engine.submit(read_size, source, timeout=60)) == len(data)
        assert [node.is_blind for node in engine._nodes.values()] == [True]
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("error", "told"), [("ObjectStoreFullError", "Ray's object store is full"), ("OutOfDiskError", "disk under Ray's")]
)
def test_a_full_object_store_is_the_error_of_the_file_that_is_sent(blind, docs, tmp_path, monkeypatch, error, told):
    import ray

    def full(value):
        raise getattr(ray.exceptions, error)

    with monkeypatch.context() as patch:
        patch.setattr(ray, "put", full)
        (result,) = ingest([docs], tmp_path / "lib", settings=blind)
    assert result.state == "failed"
    assert told in result.reason
    assert sources(tmp_path / "lib") == (0, 1)
    assert [r.state for r in ingest([docs], tmp_path / "lib", settings=blind)] == ["ingested"]


def test_a_cluster_of_this_machine_tells_its_makers_nothing_and_has_no_dashboard_for_others():
    engine = RayEngine(None, jobs=1)
    try:
        import ray

        session = Path(ray._private.worker._global_node.get_session_dir_path())
        children = psutil.Process().children(recursive=True)
        started = [process for process in children if session.name in " ".join(process.cmdline())]
        heads = [process.cmdline() for process in started if "dashboard.py" in " ".join(process.cmdline())]
        assert all({"--host=127.0.0.1", "--minimal"} <= set(command) for command in heads)
        assert {process.environ().get("RAY_USAGE_STATS_ENABLED") for process in started} == {"0"}
        assert not list(session.rglob("usage_stats.json"))
    finally:
        engine.close()


def test_what_is_asked_for_after_the_engine_has_ended_is_told(cluster):
    engine = RayEngine(cluster.address)
    engine.close()
    with pytest.raises(UnavailableError, match="has ended"):
        result_of(engine.submit(double, 1, timeout=5))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_task_that_cannot_be_sent_and_so_ends_the_engine_is_told(cluster):
    engine = RayEngine(cluster.address)
    try:
        with pytest.raises(UnavailableError, match="has ended"):
            result_of(engine.submit(double, threading.Lock(), timeout=60))
    finally:
        engine.close()
