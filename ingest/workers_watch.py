"""Watches what the workers of a pool keep in memory, each and together, and ends what lost ones left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from typing import Any

from ingest.workers_limits import KEPT, LEAVE_SIGNAL

MEMORY = 3 * 2**29
"""Bytes that a worker and what it started may keep in memory, so that with the parent it stays under 2 GB."""
SHARE = 3 * 2**28
"""Bytes a worker that all may keep together, where that is more than one alone may: what its models and a page take."""
WATCH_SECONDS = 0.05
CHILDREN_EVERY = 20
"""Looks at a worker after which what it started is counted as well: that takes a look at every process."""
MEMORY_SIGNAL = signal.SIGUSR2
"""What ends a worker that needs too much memory; its exit code tells the cause."""


class Watch(threading.Thread):
    """Ends workers that need too much memory, alone or together, and what lost workers left behind.

    Too much: those without a task are asked to leave. If that was not enough by the next look, the worker that is too
    large by itself is ended, else the largest; its task is then to be done while no other is.
    """

    def __init__(self, workers: list[SpawnProcess], count: int, extra: int = 0) -> None:
        """``workers`` grows while they are started. ``extra`` bytes are allowed to each beyond ``MEMORY``."""
        super().__init__(name="pincite-watch", daemon=True)
        self.workers = workers
        self.memory = MEMORY + extra
        self.together = max(MEMORY, count * SHARE) + extra
        self.alone = False
        self._crowded_out: set[int] = set()
        self._asked = False
        self._used: dict[int, int] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until ``stop``."""
        looks = 0
        while not self._ended.wait(WATCH_SECONDS):
            looks += 1
            self._look(children=looks % CHILDREN_EVERY == 0)

    def stop(self) -> None:
        """Stop watching; nothing of any worker runs on."""
        self._ended.set()
        self.join()
        for worker in self.workers:
            _signal_group(worker.pid, signal.SIGKILL)

    def ask_to_leave(self) -> None:
        """Have the workers that are large and have no task make room."""
        # One that is still starting would be ended by it; it keeps little.
        _send(LEAVE_SIGNAL, [pid for pid, kept in self._used.items() if kept > KEPT])

    def was_crowded_out(self, pid: int | None) -> bool:
        """Whether a worker was ended for what all kept together, and not for what it kept itself."""
        return pid in self._crowded_out

    def _look(self, *, children: bool) -> None:
        used: dict[int, int] = {}
        for worker in list(self.workers):
            if worker.pid is None:
                continue
            kept = resident_bytes(worker.pid, children=children)
            if kept is None:
                # Lost, or replaced: what it started would run on.
                _signal_group(worker.pid, signal.SIGKILL)
                self.workers.remove(worker)
            else:
                used[worker.pid] = kept
        self._used = used
        self._keep_below(used)

    def _keep_below(self, used: dict[int, int]) -> None:
        large = [pid for pid, kept in used.items() if kept > self.memory]
        crowded = not self.alone and sum(used.values()) > self.together
        if not large and not crowded:
            self._asked = False
        elif not self._asked:
            self._asked = True
            self.ask_to_leave()
        elif large:
            _send(MEMORY_SIGNAL, large)
        else:
            largest = max(used, key=lambda pid: used[pid])
            self._crowded_out.add(largest)
            _send(MEMORY_SIGNAL, [largest])


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


def _send(number: int, pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _signal_group(pid: int | None, number: int) -> None:
    """Signal all processes of a worker's session; nothing when none is left."""
    if pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
