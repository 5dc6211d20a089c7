"""The one process pool: everything heavy runs here, in workers that can be lost."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import types
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ingest.errors import LimitError

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
            f"took too long ({exc.args[1]:.0f} s at most)" if len(exc.args) > 1 else "took too long"
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
    """Ctrl-C is the parent's affair, and a crash leaves no core file."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
        try:
            return SpawnProcess._Popen(process)  # noqa: SLF001 (what we extend)
        finally:
            sys.modules["__main__"] = main


class _Context(SpawnContext):
    Process = _Process
