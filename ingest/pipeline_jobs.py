"""One path on its way through an ingest, what all parts of an ingest share, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.discover import FileStamp
from ingest.embed import Embedder
from ingest.errors import SourceError, UnsupportedError
from ingest.library import Library, SourceRecord
from ingest.ocr import OcrLine
from ingest.pipeline_options import IngestOptions
from ingest.reading import Reading
from ingest.settings import Settings
from ingest.types import Chunk, Partition, Source, SourceResult, State
from ingest.workers import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an ingest stands: what is done and what there is in all, in ``unit``, the stage and path last worked on."""

    stage: str
    path: str = ""
    done: int = 0
    total: int = 0
    pages: int = 0
    unit: str = "files"


class Tally:
    """What is done and what there is in all, told to whoever shows it."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self.on_progress = on_progress
        self.files = self.done = self.pages = 0

    def count(self, result: SourceResult) -> None:
        """Count a path that is done."""
        self.done += 1
        self.pages += result.pages or 0

    def report(self, stage: str, path: str) -> None:
        """Tell how many files are done, and what is worked on now."""
        self.on_progress(Progress(stage=stage, path=path, done=self.done, total=self.files, pages=self.pages))

    def report_descriptions(self, path: str, done: int, total: int) -> None:
        """Tell how many of the descriptions by models are done."""
        self.on_progress(
            Progress(stage="describing", path=path, done=done, total=total, pages=self.pages, unit="descriptions")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What all parts of one ingest share. ``embedder`` is the one that was given, if any; the name is always known.

    ``addresses`` are the roots that are addresses, each as it is asked for: with a signature that is kept nowhere.
    """

    library: Library
    options: IngestOptions
    settings: Settings
    pool: Engine
    tally: Tally
    embedder: Embedder | None
    embedder_name: str
    addresses: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(slots=True, kw_only=True)
class Job:
    """One path on its way: the roots it lies under, its source, and what the stages have given so far."""

    path: str
    roots: Sequence[str]
    source: Source
    mtime_ns: int
    stamp: FileStamp | None = None
    tries: int = 1
    started: float = field(default_factory=time.perf_counter)
    stored: SourceRecord | None = None
    partition: Partition | None = None
    reading: Reading | None = None
    failed: bool = False
    chunks: list[Chunk] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    embeddings: dict[str, bytes] = field(default_factory=dict)
    readings: dict[str, list[OcrLine]] = field(default_factory=dict)
    waiting: int = 0
    is_enriched: bool = False


def member_job(parent: Job, source: Source) -> Job:
    """The job of a container's part; it comes and goes with the container's path."""
    return Job(path=f"{parent.path}!/{source.member}", roots=(), source=source, mtime_ns=parent.mtime_ns)


def source_of(record: SourceRecord, path: Path) -> Source:
    """A stored source again, whose bytes lie at a path."""
    return Source(
        id=record.id,
        path=path,
        format=record.format,
        size=record.size,
        parent_id=record.parent_id,
        member=record.member,
    )


def result_of_record(
    path: str, state: State, record: SourceRecord, *, reason: str | None = None, seconds: float | None = None
) -> SourceResult:
    """How a path with a stored source stands; ``seconds`` are those of its reading unless given."""
    return SourceResult(
        path=path,
        state=state,
        reason=reason,
        pages=record.pages,
        elements=record.elements,
        chunks=record.chunks,
        warnings=record.warnings,
        seconds=record.seconds if seconds is None else seconds,
    )


def state_of(error: SourceError) -> State:
    """How a path stands whose source cannot be read."""
    return "skipped" if isinstance(error, UnsupportedError) else "failed"


def is_incomplete(warnings: Sequence[str]) -> bool:
    """Whether warnings say that something was not read which another try may read."""
    return lost_pages(warnings) or any("no second look at it (" in w or "no text was taken" in w for w in warnings)


def lost_pages(warnings: Sequence[str]) -> bool:
    """Whether warnings say that pages were lost or came out empty."""
    return any("could not be read" in w or w.endswith("found no text") for w in warnings)
