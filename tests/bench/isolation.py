"""What isolation costs: ``python -m tests.bench.isolation FOLDER [ROUNDS]``.

The PDFs of a folder are read with the fast parser, in this process and in one worker of the pool, by turns, each time
in a new process. It prints the CPU seconds of each, parent and worker together, and their ratio round by round: the
import of the readers is in both.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

from ingest.discover import identify
from ingest.errors import SourceError
from ingest.partition import PartitionOptions, partition
from ingest.reading import read_many
from ingest.workers import WorkerPool

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = PartitionOptions(parser="fast", images="off")


def read(folder: str, how: str) -> int:
    """Read all PDFs of a folder; how many gave a partition."""
    sources = [identify(str(path), max_bytes=2**31) for path in sorted(Path(folder).glob("*.pdf"))]
    if how == "isolated":
        with WorkerPool(1) as pool:
            return sum(not isinstance(found, SourceError) for found in read_many(pool, sources, OPTIONS))
    count = 0
    for source in sources:
        try:
            count += bool(partition(source, OPTIONS))
        except SourceError:
            continue
    return count


def seconds(folder: str, how: str) -> float:
    """CPU seconds of a process that reads a folder, and of all that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "tests.bench.isolation", "--read", folder, how], check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(folder: str, rounds: int = 5) -> None:
    """Print what is told above."""
    ratios: list[float] = []
    for _ in range(rounds):
        alone, isolated = seconds(folder, "in process"), seconds(folder, "isolated")
        ratios.append(isolated / alone)
        sys.stdout.write(f"in process {alone:6.2f} s, isolated {isolated:6.2f} s: {ratios[-1]:.3f}\n")
        sys.stdout.flush()
    sys.stdout.write(f"isolated against in process, median of {rounds}: {statistics.median(ratios):.3f}\n")


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        read(*sys.argv[2:4])
    else:
        main(sys.argv[1], *(int(each) for each in sys.argv[2:3]))
