"""The memory of the writer while many small files go through a Ray cluster on loopback.

    python -m tests.bench.many_files [--files 10000] [--engine ray]

makes small texts, pages and notes, ingests them on two machines of one worker each (processes of this one), and prints
what the writing process keeps in memory as the files go by. Flat is: the last quarter keeps no more than the second.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from ingest import ingest
from ingest.library import Library
from ingest.settings import Settings
from tests import ray_cluster  # before Ray

SAMPLES = 40
"""Points at which memory is looked at, over the whole run."""
WORDS = "ferry harbour timetable ticket island crossing weather delay captain luggage bicycle winter summer".split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Files done, seconds since the start, megabytes that this process holds alone and in all."""

    files: int
    seconds: float
    own: float
    resident: float


def make_files(folder: Path, count: int) -> None:
    """Small files of three formats, each with words of its own, a hundred to a folder."""
    for n in range(count):
        place = folder / f"{n // 100:03}"
        place.mkdir(parents=True, exist_ok=True)
        said = " ".join(WORDS[(n * k + k) % len(WORDS)] for k in range(1, 60))
        title, body = f"Note {n}", f"Number {n} says: {said}."
        if n % 3 == 0:
            (place / f"note{n}.md").write_text(
                f"# {title}\n\n{body}\n\n## Prices\n\n| a | b |\n|---|---|\n| {n} | 2 |\n"
            )
        elif n % 3 == 1:
            (place / f"note{n}.html").write_text(f"<title>{title}</title><h1>{title}</h1><p>{body}</p>")
        else:
            (place / f"note{n}.txt").write_text(f"{title}\n\n{body}\n")


def run(folder: Path, library: Path, settings: Settings, count: int) -> Iterator[Sample]:
    """Ingest a folder and look at this process as it goes on."""
    process, began, every = psutil.Process(), time.perf_counter(), max(1, count // SAMPLES)
    for done, result in enumerate(ingest([folder], library, settings=settings), start=1):
        if result.state != "ingested":
            raise SystemExit(f"{result.path}: {result.state}, {result.reason}")
        if done % every == 0:
            memory = process.memory_full_info()
            yield Sample(
                files=done,
                seconds=time.perf_counter() - began,
                own=memory.uss / 2**20,
                resident=memory.rss / 2**20,
            )


def report(samples: list[Sample]) -> Iterator[str]:
    """What was seen, and whether it was flat."""
    yield "| files | seconds | MB of its own | MB resident |"
    yield "|---|---|---|---|"
    for sample in samples[3::4]:
        yield f"| {sample.files} | {sample.seconds:.0f} | {sample.own:.0f} | {sample.resident:.0f} |"
    quarter = len(samples) // 4
    second, last = (
        statistics.median(sample.own for sample in part)
        for part in (samples[quarter : 2 * quarter], samples[3 * quarter :])
    )
    yield f"second quarter {second:.0f} MB, last quarter {last:.0f} MB: {last - second:+.0f} MB"


@contextmanager
def cluster_settings(engine: str) -> Iterator[Settings]:
    """The settings of a run on this machine's pool, or on a cluster of two machines that ends with it."""
    if engine == "local":
        yield Settings(jobs=2)
        return
    folder = Path("/tmp") / f"pincite-ray-{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        with ray_cluster.cluster(folder) as made:
            yield Settings(engine="ray", ray_address=made.address)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """The command of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--engine", default="ray", choices=["ray", "local"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, cluster_settings(given.engine) as settings:
        docs, library = Path(scratch) / "docs", Path(scratch) / "library"
        make_files(docs, given.files)
        samples = list(run(docs, library, settings, given.files))
        with Library(library) as opened:
            stored = len(opened.sources())
        own = time.process_time()
    for line in report(samples):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{stored} sources stored; {own:.1f} CPU seconds of this process\n")


if __name__ == "__main__":
    main()
