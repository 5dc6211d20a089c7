"""What an ingest writes of a job: its source, or why there is none, and the result that tells of it."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ingest.discover import sniff_bytes
from ingest.errors import BrokenError, SourceError, UnavailableError, UnsupportedError
from ingest.indexing import update_index
from ingest.library import PathRecord, SourceRecord
from ingest.library_index import server_of
from ingest.partition import count_by_category
from ingest.pipeline_describing import Describing
from ingest.pipeline_jobs import Job, Setup, lost_pages, result_of_record, state_of
from ingest.types import Source, SourceResult, State, stable_id

INDEX_EVERY = 20_000
"""Vectors after which Chroma is brought up to date during a long ingest."""


class Store:
    """The writing side of an ingest: one writer, whatever number of workers there is."""

    def __init__(self, setup: Setup, describing: Describing) -> None:
        self.library = setup.library
        self.partition_key, self.chunk_key = setup.options.partition_key, setup.options.chunk_key
        self.results: deque[SourceResult] = deque()
        self._setup, self._describing = setup, describing
        self._unindexed = 0

    def failed_key(self, source: Source) -> str:
        """Names the bytes and options that gave no source."""
        return stable_id(source.id, self.partition_key)

    @contextmanager
    def recording(self, job: Job) -> Iterator[None]:
        """An error of the source inside ends its job, not the run."""
        try:
            yield
        except SourceError as exc:
            job.failed = True
            self.put_problem(job, state_of(exc), exc.reason, is_final=not isinstance(exc, UnavailableError))

    def commit(self, job: Job) -> list[Source]:
        """Write a finished source and tell how it went; gives the parts of a container that are to be read."""
        assert job.partition is not None
        record = SourceRecord(
            id=job.source.id,
            format=job.source.format,
            size=job.source.size,
            partition_key=self.partition_key,
            chunk_key=self.chunk_key,
            pages=len(job.partition.pages) or None,
            elements=count_by_category(job.partition),
            warnings=job.partition.warnings,
            seconds=round(time.perf_counter() - job.started, 3),
            parent_id=job.source.parent_id,
            member=job.source.member,
            enrich_key="" if job.reading is not None or job.stored is None else job.stored.enrich_key,
        )
        members, unread = self._members_of(job)
        record = replace(
            record, warnings=(*record.warnings, *unread), members=self._member_names(job, [m.member for m in members])
        )
        self.put(record, job)
        self.attach(job, replace(record, chunks=len(job.chunks)))
        if job.partition.members:
            self.library.keep_members(job.source.id, [member.id for member in members])
        return members

    def put(self, record: SourceRecord, job: Job) -> None:
        """Write a source's rows."""
        assert job.partition is not None
        if job.embeddings:
            width = len(next(iter(job.embeddings.values()))) // 4
            self.library.claim_embedder(self._setup.embedder_name, width)
        self.library.put_source(record, job.partition, job.chunks, job.hashes, job.embeddings)
        self._unindexed += sum(len(c.vectors) for c in job.chunks)
        self.index_when_due()

    def _member_names(self, job: Job, found: Sequence[str | None]) -> tuple[str, ...]:
        """The parts that a container must have; one that is chunked again from its elements keeps its own."""
        assert job.partition is not None
        if job.stored is not None and not job.partition.members:
            return job.stored.members
        return tuple(name for name in found if name)

    def _members_of(self, job: Job) -> tuple[list[Source], list[str]]:
        """The parts of a container as sources of their own, and warnings for those that are not read."""
        assert job.partition is not None
        found: list[Source] = []
        warnings: list[str] = []
        for name, data in job.partition.members:
            try:
                kind = sniff_bytes(data, name)
            except SourceError as exc:
                warnings.append(f"{name}: {state_of(exc)}, {exc.reason}")
                continue
            identity = hashlib.sha256("\x1f".join((job.source.id, name)).encode() + data).hexdigest()
            path = self.library.put_member(identity, kind, data)
            found.append(
                Source(id=identity, path=path, format=kind, size=len(data), parent_id=job.source.id, member=name)
            )
        return found, warnings

    def attach(self, job: Job, fresh: SourceRecord | None = None) -> None:
        """Bind a path to its stored source and report it."""
        record = fresh or job.stored
        assert record is not None
        self._describing.note(record, job.path)
        before = self.library.path(job.path)
        state: State = "partial" if lost_pages(record.warnings) else "ingested"
        self._put_path(
            PathRecord(
                path=job.path,
                source_id=record.id,
                state=state,
                reason=None,
                size=job.source.size,
                mtime_ns=job.mtime_ns,
            ),
            job.roots,
        )
        known = job.source.parent_id is not None or (before is not None and before.source_id == record.id)
        told: State = "unchanged" if fresh is None and known else state
        seconds = round(time.perf_counter() - job.started, 3)
        self.results.append(result_of_record(self.library.shown(job.path), told, record, seconds=seconds))

    def _put_path(self, record: PathRecord, roots: Sequence[str]) -> None:
        for root in roots:
            self.library.put_path(record, root)

    def put_problem(self, job: Job, state: State, reason: str | None, *, is_final: bool = True) -> None:
        """Record a path whose bytes gave no source. What other bytes gave before is given up, what these gave stays."""
        kept = job.stored is not None
        reason = f"{reason}; its earlier content was kept" if kept else reason
        record = PathRecord(
            path=job.path,
            source_id=job.source.id if kept else None,
            state=state,
            reason=reason,
            size=job.source.size,
            mtime_ns=None,
            failed_key=self.failed_key(job.source) if is_final and not kept else None,
        )
        self._put_path(record, job.roots)
        if job.source.parent_id is not None:
            self.library.add_warning(job.source.parent_id, f"{job.source.member}: {state}, {reason}")
        self.results.append(SourceResult(path=self.library.shown(job.path), state=state, reason=reason))

    def put_unidentified(self, path: str, roots: Sequence[str], error: SourceError) -> None:
        """Record a path whose bytes are unknown or not to be read; a file that cannot be opened keeps its source."""
        before = self.library.path(path)
        keeps = before is not None and not isinstance(error, (BrokenError, UnsupportedError))
        source_id = before.source_id if before and keeps else None
        reason = error.reason + ("; its earlier content was kept" if source_id else "")
        record = PathRecord(
            path=path, source_id=source_id, state=state_of(error), reason=reason, size=None, mtime_ns=None
        )
        self._put_path(record, roots)
        self.results.append(SourceResult(path=self.library.shown(path), state=record.state, reason=reason))

    def index_when_due(self) -> None:
        """Bring Chroma up to date if much was stored since it last was."""
        if self._unindexed >= INDEX_EVERY:
            self.update_index()

    def update_index(self) -> None:
        """Bring Chroma up to date with all that is stored."""
        self._setup.tally.report("indexing", "")
        update_index(self.library, server_of(self._setup.settings, self.library.identify()))
        self._unindexed = 0
