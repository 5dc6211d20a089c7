"""Small tasks share a trip to a worker: the way there and back takes longer than what is done there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

from ingest.errors import PinciteError, SourceError
from ingest.workers import Engine, result_of

BUNDLE = 16
"""Tasks of a bundle, at most."""
BUNDLE_SECONDS = 60.0
"""Seconds that a bundle may take; what was in a lost one is done again alone, in its own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A module-level function with its arguments, and the seconds that it may take."""

    function: Callable[..., Any]
    args: tuple[object, ...]
    seconds: float


class _LostBundleError(SourceError):
    """A worker was lost over one of the tasks of a bundle; nobody knows which."""


class Bundles:
    """Tasks that go to a worker together. Each has its own future, and its own worker after a bundle was lost."""

    def __init__(self, pool: Engine) -> None:
        self._pool = pool
        self._open: list[Future[Any]] = []
        self._tasks: dict[Future[Any], Task] = {}

    def submit(self, task: Task) -> Future[Any]:
        """Have a task done with the next ones; ``flush`` sends what waits."""
        future: Future[Any] = Future()
        self._tasks[future] = task
        self._open.append(future)
        if len(self._open) >= BUNDLE:
            self.flush()
        return future

    def flush(self) -> None:
        """Send the tasks that wait for others."""
        if self._open:
            futures, self._open = self._open, []
            calls = [(self._tasks[future].function, self._tasks[future].args) for future in futures]
            sent = self._pool.submit(do_each, calls, timeout=BUNDLE_SECONDS)
            sent.add_done_callback(partial(_share_out, futures))

    def spared(self) -> int:
        """How many trips are spared by the tasks whose futures were not taken yet."""
        return len(self._tasks) - ceil(len(self._tasks) / BUNDLE)

    def take(self, future: Future[Any]) -> Future[Any]:
        """A finished future; of a task that was in a lost bundle, the future of the same task alone."""
        task = self._tasks.pop(future, None)
        if task is None or not isinstance(future.exception(), _LostBundleError):
            return future
        return self._pool.submit(task.function, *task.args, timeout=task.seconds)


def do_each(calls: Sequence[tuple[Callable[..., Any], tuple[object, ...]]]) -> list[tuple[Any, PinciteError | None]]:
    """What each call gives, or its error."""
    return [_outcome(function, args) for function, args in calls]


def _outcome(function: Callable[..., Any], args: tuple[object, ...]) -> tuple[Any, PinciteError | None]:
    try:
        return function(*args), None
    except PinciteError as exc:
        return None, exc


def _share_out(futures: Sequence[Future[Any]], sent: Future[Any]) -> None:
    """Give each task of a bundle what came of it."""
    done = not sent.cancelled() and sent.exception() is None
    outcomes = result_of(sent) if done else [(None, _LostBundleError("lost with others"))] * len(futures)
    for future, (found, error) in zip(futures, outcomes, strict=True):
        if error is None:
            future.set_result(found)
        else:
            future.set_exception(error)
