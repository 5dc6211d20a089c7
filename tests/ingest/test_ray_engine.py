"""A real cluster on loopback gives the library that one machine gives, also when a machine is lost."""

import os
import shutil
from concurrent.futures import wait
from pathlib import Path

import pytest

from ingest import ingest
from ingest.errors import LimitError, MissingExtraError, SourceError, UsageError
from ingest.ray_engine import RayEngine
from ingest.settings import Settings
from ingest.workers import at_border, result_of
from tests import ray_cluster  # before Ray
from tests.bench.kill import differences
from tests.hostile_tasks import segfault, spin

pytestmark = pytest.mark.xdist_group("ray")

SAMPLES = ["faq.md", "report.pdf", "notes.txt", "mail.eml"]


def double(number: int) -> int:
    return 2 * number


def refuse() -> None:
    raise SourceError("is empty")


@pytest.fixture(scope="module")
def cluster():
    # Short, as it becomes the path of sockets.
    folder = Path("/tmp") / f"pincite-ray-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    with ray_cluster.cluster(folder) as made:
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def docs(samples, tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in SAMPLES:
        shutil.copy(samples / name, folder)
    for n in range(24):
        (folder / f"note{n}.md").write_text(f"# Note {n}\n\nThe ferry number {n} sails at noon.\n")
    return folder


def test_a_cluster_does_tasks_as_a_pool_does(cluster):
    engine = RayEngine(cluster.address)
    try:
        assert engine.count == 2
        assert [result_of(engine.submit(double, n, timeout=60)) for n in range(20)] == [2 * n for n in range(20)]
        for task, error, told in [
            (segfault, LimitError, "SIGSEGV"),
            (spin, LimitError, "too long"),
            (refuse, SourceError, "is empty"),
        ]:
            with pytest.raises(error, match=told):
                result_of(engine.submit(at_border, task, timeout=3))
        assert result_of(engine.submit(double, 21, timeout=60)) == 42, "what was lost costs no machine"
    finally:
        engine.close()


def test_the_library_equals_that_of_one_machine_though_a_machine_is_lost(cluster, docs, tmp_path):
    alone, spread = tmp_path / "a", tmp_path / "b"
    assert {result.state for result in ingest([docs], alone, settings=Settings(jobs=1))} == {"ingested"}
    doomed = cluster.add()
    states = []
    for result in ingest([docs], spread, settings=Settings(engine="ray", ray_address=cluster.address)):
        states.append(result.state)
        if len(states) == 3:
            cluster.kill(doomed)
    assert states == ["ingested"] * (len(SAMPLES) + 24 + 1)
    assert list(differences(alone, spread)) == []


def test_tasks_of_a_lost_machine_are_done_elsewhere(cluster):
    doomed = cluster.add()
    engine = RayEngine(cluster.address)
    try:
        assert engine.count == 3
        futures = [engine.submit(double, n, timeout=60) for n in range(60)]
        cluster.kill(doomed)
        wait(futures)
        assert [result_of(future) for future in futures] == [2 * n for n in range(60)]
    finally:
        engine.close()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "127.0.0.1"])
def test_an_address_without_a_cluster_is_wrong_use(address):
    with pytest.raises(UsageError, match=r"Ray cluster answers|--ray-address"):
        RayEngine(address)


def test_without_ray_the_error_carries_the_install_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"\.\[ray\]"):
        RayEngine("127.0.0.1:1")
