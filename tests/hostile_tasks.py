"""Tasks that misbehave on demand, as a parser might that meets a hostile file."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ingest.partition import PartitionOptions, partition_text, read_pages
from ingest.types import Partition, Source


def segfault() -> None:
    ctypes.string_at(0)


def spin() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(600)


def allocate(size: int) -> int:
    """Fill memory a piece at a time, so that no single request is refused."""
    held = [bytearray(b"x" * 2**24) for _ in range(size // 2**24)]
    return len(held)


KEPT: list[bytearray] = []


def keep(size: int) -> int:
    """Leave memory filled after the task."""
    KEPT.append(bytearray(b"x") * size)
    return os.getpid()


def fill_and_wait(size: int, pipe: str, tries: str) -> int:
    """Tell the process, fill memory, and wait until something is said; at a second try go on at once."""
    with Path(tries).open("a") as file:
        file.write(f"{os.getpid()}\n")
    held = bytearray(b"x") * size
    if len(Path(tries).read_text().split()) == 1:
        with Path(pipe).open("rb", buffering=0) as file:
            file.read(1)
    return len(held)


def return_much(size: int) -> bytes:
    return bytes(size)


def print_much(size: int) -> int:
    for _ in range(size // 2**20):
        os.write(1, bytes(2**20))
        os.write(2, bytes(2**20))
    return size


def write_much(path: str, size: int) -> None:
    with Path(path).open("wb") as file:
        file.truncate(size)


def open_many(count: int) -> int:
    return len([Path(os.devnull).open("rb") for _ in range(count)])


def leave_child(pid_file: str, *, crash: bool) -> int:
    """Start a process that outlives the task."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(pid_file).write_text(str(child.pid))
    if crash:
        os.abort()
    return child.pid


def call_out(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5):
        pass


def partition_and_crash(source: Source, options: PartitionOptions) -> Partition:
    """Read as ever, but for a PDF."""
    if source.format == "pdf":
        os._exit(7)
    return partition_text(source, options)


def read_pages_but_the_second(
    source: Source, pages: Sequence[int], draft: Partition, options: PartitionOptions
) -> Partition:
    """Read pages as ever, but die of page 2."""
    if 2 in pages:
        os._exit(7)
    return read_pages(source, pages, draft, options)
