"""Reading documents while the server answers: uploads kept beside the library, and one ingest at a time.

An ingest runs in a process of its own: what it leaves in memory leaves with it, and it yields to those who ask.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import secrets
import shutil
import signal
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from queue import Full, Queue
from typing import BinaryIO, Literal

from starlette.exceptions import HTTPException

from ingest.errors import PinciteError
from ingest.library import Library
from ingest.pipeline import Progress, ingest
from ingest.settings import Settings
from ingest.types import SourceResult
from retrievers.api_events import event, next_or_beat
from retrievers.shapes import JSON, result_json, summary_json

JobState = Literal["waiting", "running", "done", "failed"]
WAITING_JOBS = 20
KEPT_JOBS = 50
NICENESS = 10
"""How much an ingest stands back for those who ask, as ``nice`` counts it."""
NAME_BYTES = 150
"""Bytes of an uploaded file's name, at most."""
STOP_SECONDS = 5.0
"""Seconds that an ingest may take to end when the server does."""
ENDED = 128 + signal.SIGTERM
STEP_SECONDS = 0.1
"""Seconds between two events about one ingest, at least."""


@dataclass(slots=True, kw_only=True)
class Job:
    """One ingest as it is asked about. ``changed`` is called after each change."""

    job_id: str
    roots: Sequence[Path]
    state: JobState = "waiting"
    progress: JSON = field(default_factory=dict)
    results: list[SourceResult] = field(default_factory=list)
    error: str | None = None
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    watchers: list[Callable[[], None]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "failed")

    def shape(self) -> JSON:
        """The job as JSON: its state, where it stands, its results so far, and their sum."""
        seconds = (self.ended or time.monotonic()) - self.started
        return {
            "job": self.job_id,
            "state": self.state,
            "error": self.error,
            "progress": self.progress,
            "results": [result_json(r) for r in self.results],
            **summary_json(self.results, seconds),
        }

    def tell(self) -> None:
        """Tell those who watch."""
        for watcher in list(self.watchers):
            watcher()


class Jobs:
    """The ingests of a server, one after the other, each in a process of its own."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """``folder`` is the library's."""
        self.folder, self.settings = folder, settings
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: Queue[Job | None] = Queue(WAITING_JOBS)
        self._process: SpawnProcess | None = None
        self._is_closed = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, roots: Sequence[Path]) -> Job:
        """Have files or folders ingested when those before them are done.

        Raises:
            HTTPException: 503, too many wait already.
        """
        job = Job(job_id=secrets.token_urlsafe(12), roots=roots)
        with self._lock:
            self._jobs[job.job_id] = job
            try:
                self._queue.put_nowait(job)
            except Full as exc:
                del self._jobs[job.job_id]
                raise HTTPException(503, "too many ingests wait already", {"retry-after": "30"}) from exc
            over = [known for known, old in self._jobs.items() if old.is_over]
            for known in over[: max(0, len(self._jobs) - KEPT_JOBS)]:
                del self._jobs[known]
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="pincite-ingest", daemon=True)
                self._thread.start()
        return job

    def get(self, job_id: str) -> Job | None:
        """A job that runs, waits, or is over since not too long."""
        return self._jobs.get(job_id)

    @property
    def running(self) -> int:
        """Jobs that are not over."""
        return sum(not job.is_over for job in list(self._jobs.values()))

    def close(self) -> None:
        """End what runs; what it has finished is kept in the library."""
        self._is_closed = True
        if self._thread is None:
            return
        process = self._process
        if process is not None and process.is_alive():
            process.terminate()
        with suppress(Full):
            self._queue.put_nowait(None)
        self._thread.join(STOP_SECONDS)
        if process is not None and self._process is process:
            process.kill()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None and not self._is_closed:
            job.state, job.started = "running", time.monotonic()
            job.tell()
            job.error = self._run(job)
            job.ended = time.monotonic()
            job.state = "failed" if job.error else "done"
            job.tell()

    def _run(self, job: Job) -> str | None:
        """Run a job to its end; what went wrong, if anything did."""
        context = multiprocessing.get_context("spawn")
        mine, theirs = context.Pipe(duplex=False)
        self._process = process = context.Process(target=_ingest, args=(theirs, job.roots, self.folder, self.settings))
        process.start()
        theirs.close()
        if self._is_closed:
            process.terminate()
        error: str | None = None
        with mine:
            for said in _received(mine):
                if isinstance(said, Progress):
                    job.progress = asdict(said) | {"path": Path(said.path).name}
                elif isinstance(said, SourceResult):
                    job.results.append(said)
                else:
                    error = said
                job.tell()
        process.join()
        code, self._process = process.exitcode, None
        process.close()
        return error or (f"the ingest ended before its end (exit code {code})" if code else None)


def _received(pipe: Connection) -> Iterator[Progress | SourceResult | str]:
    with suppress(EOFError, OSError):
        while True:
            yield pipe.recv()


def _ingest(pipe: Connection, roots: Sequence[Path], folder: Path, settings: Settings) -> None:
    """The process of an ingest: says how it goes; ends when nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches it too; the server ends it
    signal.signal(signal.SIGTERM, _leave)
    os.nice(NICENESS)
    with suppress(BrokenPipeError):
        try:
            for result in ingest(roots, folder, settings=settings, on_progress=pipe.send):
                pipe.send(result)
        except PinciteError as exc:
            pipe.send(str(exc))


async def job_events(job: Job) -> AsyncIterator[bytes]:
    """A job as events: ``source`` for each result, ``progress`` in between, and at last ``done`` with the sum."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(changed.set)

    job.watchers.append(tell)
    told = 0
    try:
        while True:
            changed.clear()
            is_over = job.is_over
            for result in job.results[told:]:
                told += 1
                yield event("source", result_json(result))
            if is_over:
                yield event("done", {**job.shape(), "results": []})
                return
            yield event("progress", {"state": job.state, **job.progress})
            while (beat := await next_or_beat(changed.wait())) is not True:
                yield beat
            await asyncio.sleep(STEP_SECONDS)
    finally:
        job.watchers.remove(tell)


def _leave(*_: object) -> None:
    """End this process the orderly way: its workers end with it, and nothing is left behind."""
    raise SystemExit(ENDED)


# --- uploads --------------------------------------------------------------------------------------


def uploads_folder(library: Library) -> Path:
    """Where uploaded files are kept: beside the library's folder, as nothing in it is ever ingested."""
    return library.folder.parent / f"{library.folder.name.lstrip('.')}-uploads"


def keep_upload(folder: Path, name: str, data: BinaryIO) -> Path:
    """Keep an uploaded file under its own name, numbered where another file has it. Equal bytes are kept once."""
    folder.mkdir(mode=0o700, exist_ok=True)
    wanted = folder / safe_name(name)
    temporary = folder / f".{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            shutil.copyfileobj(data, file)
        return _placed(temporary, wanted)
    finally:
        temporary.unlink(missing_ok=True)


def _placed(temporary: Path, wanted: Path) -> Path:
    """Give a file its name without ever replacing another one."""
    number = 1
    target = wanted
    while True:
        try:
            target.hardlink_to(temporary)
        except FileExistsError:
            if _is_same(target, temporary):
                return target
            number += 1
            target = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        else:
            return target


def _is_same(one: Path, other: Path) -> bool:
    import filecmp

    return one.is_file() and not one.is_symlink() and filecmp.cmp(one, other, shallow=False)


def safe_name(name: str) -> str:
    """A file name of one part that hides nothing: no folders, no control characters, no leading dots, not too long."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    stem, dot, ending = seen.strip().lstrip(".").rpartition(".")
    kept = (stem if dot else ending).encode()[: NAME_BYTES - 20].decode("utf-8", "ignore").strip()
    suffix = f".{ending.encode()[:16].decode('utf-8', 'ignore')}" if dot else ""
    return (kept or "upload") + suffix
