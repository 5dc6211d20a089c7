"""What a Ray cluster costs against the local pool on the same cores.

    python -m tests.bench.ray_overhead FOLDER [--rounds 1] [--parser auto]

ingests a folder with the local pool of two workers and on two machines of one worker each (processes of this one), in
turn, and prints wall seconds and CPU seconds of all processes. The cluster's start is not in it. The folder should take
five minutes or more, and the machine should do nothing else. That both gave the same library is checked.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from ingest import ingest
from ingest.partition import Parser, PartitionOptions
from ingest.pipeline import IngestOptions
from ingest.settings import Settings
from tests.bench.kill import differences
from tests.bench.many_files import cluster_settings

EVERY = 0.5
"""Seconds between two looks at the processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of one ingest: on the wall, of this process's CPU, and of all other processes'."""

    wall: float
    writer: float
    others: float
    pages: int

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return self.writer + self.others


class Watched:
    """CPU seconds of this process's children and theirs, also of those that end meanwhile."""

    def __init__(self) -> None:
        self._seen: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._look()
        self._began = dict(self._seen)
        self._thread.start()

    def stop(self) -> float:
        """CPU seconds since the beginning."""
        self._ended.set()
        self._thread.join()
        self._look()
        return sum(seconds - self._began.get(pid, 0.0) for pid, seconds in self._seen.items())

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            self._look()

    def _look(self) -> None:
        for process in psutil.Process().children(recursive=True):
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            self._seen[process.pid] = times.user + times.system


def measure(folder: Path, library: Path, settings: Settings, parser: Parser) -> Cost:
    """Ingest a folder into a new library."""
    watched, own, began = Watched(), time.process_time(), time.perf_counter()
    options = IngestOptions(partition=PartitionOptions(parser=parser))
    results = list(ingest([folder], library, options=options, settings=settings))
    wall, writer = time.perf_counter() - began, time.process_time() - own
    return Cost(wall=wall, writer=writer, others=watched.stop(), pages=sum(result.pages or 1 for result in results))


def compare(folder: Path, rounds: int, parser: Parser) -> Iterator[str]:
    """A line a run, then the overhead."""
    costs: dict[str, list[Cost]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as place, cluster_settings("ray") as ray_settings:
        scratch = Path(place)
        warm_up(scratch, ray_settings)
        for number in range(rounds):
            for engine, settings in (("local", Settings(jobs=2)), ("ray", ray_settings)):
                cost = measure(folder, scratch / f"{engine}{number}", settings, parser)
                costs[engine].append(cost)
                yield (
                    f"{engine}: {cost.wall:.1f} s wall, {cost.cpu:.1f} s CPU, {cost.writer:.1f} s of it the writer's,"
                    f" {cost.pages} pages"
                )
            found = list(differences(scratch / f"local{number}", scratch / f"ray{number}"))
            yield f"differences: {found or 'none'}"
    for name in ("wall", "cpu", "writer"):
        local, ray = (statistics.median(getattr(cost, name) for cost in costs[engine]) for engine in ("local", "ray"))
        yield f"{name}: {ray / local - 1:+.1%} on Ray"


def warm_up(scratch: Path, ray_settings: Settings) -> None:
    """Have the machines of the cluster begun once, so that nothing is read from disk for the first time."""
    note = scratch / "note.md"
    note.write_text("# Note\n\nThe ferry sails at noon.\n")
    for name, settings in (("warm-local", Settings(jobs=2)), ("warm-ray", ray_settings)):
        list(ingest([note], scratch / name, settings=settings))


def main() -> None:
    """The command of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--parser", default="auto", choices=["auto", "fast"])
    given = parser.parse_args()
    for line in compare(given.folder, given.rounds, given.parser):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
