"""Watches the workers of a pool: what they keep in memory, each and together, and for how long they could run.

What lost ones left behind is ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from pathlib import Path
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
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Watch(threading.Thread):
    """Ends workers that need too much memory, alone or together, and what lost workers left behind.

    Too much: those without a task are asked to leave. If that was not enough by the next look, the worker that is too
    large by itself is ended, else the largest; its task is then to be done while no other is.
    """

    def __init__(
        self,
        workers: list[SpawnProcess],
        count: int,
        extra: int = 0,
        on_look: Callable[[float], None] | None = None,
    ) -> None:
        """``workers`` grows while they are started. ``extra`` bytes are allowed to each beyond ``MEMORY``.

        ``on_look`` is told at each look the seconds that a worker could have run since the watch began: those that
        the worst of them waited for a processor, because the machine was busy, are not counted.
        """
        super().__init__(name="pincite-watch", daemon=True)
        self.workers = workers
        self._on_look = on_look
        self._clock = Clock()
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
            if self._on_look is not None:
                self._on_look(self._clock.at([worker.pid for worker in self.workers if worker.pid is not None]))

    def stop(self) -> None:
        """Stop watching; nothing of any worker runs on."""
        self._ended.set()
        if threading.current_thread() is not self:
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


class Clock:
    """Seconds less those in which some process of a pool was ready to run and waited for a processor."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._last = time.monotonic()
        self._waited: dict[int, float] = {}

    def at(self, pids: Sequence[int]) -> float:
        """The seconds until now, from what these processes waited since the last call."""
        now = time.monotonic()
        waited = {pid: waited_seconds(pid) for pid in pids}
        longest = max((waited[pid] - self._waited.get(pid, waited[pid]) for pid in pids), default=0.0)
        passed = now - self._last
        self._seconds += passed - min(max(longest, 0.0), passed)
        self._last, self._waited = now, waited
        return self._seconds


def waited_seconds(pid: int) -> float:
    """How long a process was ready to run and did not; 0 where the system does not tell (Linux's sched-stats.rst)."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def resident_bytes(pid: int, *, children: bool) -> int | None:
    """What a process, with all that it started or alone, keeps in memory; ``None`` when it has ended."""
    if sys.platform == "linux" and not children:
        return _resident_on_linux(pid)
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        family = [process, *process.children(recursive=True)] if children else [process]
    except psutil.NoSuchProcess:
        return None
    return sum(_resident(member) for member in family)


def _resident_on_linux(pid: int) -> int | None:
    """As ``resident_bytes``, at a tenth of the cost: it is asked twenty times a second (proc_pid_statm(5))."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
    except (OSError, IndexError):
        return None
    # A process that has ended and was not waited for keeps nothing.
    return pages * PAGE_BYTES or None


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
