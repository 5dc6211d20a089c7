import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from ingest import workers_watch
from ingest.errors import BrokenError, LimitError, SourceError, UnsupportedError
from ingest.partition import partition
from ingest.types import Source
from ingest.workers import WorkerPool, at_border, result_of
from ingest.workers_watch import Clock, resident_bytes, waited_seconds
from tests import hostile_tasks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(1) as opened:
        yield opened


def call(pool: WorkerPool, function, *args, timeout: float = 60.0):
    return result_of(pool.submit(function, *args, timeout=timeout))


def test_tasks_run_in_another_process_which_stays_warm(pool):
    first, second = call(pool, os.getpid), call(pool, os.getpid)
    assert first == second != os.getpid()


@pytest.mark.parametrize(
    ("task", "args", "timeout", "cause"),
    [
        (os._exit, (3,), 60.0, "its reader crashed (exit code 3)"),
        (os.abort, (), 60.0, "its reader crashed (signal SIGABRT)"),
        (signal.pause, (), 0.2, "took too long (0.2 s at most)"),
        (hostile_tasks.segfault, (), 60.0, "its reader crashed (signal SIGSEGV)"),
        (hostile_tasks.sleep, (), 0.2, "took too long (0.2 s at most)"),
        (hostile_tasks.spin, (), 0.2, "took too long (0.2 s at most)"),
        (hostile_tasks.allocate, (10 * 2**30,), 60.0, "needs more memory than is allowed (1.5 GB)"),
        (hostile_tasks.return_much, (2**30,), 60.0, "gave more than is taken (1024 MB of 512 MB at most)"),
    ],
)
def test_a_lost_worker_costs_its_task_alone(pool, task, args, timeout, cause):
    waiting = pool.submit(pow, 3, 2, timeout=60.0)
    with pytest.raises(LimitError) as caught:
        call(pool, task, *args, timeout=timeout)
    assert caught.value.reason == cause
    assert result_of(waiting) == 9
    assert call(pool, pow, 2, 10) == 1024


def test_workers_that_are_lost_without_a_task_cost_nothing():
    with WorkerPool(2) as pool:
        for _ in range(2):
            for pid in {call(pool, os.getpid) for _ in range(8)}:
                os.kill(pid, signal.SIGKILL)
                assert has_ended(pid)
            waiting = [pool.submit(pow, 2, n, timeout=60.0) for n in range(8)]
            assert [result_of(each) for each in waiting] == [2**n for n in range(8)]


def lower(pool: WorkerPool, size: int) -> None:
    """Let the workers keep less together than they would."""
    call(pool, pow, 1, 1)
    pool._watch.together = size


def test_a_worker_without_a_task_makes_room():
    with WorkerPool(1) as pool:
        large = call(pool, hostile_tasks.keep, 2**29)
        lower(pool, 2**28)
        assert has_ended(large)
        assert call(pool, os.getpid) != large


def test_what_is_too_much_together_is_done_one_after_the_other(tmp_path):
    size, pipe = 2 * 10**8, tmp_path / "pipe"
    os.mkfifo(pipe)
    with pipe.open("r+b", buffering=0) as said, WorkerPool(2) as pool:
        lower(pool, 3 * 10**8)
        tries = {name: tmp_path / name for name in ("a", "b")}
        begun = [
            pool.submit(hostile_tasks.fill_and_wait, size, str(pipe), str(path), timeout=60.0)
            for path in tries.values()
        ]
        lost = one_that_ends(tries)
        said.write(b"go on")
        assert [result_of(each) for each in begun] == [size, size]
    assert {name: len(path.read_text().split()) for name, path in tries.items()} == {"a": 1, "b": 1} | {lost: 2}


def one_that_ends(tries: dict[str, Path]) -> str:
    """The first of two tasks whose worker ends, once both have begun."""
    while not all(path.exists() and path.read_text().endswith("\n") for path in tries.values()):
        select.select([], [], [], 0.01)
    handles: dict[int, str] = {}
    for name, path in tries.items():
        try:
            handles[os.pidfd_open(int(path.read_text().split()[0]))] = name
        except ProcessLookupError:
            return name
    ended, _, _ = select.select(list(handles), [], [], 10)
    return handles[ended[0]]


def test_what_a_task_prints_is_for_nobody(pool, capfd):
    assert call(pool, hostile_tasks.print_much, 2**24) == 2**24
    assert capfd.readouterr() == ("", "")


def test_a_task_writes_no_endless_file_and_opens_no_endless_number_of_them(pool, tmp_path):
    with pytest.raises(SourceError, match="File too large"):
        call(pool, at_border, hostile_tasks.write_much, str(tmp_path / "big"), 2**40)
    with pytest.raises(SourceError, match="Too many open files"):
        call(pool, at_border, hostile_tasks.open_many, 100_000)


def has_ended(pid: int) -> bool:
    """Whether a process ends within ten seconds; it is nobody's child that is waited for."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        return bool(select.select([handle], [], [], 10)[0])
    return True


@pytest.mark.parametrize("crash", [True, False])
def test_what_a_worker_started_ends_with_it(tmp_path, crash):
    pid_file = tmp_path / "pid"
    with WorkerPool(1) as pool:
        if crash:
            with pytest.raises(LimitError, match="SIGABRT"):
                call(pool, partial(hostile_tasks.leave_child, crash=True), str(pid_file))
        else:
            call(pool, partial(hostile_tasks.leave_child, crash=False), str(pid_file))
    assert has_ended(int(pid_file.read_text()))


def test_parsers_have_no_network(pool):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(SourceError, match="no network"):
            call(pool, at_border, hostile_tasks.call_out, server.getsockname())
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_task_for_a_model_server_has_the_network(pool):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        result_of(pool.submit(hostile_tasks.call_out, address, timeout=60.0, network=True))
        server.accept()[0].close()


def test_what_a_task_needs_in_memory_and_does_not_get_is_a_limit(pool):
    with pytest.raises(LimitError, match="memory"):
        call(pool, bytearray, 2**62)


def test_an_error_of_ours_comes_back_as_it_was_raised(pool):
    source = Source(id="0", path=Path("a.xyz"), format="xyz", size=1)
    with pytest.raises(UnsupportedError, match="not a type that is read: xyz"):
        call(pool, at_border, partition, source)


def test_a_mistake_in_a_task_becomes_an_error_of_its_source(pool):
    with pytest.raises(BrokenError, match=r"cannot be read \(JSONDecodeError: Expecting value"):
        call(pool, at_border, json.loads, "no JSON")


def test_a_file_that_vanished_is_told_without_its_errno(pool, tmp_path):
    with pytest.raises(SourceError) as caught:
        call(pool, at_border, Path.read_bytes, tmp_path / "gone")
    assert caught.value.reason == "cannot be read: No such file or directory"


def test_closing_ends_a_worker_that_is_busy():
    with WorkerPool(1) as pool:
        worker = call(pool, os.getpid)
        pool.submit(signal.pause, timeout=600.0)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_an_unused_pool_starts_no_process_and_closes(monkeypatch):
    import pebble

    monkeypatch.delattr(pebble, "ProcessPool")
    with WorkerPool(2) as pool:
        assert pool.count == 2


SCRIPT = """
import os
from ingest.workers import WorkerPool, result_of
with WorkerPool(1) as pool:
    assert result_of(pool.submit(os.getpid, timeout=60.0)) != os.getpid()
open("ran", "a").write("once ")
"""


def test_a_script_without_a_main_guard_is_not_run_again_in_the_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, script]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "ran").read_text() == "once "


def test_a_task_that_waits_for_a_processor_has_its_own_time_and_one_that_hangs_does_not(monkeypatch):
    waited = iter([1.0, 1.0, 5.0])
    now = iter([10.0, 20.0, 24.0, 30.0])
    monkeypatch.setattr(workers_watch, "waited_seconds", lambda _: next(waited))
    monkeypatch.setattr(workers_watch.time, "monotonic", lambda: next(now))
    clock = Clock()
    assert clock.at([7]) == 10.0
    assert clock.at([7]) == 14.0
    assert clock.at([7]) == 16.0


def test_what_a_process_waited_is_told_and_grows():
    before = waited_seconds(os.getpid())
    assert 0 <= before <= waited_seconds(os.getpid())
    assert waited_seconds(2**22 + 1) == 0.0


def test_the_memory_of_a_process_is_that_which_the_system_tells():
    told = resident_bytes(os.getpid(), children=False)
    assert told == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert resident_bytes(2**22 + 1, children=False) is None


def test_a_process_that_ended_and_was_not_waited_for_keeps_nothing():
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert resident_bytes(child.pid, children=False) is None
    assert resident_bytes(child.pid, children=True) is None
    child.wait()
