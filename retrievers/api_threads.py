"""Threads for what blocks: a fixed number, as each keeps a connection to the library, and a bounded queue."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from starlette.exceptions import HTTPException

T = TypeVar("T")
RETRY_SECONDS = 2


class Threads:
    """Runs blocking calls in ``count`` threads; ``waiting`` more may wait, what comes beyond is refused."""

    def __init__(self, name: str, count: int, waiting: int) -> None:
        self.count, self.waiting = count, waiting
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=f"pincite-{name}")
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """Calls that run or wait."""
        return self._taken

    def submit(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Have a call made; awaited in the running loop.

        Raises:
            HTTPException: 503, too many wait already.
        """
        with self._lock:
            if self._taken >= self.count + self.waiting:
                raise HTTPException(503, "too many questions at once; try again", {"retry-after": str(RETRY_SECONDS)})
            self._taken += 1
        future = self._pool.submit(call)
        future.add_done_callback(self._done)
        return asyncio.wrap_future(future)

    def _done(self, _: Future[T]) -> None:
        with self._lock:
            self._taken -= 1

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
