"""SIGKILL at random moments of an ingest: ``python -m tests.bench.kill FOLDER [KILLS] [SEED] [PARSER] [IMAGES]``.

The folder is ingested once undisturbed. Then into another library, by runs that are killed, each with all that it
started, at a random moment after it has stored one or two documents, so that the kills are spread over the folder;
each fifth one is killed at any moment, at its start too. When ``KILLS`` were, or all is stored, the last run may
finish. It prints what was in a worker and stored before each kill, the documents that were parsed again though they
were stored, and how the two libraries differ, which is in nothing.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Timer

import numpy as np

from ingest.library import Library
from ingest.partition import PartitionOptions
from ingest.pipeline import IngestOptions, ingest
from ingest.reading import Reading
from ingest.settings import Settings
from ingest.types import Source
from ingest.workers import WorkerPool
from retrievers import MultiVectorRetriever, answer

ROOT = Path(__file__).resolve().parents[2]
JOBS = 2
STORED = (1, 1, 1, 2)
"""Documents after which a run is killed: one of these."""
LATER = 0.5
"""Seconds by which it is killed later than that, at most."""
EARLY = 5
"""Each such run is killed at any moment of its first seconds, stored documents or not."""
EARLY_SECONDS = 6.0


@dataclass(slots=True, kw_only=True)
class Run:
    """What one run began, had in a worker, and finished, ids of sources, and whether it was killed."""

    begun: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    killed: bool = False
    seconds: float = 0.0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def child(folder: str, library: str, parser: str, images: str) -> None:
    """One ingest that tells each source that it begins to read, and each that is durably in the library."""
    begin, put, together = Reading.begin, Library.put_source, Library.together
    written: list[str] = []

    def told_begin(self: Reading) -> list:
        say(f"begun {self.source.id}")
        return begin(self)

    def told_put(self: Library, record, *given) -> None:
        put(self, record, *given)
        written.append(record.id)
        if not self._db.in_transaction:
            tell()

    @contextmanager
    def told_together(self: Library) -> Iterator[None]:
        with together(self):
            yield
        tell()

    def tell() -> None:
        while written:
            say(f"finished {written.pop(0)}")

    _tell_running()
    Reading.begin, Library.put_source = told_begin, told_put  # type: ignore[method-assign]
    Library.together = told_together  # type: ignore[method-assign]
    options = IngestOptions(partition=PartitionOptions(parser=parser, images=images))  # type: ignore[arg-type]
    for _ in ingest([folder], library, options=options, settings=Settings(jobs=JOBS)):
        pass


def _tell_running() -> None:
    """Have the pool tell each source that a worker has."""
    told: set[str] = set()
    look = WorkerPool._end_late

    def told_look(self: WorkerPool, now: float) -> None:
        look(self, now)
        tasks = [task for future, task in list(self._running.items()) if future.running()]
        found = {arg.id for task in tasks for arg in _flat(task.call[1]) if isinstance(arg, Source)}
        for source in found - told:
            say(f"running {source}")
        told.update(found)

    WorkerPool._end_late = told_look  # type: ignore[method-assign]


def _flat(args: object) -> Iterator[object]:
    """The arguments of a task, also of those that share a trip."""
    if isinstance(args, tuple | list):
        for each in args:
            yield from _flat(each)
    else:
        yield args


def run(
    command: Sequence[str], *, after: float | None = None, at_finished: int | None = None, later: float = 0.0
) -> Run:
    """Run one ingest; kill it and all that it started after some seconds, or ``later`` than so many were finished."""
    found, started = Run(), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.kill", "--child", *command],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    ) as process:
        timer = Timer(after, _kill, [process]) if after is not None else None
        if timer is not None:
            timer.start()
        assert process.stdout is not None
        for line in process.stdout:
            what, _, source = line.strip().partition(" ")
            getattr(found, what).append(source)
            if what == "finished" and len(found.finished) == at_finished:
                timer = Timer(later, _kill, [process])
                timer.start()
        code = process.wait()
        if timer is not None:
            timer.cancel()
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the ingest ended with {code}")
    found.killed, found.seconds = code != 0, time.perf_counter() - started
    return found


def _kill(process: subprocess.Popen[str]) -> None:
    """End a run that leads a group of its own; its workers end with it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def parsed_again(runs: Sequence[Run]) -> list[str]:
    """Sources that a run began though an earlier one, or it, had finished them."""
    done: set[str] = set()
    again: list[str] = []
    for each in runs:
        again += [source for source in each.begun if source in done]
        done |= set(each.finished)
    return again


def redone(runs: Sequence[Run]) -> list[int]:
    """For each killed run, how many sources were in a worker and not finished."""
    return [len(set(each.running) - set(each.finished)) for each in runs if each.killed]


def differences(one: Path, other: Path) -> Iterator[str]:
    """In what two libraries of the same files differ; paths, ids, texts, images, vectors to 1e-5, and answers."""
    with Library(one) as first, Library(other) as second:
        yield from (f"{name} differ" for name, a, b in _facets(first, second) if a != b)
        mine, theirs = _vectors(first), _vectors(second)
        if mine.keys() != theirs.keys():
            yield "the texts of vectors differ"
        elif any(np.abs(mine[key] - theirs[key]).max() > 1e-5 for key in mine):
            yield "vectors differ"
        if second.index_work() != ([], []) or not second.index_seal():
            yield "the index is not complete"


def _facets(first: Library, second: Library) -> Iterator[tuple[str, object, object]]:
    for name, facet in (
        ("paths", lambda lib: {p: (r.source_id, r.state, r.reason) for p, r in lib.paths().items()}),
        ("sources", lambda lib: sorted((replace(s, seconds=0.0) for s in lib.sources()), key=lambda s: s.id)),
        ("elements", lambda lib: {s.id: _timeless(lib, s.id) for s in lib.sources()}),
        ("chunks", lambda lib: {s.id: lib.chunks_of(s.id) for s in lib.sources()}),
        ("images", lambda lib: {p.name: p.read_bytes() for p in (lib.folder / "images").iterdir()}),
        ("answers", _answers),
    ):
        yield name, facet(first), facet(second)


def _timeless(library: Library, source_id: str) -> object:
    found = library.partition(source_id)
    return found.elements, [replace(page, ms=0.0) for page in found.pages]


def _vectors(library: Library) -> dict[tuple[str, str, str], np.ndarray]:
    ids, matrix = library.matrix()
    owners = library.vector_owners(ids.tolist())
    chunks = library.chunks(sorted({key for key, _ in owners.values()}))
    texts = {key: {v.name: v.text for v in library.chunk(c.chunk_id).vectors} for key, c in chunks.items()}
    found: dict[tuple[str, str, str], np.ndarray] = {}
    for vector, row in zip(ids.tolist(), matrix, strict=True):
        key, name = owners[vector]
        found[chunks[key].chunk_id, name, texts[key].get(name, "")] = row
    return found


def _answers(library: Library) -> list[object]:
    """Hits and extractive answers for a question made of each of the first titles."""
    titles = [e.text for s in library.sources() for e in library.partition(s.id).elements if e.category == "Title"]
    retriever = MultiVectorRetriever(library)
    questions = [f"What does it say about {text}?" for text in sorted(set(titles))[:20]]
    hits = [[(h.chunk.chunk_id, h.path, h.score) for h in retriever.retrieve(q)] for q in questions]
    texts = [answer(q, retriever=retriever, model="extractive").text for q in questions[:5]]
    return [hits, texts]


def main(folder: str, kills: int = 20, seed: int = 1, parser: str = "auto", images: str = "auto") -> None:
    """Print what is told above."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        undisturbed, disturbed = Path(temporary, "a", ".pincite"), Path(temporary, "b", ".pincite")
        how = (str(Path(folder).absolute()), str(undisturbed), parser, images)
        whole = run(how)
        say(f"undisturbed: {len(whole.finished)} sources in {whole.seconds:.1f} s")
        how = (how[0], str(disturbed), parser, images)
        runs: list[Run] = []
        stored: set[str] = set()
        while sum(each.killed for each in runs) < kills and len(stored) < len(whole.finished):
            if len(runs) % EARLY == EARLY - 1:
                runs.append(run(how, after=chance.uniform(0.0, EARLY_SECONDS)))
            else:
                runs.append(run(how, at_finished=chance.choice(STORED), later=chance.uniform(0.0, LATER)))
            stored |= set(runs[-1].finished)
            count, lost = len(runs[-1].finished), redone(runs[-1:]) or [0]
            say(f"{runs[-1].seconds:5.1f} s: {count:2} finished, {lost[0]} more in a worker; {len(stored)} in all")
        runs.append(run(how))
        killed = sum(each.killed for each in runs)
        say(f"killed {killed} of {len(runs)} runs, {len(stored)} finished; the last run: {len(runs[-1].finished)}")
        lost = redone(runs)
        say(f"finished and parsed again: {len(parsed_again(runs))}")
        say(f"in a worker at a kill: {max(lost)} at most of {JOBS} workers, {sum(lost) / len(lost):.1f} in the mean")
        say("the libraries differ in: " + ("; ".join(differences(undisturbed, disturbed)) or "nothing"))


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        child(*sys.argv[2:6])
    else:
        main(sys.argv[1], *(int(each) for each in sys.argv[2:4]), *sys.argv[4:6])
