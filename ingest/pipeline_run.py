"""One ingest: what is known of each path is compared with what is there, and what is missing is started."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from ingest.discover import BEING_WRITTEN, READINGS, FileStamp, Listing, identify, read_stamp
from ingest.enrich import Enriched
from ingest.errors import SourceError, UnavailableError
from ingest.library import PathRecord, SourceRecord
from ingest.pipeline_describing import Describing
from ingest.pipeline_jobs import Job, Setup, is_incomplete, member_job, source_of
from ingest.pipeline_roots import Roots
from ingest.pipeline_stages import Stages
from ingest.pipeline_store import Store
from ingest.pipeline_tasks import Tasks
from ingest.remote import is_remote
from ingest.remote_sources import RemoteSources
from ingest.types import Source, SourceResult
from ingest.urls import is_url
from ingest.workers import result_of


class Run:
    """Brings a library into sync with roots; keeps the workers busy with a bounded number of sources at a time."""

    def __init__(self, setup: Setup) -> None:
        self._library, self._options, self._settings = setup.library, setup.options, setup.settings
        self._tally = setup.tally
        self._describing = Describing(setup)
        self._store = Store(setup, self._describing)
        self._remote = RemoteSources(
            library=setup.library,
            max_bytes=setup.settings.max_file_mb * 2**20,
            reads=self._store.partition_key,
            retry_failed=setup.options.retry_failed,
        )
        self._roots = Roots(setup, self._remote)
        self._tasks = Tasks(setup.pool, self._store)
        self._stages = Stages(setup, self._tasks, self._store, finish=self._finish, begin_again=self._begin_again)

    def sync(self, roots: Sequence[Path | str]) -> Iterator[SourceResult]:
        """Every result of this run."""
        started = time.time()
        states: Counter[str] = Counter()
        if self._library.purging:
            self._library.sweep(keep_summaries=self._settings.keep_summaries)
        if self._options.partition.images == "llava" or self._options.tables == "summarized":
            _ = self._describing.models  # what was asked for by name is missed before the work, not after it
        for result in self._results(roots):
            states[result.state] += 1
            yield result
        self._library.sweep(keep_summaries=self._settings.keep_summaries or bool(self._describing))
        if self._describing:
            self._describing.run(self._store_enriched)
            self._library.sweep(keep_summaries=self._settings.keep_summaries)
        # Once, at the end: what is not indexed yet is searched exactly meanwhile.
        self._store.update_index()
        self._library.put_run(started, states)

    def _results(self, roots: Sequence[Path | str]) -> Iterator[SourceResult]:
        listings: dict[Path | str, Listing] = {}
        for root in roots:
            try:
                listings[root] = self._roots.look(root)
            except SourceError as exc:
                yield self._roots.problem(str(root), exc.reason)
        holders: dict[str, list[str]] = {}
        for root, listing in listings.items():
            for path in listing.files:
                holders.setdefault(path, []).append(str(root))
            yield from self._roots.problems(listing)
        self._tally.files = len(holders)
        yield from self._work(holders)
        self._remote.store()
        for root, listing in listings.items():
            yield from self._roots.remove_gone(root, listing)

    def _work(self, holders: Mapping[str, Sequence[str]]) -> Iterator[SourceResult]:
        """Results of files, each with the roots that it lies under."""
        todo = iter(holders.items())
        exhausted = False
        while not exhausted or self._tasks:
            while not exhausted and self._tasks.has_room:
                item = next(todo, None)
                exhausted = item is None
                if item is not None:
                    self._begin(*item)
                yield from self._finished()
            if self._tasks:
                self._tasks.advance_some()
                self._remote.store_when_due()
                yield from self._finished()

    def _finished(self) -> Iterator[SourceResult]:
        while self._store.results:
            result = self._store.results.popleft()
            self._remote.release(result.path)
            self._tally.count(result)
            oldest = self._tasks.oldest
            path = self._library.shown(oldest.path) if oldest else result.path
            self._tally.report("reading" if oldest else "done", path)
            yield result

    def _begin(self, path: str, roots: Sequence[str]) -> None:
        """Identify a file, and start what its source lacks."""
        self._tally.report("reading", self._library.shown(path))
        if is_url(path):
            self._begin_page(path, roots)
            return
        if is_remote(path):
            self._begin_object(path, roots)
            return
        self._begin_file(path, roots, tries=1)

    def _begin_file(self, path: str, roots: Sequence[str], *, tries: int) -> None:
        stamp = self._stamp(path, roots)
        if stamp and self._options.still and stamp.is_fresh(time.time_ns(), self._options.still):
            return
        try:
            source = identify(path, max_bytes=self._settings.max_file_mb * 2**20, follow=self._may_follow(path, roots))
        except SourceError as exc:
            self._store.put_unidentified(path, roots, exc)
            return
        mtime_ns = stamp.mtime_ns if stamp else 0
        self._admit(Job(path=path, roots=roots, source=source, mtime_ns=mtime_ns, stamp=stamp, tries=tries))

    def _may_follow(self, path: str, roots: Sequence[str]) -> bool:
        """Whether a path may be a symbolic link: one that was named, or all where that was asked for."""
        return self._options.follow_symlinks or path in roots

    def _stamp(self, path: str, roots: Sequence[str]) -> FileStamp | None:
        return read_stamp(path, follow=self._may_follow(path, roots))

    def _begin_again(self, job: Job) -> bool:
        """Whether a file was written to, or replaced, since it was identified; if so it is begun again, a few times."""
        if job.stamp is None or job.stamp == self._stamp(job.path, job.roots):
            return False
        job.failed = True
        if job.tries < READINGS:
            self._begin_file(job.path, job.roots, tries=job.tries + 1)
        else:
            self._store.put_unidentified(job.path, job.roots, UnavailableError(BEING_WRITTEN))
        return True

    def _begin_page(self, url: str, roots: Sequence[str]) -> None:
        """Start what a fetched page lacks, or record why it could not be fetched."""
        try:
            source = self._roots.page(url, roots)
        except SourceError as exc:
            self._store.put_unidentified(url, roots, exc)
            return
        self._admit(Job(path=url, roots=roots, source=source, mtime_ns=0))

    def _begin_object(self, address: str, roots: Sequence[str]) -> None:
        """Start what an object lacks; one that is new, or another version by now, is fetched first."""
        try:
            source = self._remote.known(address) or self._remote.unread(address)
        except SourceError as exc:
            self._store.put_unidentified(address, roots, exc)
            return
        job = Job(path=address, roots=roots, source=source, mtime_ns=0)
        if source.format:
            self._admit(job)
        else:
            self._read(job)

    def _was_fetched(self, job: Job, future: Future[Source]) -> None:
        try:
            source = result_of(future)
        except SourceError as exc:
            self._remote.remember(job.path, job.roots, exc)
            self._store.put_unidentified(job.path, job.roots, exc)
            return
        self._remote.remember(job.path, job.roots, source)
        self._admit(replace(job, source=source))

    def _read(self, job: Job) -> None:
        """Read a source; the bytes of an object are fetched before that."""
        if job.source.path == Path(job.path) and is_remote(job.path):
            self._tasks.add(self._remote.submit(job.path), job, self._was_fetched)
        else:
            self._stages.read(job)

    def _admit(self, job: Job) -> None:
        """Start what an identified source lacks."""
        source = job.source
        if self._tasks.has_source(source.id):
            self._tasks.drain()  # the same bytes are under way, under another path
        job.stored = self._library.source(source.id)
        if (
            job.stored
            and job.stored.partition_key == self._store.partition_key
            and not self._is_tried_again(job.stored)
        ):
            self._reuse(job, job.stored)
            return
        known = self._library.failure(self._store.failed_key(source))
        if known and not self._may_open(known):
            self._store.put_problem(job, known.state, known.reason)
            return
        self._read(job)

    def _is_tried_again(self, stored: SourceRecord) -> bool:
        """Whether a stored source is to be read again, since not all of it could be read."""
        return self._options.retry_failed and is_incomplete(stored.warnings)

    def _reuse(self, job: Job, stored: SourceRecord) -> None:
        """Take what is stored of a source; what depends on a changed option, or on a model that is new, is redone."""
        if stored.members and set(stored.members) - {each.member for each in self._library.members(stored.id)}:
            # The run that stored the container stopped before its parts, or a part failed.
            self._read(job)
            return
        if stored.chunk_key == self._store.chunk_key:
            self._store.attach(job)
            self._resume_members(job)
            return
        job.partition = replace(self._library.partition(stored.id), warnings=stored.warnings)
        with self._store.recording(job):
            self._stages.chunk(job)

    def _resume_members(self, job: Job) -> None:
        """Go on with the parts of a container that is stored itself."""
        for record in self._library.members(job.source.id):
            path = self._library.member_path(record.id, record.format)
            self._admit(member_job(job, source_of(record, path)))

    def _may_open(self, known: PathRecord) -> bool:
        """Whether a file that failed before is to be read again: on request, or for a password that may open it."""
        locked = (known.reason or "").startswith("encrypted")
        return self._options.retry_failed or (locked and self._options.partition.password is not None)

    def _finish(self, job: Job) -> None:
        """Write what all stages have given, and start the parts of a container."""
        assert job.partition is not None
        if job.is_enriched and job.stored is not None:
            self._store.put(job.stored, job)
            return
        members = self._store.commit(job)
        if job.partition.members:
            for member in members:
                self._tally.files += 1
                self._admit(member_job(job, member))
        else:
            self._resume_members(job)

    def _store_enriched(self, found: Enriched) -> None:
        record, path = found.record, self._describing.path(found.record.id)
        source = source_of(record, Path(path))
        job = Job(path=path, roots=(), source=source, mtime_ns=0, stored=record, partition=found.partition)
        job.is_enriched = True
        with self._store.recording(job):
            self._stages.chunk(job)
        self._tasks.drain()
