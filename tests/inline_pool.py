"""A pool that does its tasks at once, in this process, and records them."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Self

from ingest.errors import PinciteError
from ingest.workers import at_border


class InlinePool:
    """The seat of ``ingest.workers.WorkerPool``. ``broken`` maps names of tasks to the error that each ends with."""

    def __init__(self, count: int = 1, *, extra: int = 0) -> None:
        self.count = count
        self.tasks: list[str] = []
        self.broken: dict[str, PinciteError] = {}

    def submit(
        self, function: Callable[..., object], *args: object, timeout: float, network: bool = False
    ) -> Future[object]:
        name = str(getattr(args[0] if function is at_border else function, "__name__", ""))
        self.tasks.append(name)
        future: Future[object] = Future()
        if name in self.broken:
            future.set_exception(self.broken[name])
            return future
        try:
            future.set_result(function(*args))
        except PinciteError as exc:
            future.set_exception(exc)
        return future

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
