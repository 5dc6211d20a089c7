"""How long an ingest takes on a cluster, what it costs, and which part is full first: a model, not a measurement.

    python -m tests.bench.cluster_model FOLDER [--jobs 2]

ingests every other file of a folder on this machine, takes the costs of a page from them, says what the others will
cost, ingests these too and prints how far off that was; then what the model says of 10^6 and 10^9 pages. The check is
one of CPU seconds, which other work on the machine hardly changes, and of the wall, which wants an idle machine.

What is assumed:

- The parts run side by side, so that the slowest one sets the time: workers (reading, OCR, embedding; spread over all
  cores), the writer (chunking and committing; one core of one machine), the network into the writer, and Chroma.
  On one machine alone, workers and writer share its cores.
- The costs of a page are those of the measured files, on each core as on this machine, and grow with nothing: the
  writer's do by a tenth from an empty library to 100,000 chunks (``tests.bench.scale``), which is left out.
- A machine of the cluster costs what a worker of the local pool does, and ``OVERHEAD`` more for Ray.
- Chroma indexes ``CHROMA_VECTORS_A_SECOND`` at a million vectors, and slower by the logarithm of their number (the
  depth of its graph); it keeps them in memory, half as much again for its graph, so that it is full at
  ``CHROMA_MEMORY``. Its server is one machine.
- Machines have ``CORES`` and cost ``DOLLARS_AN_HOUR``; none fails. A failing one costs the work that it had in hand.
- The object store holds a fourth of its size in sources under way; a source waits there for as long as it is read, so
  it is full first only where the bytes that are read in that time by all cores of a machine are more than that.
"""

from __future__ import annotations

import argparse
import math
import pickle
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import ingest
from ingest.library import Library
from ingest.partition import Parser, PartitionOptions
from ingest.pipeline import IngestOptions
from ingest.settings import Settings

CORES = 16
DOLLARS_AN_HOUR = 0.40
"""Of a machine of 16 cores at prices for work that may be interrupted."""
NETWORK_BYTES_A_SECOND = 1.25e9
"""10 Gbit/s into the writer."""
CHROMA_VECTORS_A_SECOND = 1_500
CHROMA_MEMORY = 512e9
OVERHEAD = 0.15
"""More CPU seconds for the same work on a cluster; as much is allowed, less was not shown on a run of five minutes."""
STORE_BYTES = 16e9
"""Of Ray's object store on a machine, of which a fourth is for sources."""
PAGES = (10**6, 10**9)
NODES = (1, 4, 16, 64, 256, 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a page costs: seconds of a core, bytes sent to the writer, bytes of its source, and vectors.

    ``start`` are the seconds before the first page, ``start_cpu`` those of a core.
    """

    worker: float
    writer: float
    sent_bytes: float
    read_bytes: float
    vectors: float
    dimension: int
    start: float = 0.0
    start_cpu: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Seconds of each part for a number of pages and machines."""

    seconds: dict[str, float]
    nodes: int
    chroma_bytes: float

    @property
    def slowest(self) -> str:
        """The part that is full first."""
        return max(self.seconds, key=lambda part: self.seconds[part])

    @property
    def total(self) -> float:
        """Seconds in all."""
        return self.seconds[self.slowest]

    @property
    def dollars(self) -> float:
        """What the machines cost meanwhile."""
        return self.total / 3600 * self.nodes * DOLLARS_AN_HOUR


def predict(costs: Costs, pages: int, nodes: int, cores: int = CORES) -> Prediction:
    """What the model says of a cluster."""
    vectors = pages * costs.vectors
    depth = max(1.0, math.log(max(vectors, 10)) / math.log(1e6))
    seconds = {
        "workers": costs.start + pages * costs.worker * (1 + OVERHEAD) / (nodes * cores),
        "writer": pages * costs.writer,
        "network": pages * costs.sent_bytes / NETWORK_BYTES_A_SECOND,
        "Chroma": vectors / CHROMA_VECTORS_A_SECOND * depth,
    }
    return Prediction(seconds=seconds, nodes=nodes, chroma_bytes=vectors * costs.dimension * 4 * 1.5)


def predict_here(costs: Costs, pages: int, cores: int) -> tuple[float, float]:
    """Seconds of the wall and of CPU of this machine alone, whose workers and writer share its cores."""
    cpu = pages * (costs.worker + costs.writer)
    return costs.start + max(cpu / cores, pages * costs.writer), costs.start_cpu + cpu


def store_share(costs: Costs, cores: int = CORES) -> float:
    """Of what a machine's object store has for sources, the part that its cores have under way, two for each."""
    return 2 * cores * costs.read_bytes / (STORE_BYTES / 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A real ingest on this machine: seconds of the wall, CPU seconds of the writer and of the workers."""

    pages: int
    wall: float
    writer: float
    workers: float
    sent: int
    read: int
    vectors: int
    dimension: int

    @property
    def cpu(self) -> float:
        """CPU seconds of all."""
        return self.writer + self.workers


def measure(files: Sequence[Path], jobs: int, parser: Parser) -> Measured:
    """Ingest files. A document without pages counts as one."""
    before, began = _cpu(), time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch) / "library"
        options = IngestOptions(partition=PartitionOptions(parser=parser))
        results = list(ingest(files, library, options=options, settings=Settings(jobs=jobs)))
        wall = time.perf_counter() - began
        own, children = (after - start for after, start in zip(_cpu(), before, strict=True))
        with Library(library) as opened:
            return Measured(
                pages=sum(result.pages or 1 for result in results if result.state in ("ingested", "partial")),
                wall=wall,
                writer=own,
                workers=children,
                sent=sum(len(pickle.dumps(opened.partition(record.id))) for record in opened.sources()),
                read=sum(file.stat().st_size for file in files),
                vectors=opened.vector_count(),
                dimension=opened.embedder.dimension if opened.embedder else 0,
            )


def costs_of(found: Measured, start: Measured) -> Costs:
    """What a page costs, beside what an ingest of next to nothing does."""
    per = 1 / max(found.pages, 1)
    return Costs(
        worker=max(found.workers - start.workers, 0.0) * per,
        writer=max(found.writer - start.writer, 0.0) * per,
        sent_bytes=(found.sent + found.vectors * found.dimension * 4) * per,
        read_bytes=found.read * per,
        vectors=found.vectors * per,
        dimension=found.dimension,
        start=start.wall,
        start_cpu=start.cpu,
    )


def _cpu() -> tuple[float, float]:
    """CPU seconds of this process, and of the children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


def check(costs: Costs, other: Measured, jobs: int) -> Iterator[str]:
    """What the model said of an ingest, and what it took."""
    wall, cpu = predict_here(costs, other.pages, jobs)
    yield f"the other files: {other.pages} pages, {other.wall:.1f} s wall, {other.cpu:.1f} s CPU"
    yield (
        f"the model said {wall:.1f} s wall ({wall / other.wall - 1:+.0%}) and {cpu:.1f} s CPU"
        f" ({cpu / other.cpu - 1:+.0%})"
    )


def report(costs: Costs) -> Iterator[str]:
    """The lines of the table."""
    yield (
        f"a page: {1000 * costs.worker:.1f} ms of a worker, {1000 * costs.writer:.1f} ms of the writer,"
        f" {costs.read_bytes / 1000:.1f} kB read, {costs.sent_bytes / 1000:.1f} kB sent, {costs.vectors:.1f} vectors"
        f" of {costs.dimension}; the start: {costs.start:.1f} s"
    )
    yield f"sources under way fill {store_share(costs):.1%} of what an object store has for them"
    yield ""
    yield "| pages | machines | days | dollars | full first | the writer, of that time | Chroma's memory |"
    yield "|---|---|---|---|---|---|---|"
    for pages in PAGES:
        for nodes in NODES:
            found = predict(costs, pages, nodes)
            memory = f"{found.chroma_bytes / 1e9:,.0f} GB" + (
                " (too much)" if found.chroma_bytes > CHROMA_MEMORY else ""
            )
            yield (
                f"| {pages:.0e} | {nodes} | {found.total / 86400:,.2f} | {found.dollars:,.0f} | {found.slowest}"
                f" | {found.seconds['writer'] / found.total:.0%} | {memory} |"
            )


def run(folder: Path, jobs: int, parser: Parser) -> Iterator[str]:
    """Measure one half, check against the other, and tell what follows."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    with tempfile.TemporaryDirectory() as scratch:
        note = Path(scratch) / "note.md"
        note.write_text("# Note\n\nThe ferry sails at noon.\n")
        start = measure([note], jobs, parser)
    half = measure(files[::2], jobs, parser)
    costs = costs_of(half, start)
    yield f"measured: {half.pages} pages, {jobs} workers, {half.wall:.1f} s wall, {half.cpu:.1f} s CPU"
    yield from check(costs, measure(files[1::2], jobs, parser), jobs)
    yield from report(costs)


def main() -> None:
    """The command of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--parser", default="auto", choices=["auto", "fast"])
    given = parser.parse_args()
    for line in run(given.folder, given.jobs, given.parser):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
