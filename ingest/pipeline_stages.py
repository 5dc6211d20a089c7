"""The stages that a source goes through: read, its pictures read too, chunked, embedded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.chunk import chunk
from ingest.embed import asks_server, text_hash
from ingest.errors import SourceError
from ingest.images import left_out_warning
from ingest.ocr import OcrLine, read_picture
from ingest.pipeline_embedding import FEW_TEXTS, in_batches, submit_embedding, submit_few
from ingest.pipeline_jobs import Job, Setup
from ingest.pipeline_store import Store
from ingest.pipeline_tasks import Tasks
from ingest.reading import Reading, ReadTask, outcome_of, submit_read
from ingest.summarize import dump_reading, load_reading, reading_key, unread_pictures, with_readings
from ingest.types import Chunk, Partition
from ingest.workers import at_border, result_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Stages:
    """Each stage starts the next one when its tasks are done; the last one hands the job to ``finish``.

    ``begin_again`` says whether a file was written to while it was read, and has then begun it anew.
    """

    def __init__(
        self,
        setup: Setup,
        tasks: Tasks,
        store: Store,
        *,
        finish: Callable[[Job], None],
        begin_again: Callable[[Job], bool],
    ) -> None:
        self._setup, self._tasks, self._store = setup, tasks, store
        self._finish, self._begin_again = finish, begin_again
        self._readers: dict[str, list[Job]] = {}

    def read(self, job: Job) -> None:
        """Read a source, by as many tasks as it takes."""
        job.reading = Reading(job.source, self._setup.options.partition)
        self._start_reads(job, job.reading.begin())

    def _start_reads(self, job: Job, tasks: Sequence[ReadTask]) -> None:
        for task in tasks:
            self._tasks.add(
                submit_read(self._tasks.pool, task, self._tasks.bundles), job, partial(self._was_read, task)
            )

    def _was_read(self, task: ReadTask, job: Job, future: Future[Any]) -> None:
        assert job.reading is not None
        try:
            self._start_reads(job, job.reading.take(task, outcome_of(future)))
            found = at_border(job.reading.whole) if job.reading.done else None
        except SourceError:
            if self._begin_again(job):
                return
            raise
        self._setup.tally.report("reading", self._setup.library.shown(job.path))
        if found is not None and not self._begin_again(job):
            job.partition = replace(found, warnings=(*found.warnings, *left_out_warning(found.left_out)))
            self._read_pictures(job)

    def _read_pictures(self, job: Job) -> None:
        """Read the text in pictures that have none in the text layer; what was read once is known."""
        assert job.partition is not None
        unread = unread_pictures(job.partition) if self._setup.options.partition.images != "off" else []
        images = {p.image_path: job.partition.images.get(p.image_path) for p in unread}
        for image_path, png in images.items():
            known = self._setup.library.summary(reading_key(image_path))
            if known is not None:
                job.readings[image_path] = load_reading(known)
            elif png is not None:
                job.waiting += 1
                self._read_picture(job, image_path, png)
        if not job.waiting:
            self._take_readings(job)

    def _read_picture(self, job: Job, image_path: str, png: bytes) -> None:
        readers = self._readers.setdefault(image_path, [])
        readers.append(job)
        if len(readers) == 1:
            self._tasks.start(job, partial(self._picture_read, image_path), at_border, read_picture, png)

    def _picture_read(self, image_path: str, job: Job, future: Future[list[OcrLine]]) -> None:
        """Hand what was read to every source that waits for it."""
        lines: list[OcrLine] = []
        problem = ""
        try:
            lines = result_of(future)
            self._setup.library.put_summary(reading_key(image_path), image_path, dump_reading(lines))
        except SourceError as exc:
            problem = exc.reason
        self._setup.tally.report("OCR", self._setup.library.shown(job.path))
        for reader in self._readers.pop(image_path):
            reader.readings[image_path] = lines
            if problem and reader.partition is not None:
                reader.partition = _with_unread(reader.partition, image_path, problem)
            reader.waiting -= 1
            if not reader.waiting and not reader.failed:
                with self._store.recording(reader):
                    self._take_readings(reader)

    def _take_readings(self, job: Job) -> None:
        assert job.partition is not None
        job.partition = with_readings(job.partition, job.readings)
        self.chunk(job)

    def chunk(self, job: Job) -> None:
        """Chunk a partition and start embedding the texts that are new."""
        assert job.partition is not None
        if not job.is_enriched:
            self._setup.tally.report("chunking", self._setup.library.shown(job.path))
        job.chunks = at_border(self._chunks_of, job.partition, job)
        if not job.chunks and not job.partition.elements:
            raise SourceError("nothing could be read: " + ("; ".join(job.partition.warnings[:3]) or "no text in it"))
        texts = list(dict.fromkeys(v.text for c in job.chunks for v in c.vectors))
        job.hashes = {text: text_hash(text, self._setup.embedder_name) for text in texts}
        known = self._setup.library.known_hashes(list(job.hashes.values()))
        missing = [text for text in texts if job.hashes[text] not in known]
        if not missing:
            self._finish(job)
            return
        if self._setup.embedder is not None:
            self._take_vectors(job, missing, self._setup.embedder.embed(missing))
            return
        batches = in_batches(missing)
        job.waiting = len(batches)
        for batch in batches:
            self._tasks.add(self._start_embedding(batch), job, partial(self._embedded, batch))

    def _start_embedding(self, texts: Sequence[str]) -> Future[NDArray[np.float32]]:
        if len(texts) > FEW_TEXTS or asks_server(self._setup.embedder_name):
            return submit_embedding(self._tasks.pool, self._setup.embedder_name, self._setup.settings, texts)
        return submit_few(self._tasks.bundles, self._setup.embedder_name, self._setup.settings, texts)

    def _chunks_of(self, found: Partition, job: Job) -> list[Chunk]:
        doc = Path(job.path).name
        return chunk(found, job.source.id, self._setup.options.chunk, similarity=self._embed_now, doc=doc)

    def _embed_now(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._setup.embedder is not None:
            return self._setup.embedder.embed(texts)
        return result_of(
            submit_embedding(self._tasks.pool, self._setup.embedder_name, self._setup.settings, list(texts))
        )

    def _embedded(self, texts: Sequence[str], job: Job, future: Future[NDArray[np.float32]]) -> None:
        try:
            matrix = result_of(future)
        except SourceError as exc:
            raise SourceError(f"could not be embedded: {exc.reason}") from exc
        self._take_vectors(job, texts, matrix)

    def _take_vectors(self, job: Job, texts: Sequence[str], matrix: NDArray[np.float32]) -> None:
        for text, row in zip(texts, matrix, strict=True):
            job.embeddings[job.hashes[text]] = row.astype("<f4").tobytes()
        job.waiting -= 1
        if job.waiting <= 0:
            self._finish(job)


def _with_unread(found: Partition, image_path: str, reason: str) -> Partition:
    """The partition with a warning that the text in one of its pictures was not read."""
    page = next((e.page_number for e in found.elements if e.image_path == image_path), None)
    where = f"page {page}: " if page is not None else ""
    return replace(found, warnings=(*found.warnings, f"{where}no text was taken from a picture ({reason})"))
