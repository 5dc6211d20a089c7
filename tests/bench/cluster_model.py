"""How long an ingest takes on a cluster, what it costs, and which part is full first: a model, not a measurement.

    python -m tests.bench.cluster_model FOLDER [--jobs 2]

ingests a folder on this machine, takes the costs of a page from it, checks the model's own prediction for this machine
against the time that it took, and prints what the model says of 10^6 and 10^9 pages.

What is assumed:

- The parts run side by side, so that the slowest one sets the time: workers (reading, OCR, embedding; spread over all
  cores), the writer (chunking and committing; one core of one machine), the network into the writer, and Chroma.
- The costs of a page are those of the measured folder, on each core as on this machine, at every size of the library.
- Chroma indexes ``CHROMA_VECTORS_A_SECOND`` at a million vectors, and slower by the logarithm of their number (the
  depth of its graph); it keeps them in memory, so that it is full at ``CHROMA_MEMORY``. Its server is one machine.
- Machines have ``CORES`` and cost ``DOLLARS_AN_HOUR``; none fails. A failing one costs the work that it had in hand.
"""

from __future__ import annotations

import argparse
import math
import pickle
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
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
PAGES = (10**6, 10**9)
NODES = (1, 4, 16, 64, 256, 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a page costs: seconds of a core, bytes and vectors; ``start`` are the seconds before the first page."""

    worker: float
    writer: float
    sent_bytes: float
    vectors: float
    dimension: int
    start: float = 0.0


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


def predict(costs: Costs, pages: int, nodes: int, cores: int = CORES, *, with_chroma: bool = True) -> Prediction:
    """What the model says."""
    vectors = pages * costs.vectors
    seconds = {
        "workers": costs.start + pages * costs.worker / (nodes * cores),
        "writer": pages * costs.writer,
        "network": pages * costs.sent_bytes / NETWORK_BYTES_A_SECOND,
    }
    if with_chroma:
        seconds["Chroma"] = vectors / CHROMA_VECTORS_A_SECOND * max(1.0, math.log(max(vectors, 10)) / math.log(1e6))
    return Prediction(seconds=seconds, nodes=nodes, chroma_bytes=vectors * costs.dimension * 4 * 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A real ingest on this machine."""

    costs: Costs
    pages: int
    wall: float
    jobs: int


def measure(folder: Path, jobs: int, parser: Parser) -> Measured:
    """Ingest a folder and take the costs of its pages. A document without pages counts as one."""
    before = _cpu()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch) / "library"
        options = IngestOptions(partition=PartitionOptions(parser=parser))
        results = list(ingest([folder], library, options=options, settings=Settings(jobs=jobs)))
        wall = time.perf_counter() - began
        pages = sum(result.pages or 1 for result in results if result.state in ("ingested", "partial"))
        with Library(library) as opened:
            vectors, dimension = opened.vector_count(), opened.embedder.dimension if opened.embedder else 0
            sent = sum(len(pickle.dumps(opened.partition(record.id))) for record in opened.sources())
    own, children = (after - start for after, start in zip(_cpu(), before, strict=True))
    per = 1 / max(pages, 1)
    costs = Costs(
        worker=children * per,
        writer=own * per,
        sent_bytes=(sent + vectors * dimension * 4) * per,
        vectors=vectors * per,
        dimension=dimension,
    )
    return Measured(costs=costs, pages=pages, wall=wall, jobs=jobs)


def _cpu() -> tuple[float, float]:
    """CPU seconds of this process, and of the children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


def report(measured: Measured) -> Iterator[str]:
    """The lines of the table."""
    costs = measured.costs
    yield f"measured: {measured.pages} pages, {measured.jobs} workers, {measured.wall:.1f} s"
    yield (
        f"a page: {1000 * costs.worker:.1f} ms of a worker, {1000 * costs.writer:.1f} ms of the writer,"
        f" {costs.sent_bytes / 1000:.1f} kB sent, {costs.vectors:.1f} vectors of {costs.dimension}"
    )
    here = predict(costs, measured.pages, 1, measured.jobs, with_chroma=False)
    error = here.total / measured.wall - 1
    yield f"the model for this machine: {here.total:.1f} s, {error:+.0%} against the measured time"
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


def main() -> None:
    """The command of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--parser", default="auto", choices=["auto", "fast"])
    given = parser.parse_args()
    for line in report(measure(given.folder, given.jobs, given.parser)):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
