"""A pool that does its tasks at once, in this process, and records them."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from ingest.bundles import do_each
from ingest.errors import PinciteError
from ingest.workers import at_border


class InlinePool:
    """The seat of ``ingest.workers.WorkerPool``. ``broken`` maps names of tasks to the error that each ends with."""

    def __init__(self, count: int = 1, *, extra: int = 0, scratch: Path | None = None, requests: int = 1) -> None:
        self.count = count
        self.tasks: list[str] = []
        self.broken: dict[str, PinciteError] = {}

    def submit(
        self, function: Callable[..., object], *args: object, timeout: float, network: bool = False
    ) -> Future[object]:
        if function is do_each:
            return self.each(*args)  # type: ignore[arg-type]
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

    def each(self, calls: list[tuple[Callable[..., object], tuple[object, ...]]]) -> Future[object]:
        futures = [self.submit(function, *args, timeout=0) for function, args in calls]
        future: Future[object] = Future()
        future.set_result([(None if f.exception() else f.result(), f.exception()) for f in futures])
        return future

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
