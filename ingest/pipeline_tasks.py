"""What is under way in the workers: each task's future, the job it is for, and what takes its outcome."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from ingest.bundles import Bundles
from ingest.pipeline_jobs import Job
from ingest.pipeline_store import Store
from ingest.reading import AHEAD, is_small_source
from ingest.workers import Engine, WorkerPool

TASK_SECONDS = 600.0
"""Seconds that one task may take."""


class Tasks:
    """The tasks of an ingest, of a bounded number of sources at a time."""

    def __init__(self, pool: Engine, store: Store) -> None:
        self.pool, self._store = pool, store
        self.bundles = Bundles(pool)
        self._futures: dict[Future[Any], tuple[Job, Callable[[Job, Future[Any]], None]]] = {}

    def __bool__(self) -> bool:
        return bool(self._futures)

    @property
    def has_room(self) -> bool:
        """Whether the workers could do with another source."""
        if len(self._futures) - self.bundles.spared() >= self.pool.count * AHEAD:
            return False
        # What is not stored when the run is killed is read again: of what takes long no more than one a worker. The way
        # to another machine is longer than to a process here, so its next source is sent before.
        return not isinstance(self.pool, WorkerPool) or self._count_large() < self.pool.count

    def _count_large(self) -> int:
        """How many sources are under way that take longer to read than it takes to get to a worker."""
        jobs = {id(job): job.source for job, _ in self._futures.values()}
        return sum(not is_small_source(source) for source in jobs.values())

    @property
    def oldest(self) -> Job | None:
        """The job that waits longest."""
        return next((job for job, _ in self._futures.values()), None)

    def has_source(self, source_id: str) -> bool:
        """Whether a source with these bytes is under way."""
        return any(job.source.id == source_id for job, _ in self._futures.values())

    def start(
        self, job: Job, then: Callable[[Job, Future[Any]], None], task: Callable[..., object], *args: object
    ) -> None:
        """Run a task for a job in a worker; ``then`` takes its finished future."""
        self.add(self.pool.submit(task, *args, timeout=TASK_SECONDS), job, then)

    def add(self, future: Future[Any], job: Job, then: Callable[[Job, Future[Any]], None]) -> None:
        """Wait for a future too; ``then`` takes it when it is finished."""
        self._futures[future] = (job, then)

    def drain(self) -> None:
        """Finish all that is under way."""
        while self._futures:
            self.advance_some()

    def advance_some(self) -> None:
        """Go on with what is done, after waiting for it; what comes of it is written at once."""
        self.bundles.flush()
        ready, _ = wait(self._futures, return_when=FIRST_COMPLETED)
        with self._store.library.together():
            for future in ready:
                if future in self._futures:  # what a finished one leads to may itself wait for the others
                    self._advance(future)
        self._store.index_when_due()

    def _advance(self, future: Future[Any]) -> None:
        job, then = self._futures.pop(future)
        taken = self.bundles.take(future)
        if taken is not future:
            self._futures[taken] = (job, then)
        elif not job.failed:
            with self._store.recording(job):
                then(job, future)
