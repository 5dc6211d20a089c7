"""The one process pool: everything heavy runs here, in workers that can be lost.

A worker is a session of its own, has no network, writes no core file, and is ended with all that it started when it
takes too long, needs too much memory, or the parent is gone.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
import threading
import types
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from ingest.errors import BrokenError, LimitError, PinciteError, SourceError, TimeLimitError
from ingest.settings import REQUESTS
from ingest.workers_limits import hand_back_memory, start_worker
from ingest.workers_watch import MEMORY, MEMORY_SIGNAL, Watch

if TYPE_CHECKING:
    from pebble import ProcessPool

T = TypeVar("T")
TASKS_A_WORKER = 200
"""Tasks after which a worker is replaced, so that what parsers leak stays small."""
TRIES = 3
"""Times that a task is begun whose workers were lost without its doing."""
RESULT = 2**29
"""Bytes of a task's result, at most."""
BUSY_FACTOR = 4.0
"""How many times as long as it may run a task may take in all, on a machine so busy that its worker has to wait."""


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
        """Have a task done; ``result_of`` gives the future's result. ``timeout`` in seconds that it can run."""
        ...

    def close(self) -> None:
        """Give up what still runs."""
        ...


class WorkerPool:
    """Up to ``count`` warm worker processes, started when the first task comes.

    A task is a module-level function with arguments that can be pickled; it has a worker to itself, and one
    that crashes or takes too long costs its worker only. One whose worker was ended for what all of them kept in
    memory together is done again while no other is.
    """

    def __init__(self, count: int, *, extra: int = 0, scratch: Path | None = None, requests: int = REQUESTS) -> None:
        """``extra`` bytes are allowed to each worker beyond the usual memory and length of a file.

        The temporary files of workers lie in a folder of the pool's own in the folder ``scratch``, else in the
        system's for such files; it is gone when the pool is closed. ``requests`` tasks wait for model servers at a
        time.
        """
        self.count = count
        self.extra = extra
        self.scratch = scratch
        self._folder: TemporaryDirectory[str] | None = None
        self._pool: ProcessPool | None = None
        self._watch: Watch | None = None
        self._requests = Requests(requests)
        self._turns = threading.RLock()
        self._running: dict[Future[Any], _Task] = {}
        self._held: deque[_Task] = deque()
        self._crowded: deque[_Task] = deque()

    def submit(self, function: Callable[..., T], *args: object, timeout: float, network: bool = False) -> Future[T]:
        """Schedule a task; its future raises as ``result_of`` tells. ``timeout`` in seconds.

        Seconds in which its worker was ready and the processors were taken by others count up to ``BUSY_FACTOR``.
        A task that asks a model server needs the ``network``: it runs in a thread of this process, where the
        server's client has its own time limit.
        """
        if network:
            return self._requests.submit(partial(function, *args))
        if self._pool is None:
            self._start()
        task = _Task(call=(function, args), timeout=timeout)
        with self._turns:
            self._held.append(task)
            self._send()
        return task.future

    def _start(self) -> None:
        from pebble import ProcessPool

        context = _Context()
        if self._folder is None:
            if self.scratch is not None:
                self.scratch.mkdir(mode=0o700, exist_ok=True)
            self._folder = TemporaryDirectory(prefix="pincite-", dir=self.scratch, ignore_cleanup_errors=True)
        self._pool = ProcessPool(
            max_workers=self.count,
            max_tasks=TASKS_A_WORKER,
            initializer=start_worker,
            initargs=(self.extra, self._folder.name),
            context=context,
        )
        self._watch = Watch(context.started, self.count, self.extra, self._end_late)
        self._watch.start()

    def _send(self) -> None:
        """Hand on the tasks whose turn it is: all, or one alone while no other is done."""
        assert self._watch is not None
        if not self._running:
            self._watch.alone = bool(self._crowded)
            if self._crowded:
                self._watch.ask_to_leave()
                self._schedule(self._crowded.popleft())
        while self._held and not self._crowded and not self._watch.alone:
            self._schedule(self._held.popleft())

    def _schedule(self, task: _Task) -> None:
        assert self._pool is not None
        if not self._pool.active:
            # A worker was lost that had no task, and Pebble gives all up.
            self._end()
            self._start()
        task.tries += 1
        task.begun, task.is_late = None, False
        sent: Future[Any] = self._pool.schedule(_bounded, args=task.call, timeout=task.timeout * BUSY_FACTOR)
        self._running[sent] = task
        sent.add_done_callback(partial(self._done, task))

    def _end_late(self, now: float) -> None:
        """Give up the tasks that ran for longer than they may; ``now`` is the watch's clock."""
        with self._turns:
            running = list(self._running.items())
        for sent, task in running:
            if task.begun is None and sent.running():
                task.begun = now
            elif task.begun is not None and now - task.begun > task.timeout:
                task.is_late = True
                # Pebble then ends its worker.
                sent.cancel()

    def _done(self, task: _Task, sent: Future[Any]) -> None:
        error = CancelledError() if sent.cancelled() else sent.exception()
        if isinstance(error, TimeoutError) or (task.is_late and isinstance(error, CancelledError)):
            error = TimeoutError("the task took too long", task.timeout)
        with self._turns:
            self._running.pop(sent, None)
            again = self._turns_for(task, error) if self._pool is not None else None
            if again is not None:
                again.append(task)
            if self._pool is not None:
                self._send()
        if again is not None:
            return
        if error is not None:
            task.future.set_exception(error)
        else:
            task.future.set_result(sent.result())

    def _turns_for(self, task: _Task, error: BaseException | None) -> deque[_Task] | None:
        """Where a task waits that is to be done again: it did not end by its own fault."""
        if self._was_crowded_out(error):
            return self._crowded
        return self._held if isinstance(error, BrokenExecutor) and task.tries < TRIES else None

    def _was_crowded_out(self, error: BaseException | None) -> bool:
        from pebble import ProcessExpired

        return (
            isinstance(error, ProcessExpired)
            and error.exitcode == -MEMORY_SIGNAL
            and self._watch is not None
            and self._watch.was_crowded_out(error.pid)
        )

    def close(self) -> None:
        """End the workers and what they started; tasks that still run are given up."""
        self._requests.cancel()
        with self._turns:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()
            pool.join()
            self._end()
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()

    def _end(self) -> None:
        """Have no process of any worker run on."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(slots=True, kw_only=True, eq=False)
class _Task:
    """A call and the seconds that it may run; its future ends when the last of its tries does.

    ``begun`` is when the present try was seen to run, by the watch's clock.
    """

    call: tuple[Callable[..., Any], tuple[object, ...]]
    timeout: float
    tries: int = 0
    begun: float | None = None
    is_late: bool = False
    future: Future[Any] = field(default_factory=Future)


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


@dataclass(frozen=True, slots=True)
class Packed:
    """A task's result, pickled, so that its size is known before it is sent."""

    data: bytes


def _bounded(function: Callable[..., Any], args: tuple[object, ...]) -> Any:  # noqa: ANN401 (pebble wants the task's own type)
    try:
        data = pickle.dumps(function(*args), pickle.HIGHEST_PROTOCOL)
    finally:
        hand_back_memory()
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
