"""The one process pool: everything heavy runs here, in workers that can be lost."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import types
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ingest.errors import BrokenError, LimitError, PinciteError, SourceError

if TYPE_CHECKING:
    from pebble import ProcessPool

T = TypeVar("T")
TASKS_A_WORKER = 200
"""Tasks after which a worker is replaced, so that what parsers leak stays small."""


class WorkerPool:
    """Up to ``count`` warm worker processes, started when the first task comes.

    A task is a module-level function with arguments that can be pickled; it has a worker to itself, and one
    that crashes or takes too long costs its worker only.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ProcessPool | None = None

    def submit(self, function: Callable[..., T], *args: object, timeout: float) -> Future[T]:
        """Schedule a task; its future raises as ``result_of`` tells. ``timeout`` in seconds."""
        if self._pool is None:
            from pebble import ProcessPool

            self._pool = ProcessPool(
                max_workers=self.count, max_tasks=TASKS_A_WORKER, initializer=_start_worker, context=_Context()
            )
        future: Future[T] = self._pool.schedule(function, args=args, timeout=timeout)
        return future

    def close(self) -> None:
        """End the workers; tasks that still run are given up."""
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
        LimitError: the worker crashed or took too long.
        PinciteError: what the task raised.
    """
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError as exc:
        raise LimitError(
            f"took too long ({exc.args[1]:g} s at most)" if len(exc.args) > 1 else "took too long"
        ) from exc
    except ProcessExpired as exc:
        raise LimitError(f"its reader crashed ({_exit_text(exc.exitcode)})") from exc
    except MemoryError as exc:
        raise LimitError("needs more memory than is allowed") from exc


def _exit_text(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _start_worker() -> None:
    """Ctrl-C is the parent's affair, the pool ends a worker at once, and a crash leaves no core file."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Pebble's own handler waits until native code returns to Python, 3 s a worker at most.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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
    Process = _Process
