"""What a worker process does to itself so that it can be lost: its own session, its limits, no network.

It leaves when its memory is wanted elsewhere and it has no task.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import tempfile
from contextlib import suppress
from types import FrameType
from typing import Any

DATA = 4 * 2**30
"""Bytes that a worker may ask for: an allocation beyond fails before it fills the memory."""
FILE_BYTES = 2 * 2**30
"""Bytes of a file that a worker writes, at most."""
OPEN_FILES = 512
LEAVE_SIGNAL = signal.SIGUSR1
"""What asks a worker to leave if it has no task; one that has takes no notice."""
BUSY = {"process_execute", "send_result", "task_transaction"}
"""The functions of Pebble in which a worker has a task, or holds what all workers share."""
KEPT = 2**28
"""Bytes of a worker above which what it freed is handed back after each task."""
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
"""Flags of Linux's unshare(2)."""
PR_SET_PDEATHSIG = 1
"""Option of Linux's prctl(2): the signal that a process gets when its parent ends."""


def start_worker(extra: int, scratch: str) -> None:
    """Make this process one that can be lost: its own session, its limits, no network, gone with its parent.

    ``extra`` bytes are allowed beyond the usual ones to what it asks for and to a file that it writes. Its temporary
    files lie in the folder ``scratch``, which is removed whatever becomes of it.
    """
    tempfile.tempdir = scratch
    os.environ |= dict.fromkeys(("TMPDIR", "SQLITE_TMPDIR"), scratch)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Pebble's own handler waits until native code returns to Python, 3 s a worker at most.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.name != "posix":
        return
    signal.signal(LEAVE_SIGNAL, _leave_if_idle)
    os.setsid()
    _set_limits(extra)
    _cut_network()
    if sys.platform == "linux":
        _libc().prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    # What parsers print is for nobody, and could be endless.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _leave_if_idle(_: int, frame: FrameType | None) -> None:
    """End this process as one that has done its tasks, unless it is at one."""
    while frame is not None:
        if frame.f_code.co_name in BUSY:
            return
        frame = frame.f_back
    os._exit(0)


def hand_back_memory() -> None:
    """Give what was freed back to the system: else a worker that read one large file stays large."""
    if sys.platform == "linux" and _resident() > KEPT:
        with suppress(AttributeError):  # a C library without it
            _libc().malloc_trim(0)


def _resident() -> int:
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 (after each task)
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


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
