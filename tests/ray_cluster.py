"""A Ray cluster on loopback: a head without CPUs and machines of one CPU each, as processes of our own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Said before Ray is imported, which reads it then: without it a token is made in the home folder.
os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": os.environ.get("RAY_AUTH_TOKEN") or secrets.token_hex(32)}
STORE_BYTES = 200 * 2**20


@dataclass
class Cluster:
    """The head's address, and the processes of each machine that was added."""

    address: str
    folder: Path
    head: subprocess.Popen[bytes]
    store_bytes: int = STORE_BYTES
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self) -> subprocess.Popen[bytes]:
        """Start one more machine of one CPU."""
        store = f"--object-store-memory={self.store_bytes}"
        self.nodes.append(_start(self.folder, f"--address={self.address}", "--num-cpus=1", store))
        return self.nodes[-1]

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """End a machine as a power cut does."""
        with suppress(ProcessLookupError):
            os.killpg(node.pid, signal.SIGKILL)
        node.wait()


@contextmanager
def cluster(folder: Path, nodes: int = 2, *, store_bytes: int = STORE_BYTES) -> Iterator[Cluster]:
    """A cluster of so many machines, ended with all its processes."""
    port = _free_port()
    store = f"--object-store-memory={store_bytes}"
    head = _start(folder, "--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false", store)
    made = Cluster(address=f"127.0.0.1:{port}", folder=folder, head=head, store_bytes=store_bytes)
    try:
        for _ in range(nodes):
            made.add()
        yield made
    finally:
        for process in (*made.nodes, head):
            made.kill(process)


def _start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start Ray's processes; returns when they are up. They are a process group of their own."""
    command = [
        str(Path(sys.executable).with_name("ray")),
        "start",
        "--block",
        "--node-ip-address=127.0.0.1",
        "--disable-usage-stats",
        *arguments,
    ]
    if "--head" in arguments:
        command.append(f"--temp-dir={folder}")
    log = folder / f"ray-{len(list(folder.glob('ray-*.log')))}.log"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_DISABLE_IMPORT_WARNING": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=ROOT, env=environment, start_new_session=True, close_fds=True
        )
    _wait_for(process, log)
    return process


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> None:
    """Until Ray says that it runs."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        text = log.read_text(errors="replace")
        if "Ray runtime started" in text:
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"Ray did not start: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
