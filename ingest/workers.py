"""The one process pool: everything heavy runs here, in workers that can be lost.

A worker is a session of its own, has no network, writes no core file, and is ended with all that it started when it
takes too long, needs too much memory, or the parent is gone.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import types
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from ingest.errors import BrokenError, LimitError, PinciteError, SourceError, TimeLimitError

if TYPE_CHECKING:
    from pebble import ProcessPool

T = TypeVar("T")
TASKS_A_WORKER = 200
"""Tasks after which a worker is replaced, so that what parsers leak stays small."""
MEMORY = 3 * 2**29
"""Bytes that a worker and what it started may keep in memory, so that with the parent it stays under 2 GB."""
DATA = 4 * 2**30
"""Bytes that a worker may ask for: an allocation beyond fails before it fills the memory."""
REQUESTS = 2
"""Tasks that wait for a model server at a time."""
RESULT = 2**29
"""Bytes of a task's result, at most."""
FILE_BYTES = 2 * 2**30
"""Bytes of a file that a worker writes, at most."""
OPEN_FILES = 512
WATCH_SECONDS = 0.1
CHILDREN_EVERY = 10
"""Looks at a worker after which what it started is counted as well: that takes a look at every process."""
MEMORY_SIGNAL = signal.SIGUSR2
"""What ends a worker that needs too much memory; its exit code tells the cause."""
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
"""Flags of Linux's unshare(2)."""
PR_SET_PDEATHSIG = 1
"""Option of Linux's prctl(2): the signal that a process gets when its parent ends."""


class Engine(Protocol):
    """The seat of what runs the heavy tasks of an ingest: this machine's pool, or the machines of a cluster.

    A task is a module-level function with arguments that can be pickled, and pure: the same arguments give the same
    result wherever it runs, so that it can run twice. A ``Source`` among the arguments stands for its bytes.
    """

    @property
    def count(self) -> int:
        """Tasks that can run at a time."""
        ...

    def submit(self, function: Callable[..., T], *args: object, timeout: float, network: bool = False) -> Future[T]:
        """Have a task done; ``result_of`` gives the future's result. ``timeout`` in seconds."""
        ...

    def close(self) -> None:
        """Give up what still runs."""
        ...


class WorkerPool:
    """Up to ``count`` warm worker processes, started when the first task comes.

    A task is a module-level function with arguments that can be pickled; it has a worker to itself, and one
    that crashes or takes too long costs its worker only.
    """

    def __init__(self, count: int, *, extra: int = 0) -> None:
        """``extra`` bytes are allowed to each worker beyond the usual memory and length of a file."""
        self.count = count
        self.extra = extra
        self._pool: ProcessPool | None = None
        self._watch: _Watch | None = None
        self._requests = Requests(REQUESTS)

    def submit(self, function: Callable[..., T], *args: object, timeout: float, network: bool = False) -> Future[T]:
        """Schedule a task; its future raises as ``result_of`` tells. ``timeout`` in seconds.

        A task that asks a model server needs the ``network``: it runs in a thread of this process, where the
        server's client has its own time limit.
        """
        if network:
            return self._requests.submit(partial(function, *args))
        if self._pool is None:
            from pebble import ProcessPool

            context = _Context()
            self._pool = ProcessPool(
                max_workers=self.count,
                max_tasks=TASKS_A_WORKER,
                initializer=_start_worker,
                initargs=(self.extra,),
                context=context,
            )
            self._watch = _Watch(context.started, MEMORY + self.extra)
            self._watch.start()
        future: Future[T] = self._pool.schedule(_bounded, args=(function, args), timeout=timeout)
        return future

    def close(self) -> None:
        """End the workers and what they started; tasks that still run are given up."""
        self._requests.cancel()
        if self._pool is not None and self._watch is not None:
            self._pool.stop()
            self._pool.join()
            self._watch.stop()
            self._pool = self._watch = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Requests:
    """Threads that wait for model servers. They end with the process: no reply, however slow, holds up its exit."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._queue: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, request: Callable[[], T]) -> Future[T]:
        """Have a request made when a thread is free."""
        future: Future[T] = Future()
        self._queue.put((request, future))
        if len(self._threads) < self._count:
            thread = threading.Thread(target=self._work, name="pincite-model", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def cancel(self) -> None:
        """Give up what has not begun."""
        with suppress(Empty):
            while True:
                self._queue.get_nowait()[1].cancel()

    def _work(self) -> None:
        while True:
            request, future = self._queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(request())
            except BaseException as exc:  # noqa: BLE001 (it is raised again by the future)
                future.set_exception(exc)


class _Watch(threading.Thread):
    """Ends workers that need too much memory, and what lost workers left behind."""

    def __init__(self, workers: list[SpawnProcess], memory: int = MEMORY) -> None:
        super().__init__(name="pincite-watch", daemon=True)
        self.workers, self.memory = workers, memory
        self._ended = threading.Event()

    def run(self) -> None:
        looks = 0
        while not self._ended.wait(WATCH_SECONDS):
            looks += 1
            for worker in list(self.workers):
                self._look(worker, children=looks % CHILDREN_EVERY == 0)

    def stop(self) -> None:
        """Stop watching; nothing of any worker runs on."""
        self._ended.set()
        self.join()
        for worker in self.workers:
            _end_group(worker.pid, signal.SIGKILL)

    def _look(self, worker: SpawnProcess, *, children: bool) -> None:
        if worker.pid is None:
            return
        used = resident_bytes(worker.pid, children=children)
        if used is None:
            # Lost, or replaced: what it started would run on.
            _end_group(worker.pid, signal.SIGKILL)
            self.workers.remove(worker)
        elif used > self.memory:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, MEMORY_SIGNAL)


def resident_bytes(pid: int, *, children: bool) -> int | None:
    """What a process, with all that it started or alone, keeps in memory; ``None`` when it has ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        family = [process, *process.children(recursive=True)] if children else [process]
    except psutil.NoSuchProcess:
        return None
    return sum(_resident(member) for member in family)


def _resident(process: Any) -> int:  # noqa: ANN401 (psutil is imported late)
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _end_group(pid: int | None, number: int) -> None:
    """Signal all processes of a worker's session; nothing when none is left."""
    if pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


@dataclass(frozen=True, slots=True)
class Packed:
    """A task's result, pickled, so that its size is known before it is sent."""

    data: bytes


def _bounded(function: Callable[..., Any], args: tuple[object, ...]) -> Any:  # noqa: ANN401 (pebble wants the task's own type)
    data = pickle.dumps(function(*args), pickle.HIGHEST_PROTOCOL)
    if len(data) > RESULT:
        raise LimitError(f"gave more than is taken ({len(data) // 2**20} MB of {RESULT // 2**20} MB at most)")
    return Packed(data)


def at_border(function: Callable[..., T], *args: object) -> T:
    """Run one step of one source. What it raises by mistake becomes an error of that source, so the run goes on.

    Raises:
        BrokenError: the step raised something that is not ours.
        PinciteError: what the step raised.
    """
    try:
        return function(*args)
    except (PinciteError, MemoryError):
        raise
    except OSError as exc:
        raise SourceError(f"cannot be read: {exc.strerror or exc}") from exc
    except Exception as exc:  # the border of the per-file worker
        raise BrokenError(f"cannot be read ({type(exc).__name__}: {str(exc)[:200]})") from exc


def result_of(future: Future[T]) -> T:
    """A finished task's result.

    Raises:
        TimeLimitError: the task took too long.
        LimitError: the worker crashed, or needed or gave too much.
        PinciteError: what the task raised.
    """
    found: Any = _found(future)
    result: T = pickle.loads(found.data) if isinstance(found, Packed) else found  # noqa: S301 (our own worker's)
    return result


def packed_result_of(future: Future[Any]) -> Packed:
    """A finished task's result as its worker sent it, to be handed on.

    Raises:
        PinciteError: as ``result_of``.
    """
    found = _found(future)
    assert isinstance(found, Packed)
    return found


def _found(future: Future[T]) -> T:
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError as exc:
        raise TimeLimitError(
            f"took too long ({exc.args[1]:g} s at most)" if len(exc.args) > 1 else "took too long"
        ) from exc
    except ProcessExpired as exc:
        raise LimitError(_cause(exc.exitcode)) from exc
    except MemoryError as exc:
        raise LimitError(_TOO_MUCH) from exc


_TOO_MUCH = f"needs more memory than is allowed ({MEMORY / 2**30:g} GB)"


def _cause(code: int | None) -> str:
    """Why a worker ended, by its exit code."""
    if code == -MEMORY_SIGNAL:
        return _TOO_MUCH
    if code is not None and code < 0:
        return f"its reader crashed (signal {signal.Signals(-code).name})"
    return f"its reader crashed (exit code {code})"


def _start_worker(extra: int = 0) -> None:
    """Make this process one that can be lost: its own session, its limits, no network, gone with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Pebble's own handler waits until native code returns to Python, 3 s a worker at most.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.name != "posix":
        return
    os.setsid()
    _set_limits(extra)
    _cut_network()
    if sys.platform == "linux":
        _libc().prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    # What parsers print is for nobody, and could be endless.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _set_limits(extra: int) -> None:
    import resource

    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, FILE_BYTES + extra),
        (resource.RLIMIT_DATA, DATA + extra),
    ):
        _, most = resource.getrlimit(kind)
        allowed = value if most == resource.RLIM_INFINITY else min(value, most)
        # macOS refuses some of them; the watch remains.
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (allowed, most))


def _cut_network() -> None:
    """Leave this process without network: by the kernel where it lets us, in Python everywhere."""
    if sys.platform == "linux":
        flags = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWUSER | CLONE_NEWNET
        _libc().unshare(flags)
    sys.addaudithook(_refuse_network)


def _refuse_network(event: str, args: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto") and not isinstance(args[-1], (str, bytes)):
        raise PermissionError("parsers have no network")


def _libc() -> Any:  # noqa: ANN401 (ctypes makes the functions)
    return ctypes.CDLL(None, use_errno=True)


class _Process(SpawnProcess):
    """A spawned process that does not import the caller's main module.

    Spawning runs the main module again, which breaks scripts without an ``if __name__`` guard; our tasks
    live in modules of their own and need nothing of it.
    """

    @staticmethod
    def _Popen(process: multiprocessing.process.BaseProcess) -> Any:  # noqa: N802, ANN401 (the base class's name and type)
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        # Blocked until the worker ignores it: Ctrl-C reaches it too, and would end it with a traceback meanwhile.
        # What is started first would unblock it again.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return SpawnProcess._Popen(process)  # noqa: SLF001 (what we extend)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            sys.modules["__main__"] = main


class _Context(SpawnContext):
    """A context that remembers the processes it made."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, **given: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: ANN401, N802 (the base class's)
        process = _Process(**given)
        self.started.append(process)
        return process
