"""Many askers of one server while it ingests: ``python -m tests.bench.load FOLDER [SECONDS] [ASKERS]``.

The folder is ingested and served (extractive answers, one process as `pincite serve` starts it). Then askers put
questions without a pause, a new session every five, while uploads keep an ingest running. It prints the requests that
were answered and refused, the latencies, the answers of an idle server for comparison, and the server's memory over
time: that of the process that answers, without the workers that read.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = (
    "How many passengers did route H2 carry in 2024?",
    "Who chairs the board?",
    "What does a crossing cost for a bicycle?",
    "Which add-ons are there for sailing?",
    "When does the last ferry leave on Sundays?",
    "What was total revenue?",
    "How punctual was route H3?",
)
A_SESSION = 5
"""Questions that an asker puts in one session."""


@dataclass(slots=True)
class Tally:
    """What the askers met."""

    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, seconds: float, problem: str | None) -> None:
        with self.lock:
            self.seconds.append(seconds)
            self.problems += [problem] if problem else []

    def shape(self) -> dict[str, float]:
        cuts = statistics.quantiles(self.seconds, n=100)
        return {
            "answers": len(self.seconds),
            "p50": cuts[49],
            "p95": cuts[94],
            "p99": cuts[98],
            "max": max(self.seconds),
        }


@contextmanager
def served(folder: Path, library: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server over the folder's library."""
    pincite = [sys.executable, "-m", "cli"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*pincite, "ingest", folder, "-l", library, "--json"], env=env, check=True, stdout=subprocess.DEVNULL
    )
    command = [*pincite, "serve", "-l", library, "--port", "0", "--model", "extractive"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://\S+\d", process.stderr.readline())
        assert found is not None
        try:
            yield found[0], psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


def ask_until(end: float, url: str, tally: Tally, first: int) -> None:
    """One asker: question after question until the end."""
    session: dict[str, str] = {}
    with httpx.Client(base_url=url, timeout=120) as client:
        turn = first
        while time.monotonic() < end:
            body = {"question": QUESTIONS[turn % len(QUESTIONS)], "user_id": f"asker {first}"}
            headers = {"x-session-secret": session["session_secret"]} if session else {}
            begun = time.monotonic()
            problem = None
            try:
                reply = client.post(
                    "/api/question",
                    json=body | ({"session_id": session["session"]} if session else {}),
                    headers=headers,
                )
                problem = None if reply.status_code == 200 else f"{reply.status_code} {reply.text[:200]}"
                session = reply.json() | session if problem is None else {}
            except httpx.HTTPError as exc:
                problem = f"{type(exc).__name__} {exc}"
            tally.add(time.monotonic() - begun, problem)
            turn += 1
            if (turn - first) % A_SESSION == 0:
                session = {}


def ingest_until(end: float, url: str, folder: Path, done: list[dict]) -> None:
    """Upload the folder's PDFs and texts again and again, each time with other bytes, one job after the other."""
    files = [p for p in sorted(folder.rglob("*")) if p.suffix in (".pdf", ".md", ".csv", ".txt")]
    with httpx.Client(base_url=url, timeout=600) as client:
        turn = 0
        while time.monotonic() < end:
            turn += 1
            sent = [("files", (f"{turn}-{p.name}", p.read_bytes() + b"\n%% %d\n" % turn)) for p in files[:4]]
            job = client.post("/api/ingest", files=sent).json()["job"]
            while (state := client.get(f"/api/ingest/{job}").json())["state"] not in ("done", "failed"):
                time.sleep(0.5)
            done.append(state["summary"] | {"error": state["error"]})


def run(url: str, folder: Path, seconds: float, askers: int, server: psutil.Process, *, ingesting: bool) -> dict:
    """One measurement."""
    end = time.monotonic() + seconds
    tally, jobs = Tally(), list[dict]()
    threads = [threading.Thread(target=ask_until, args=(end, url, tally, n)) for n in range(askers)]
    if ingesting:
        threads.append(threading.Thread(target=ingest_until, args=(end, url, folder, jobs)))
    before = server.cpu_times()
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < end:
        memory.append(round(server.memory_info().rss / 2**20))
        time.sleep(1)
    for thread in threads:
        thread.join()
    after = server.cpu_times()
    return {
        "askers": askers,
        "ingesting": ingesting,
        **{name: round(value, 3) for name, value in tally.shape().items()},
        "errors": len(tally.problems),
        "first errors": tally.problems[:3],
        "server's CPU seconds": round(after.user + after.system - before.user - before.system, 1),
        "MB over time": memory[:: max(1, len(memory) // 12)],
        "ingested": sum(job["ingested"] for job in jobs),
        "jobs failed": [job["error"] for job in jobs if job["error"]],
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Serve, ask, print."""
    folder = Path(sys.argv[1]).resolve()
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    askers = int(sys.argv[3]) if len(sys.argv) > 3 else 32
    with tempfile.TemporaryDirectory() as made, served(folder, Path(made) / "lib") as (url, server):
        for count, length, ingesting in ((1, min(10.0, seconds), False), (askers, seconds, True)):
            found = run(url, folder, length, count, server, ingesting=ingesting)
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
