"""Two ingests and one asker at the same time: ``python -m tests.bench.concurrency [SECONDS] [EXACT_LIMIT]``.

Each ingest is a process that, over and over, writes new notes into a folder of its own, changes one and deletes one,
and brings the library into sync; the two wait for each other. Meanwhile one retriever, opened before, answers
questions for the newest note. It prints how often each did its work, its errors, the seconds from a note's commit to
its first being found, and what the library lacks or has too much at the end, which is nothing. With ``EXACT_LIMIT`` 0
the retriever searches Chroma's index.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ingest import ingest
from ingest.errors import PinciteError
from ingest.library import Library
from ingest.settings import Settings
from retrievers import MultiVectorRetriever, answer

ROOT = Path(__file__).resolve().parents[2]
WRITERS = ("north", "south")


@dataclass(slots=True, kw_only=True)
class Found:
    """What an asker saw: questions asked, errors, and for each note the seconds until it was found."""

    questions: int = 0
    errors: list[str] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)


def note(name: str, n: int, version: int = 1) -> str:
    """A short document with words of its own."""
    return f"# Harbour note {name}{n}\n\nThe {name}{n}x{version} berth holds {n} boats and {version} cranes.\n"


def write(name: str, folder: str, library: str, seconds: float) -> None:
    """One ingest process: tells each note that is committed, by its words."""
    place, end, n = Path(folder), time.time() + seconds, 0
    while time.time() < end:
        n += 1
        (place / f"{name}{n}.md").write_text(note(name, n))
        if n > 3:
            (place / f"{name}{n - 1}.md").write_text(note(name, n - 1, version=2))
            (place / f"{name}{n - 3}.md").unlink()
        for result in ingest([place], library, settings=Settings(jobs=1)):
            if result.path.endswith(f"/{name}{n}.md"):
                say(f"committed {name}{n}x1 {time.time()}" if result.state == "ingested" else f"error {result}")
    say("ended 0 0")


def ask(retriever: MultiVectorRetriever, committed: Iterator[tuple[str, float]]) -> Found:
    """Ask for each committed note until it is found."""
    found = Found()
    for words, at in committed:
        while True:
            found.questions += 1
            try:
                said = answer(f"What does the {words} berth hold?", retriever=retriever, model="extractive")
            except PinciteError as exc:
                found.errors.append(str(exc))
                break
            if any(words in hit.chunk.text for hit in said.hits):
                found.delays.append(time.time() - at)
                break
            if time.time() - at > 10:
                found.errors.append(f"{words} was not found in 10 s")
                break
    return found


def run(seconds: float, exact_limit: int = 50_000) -> tuple[Found, list[str]]:
    """What the asker saw, and what was wrong with the writers or is with the library at the end."""
    with tempfile.TemporaryDirectory() as temporary:
        library = Path(temporary, ".pincite")
        (Path(temporary) / "first").mkdir()
        (Path(temporary) / "first/note.md").write_text(note("first", 1))
        list(ingest([Path(temporary) / "first"], library, settings=Settings(jobs=1)))
        writers = [_writer(name, Path(temporary, name), library, seconds) for name in WRITERS]
        with closing(MultiVectorRetriever(library, exact_limit=exact_limit)) as retriever:
            answer("What does the berth hold?", retriever=retriever, model="extractive")
            found = ask(retriever, _committed(writers, found_errors := []))
        problems = [*found_errors, *(f"a writer ended with {w.wait()}" for w in writers if w.wait())]
        return found, [*problems, *_wrong(library, Path(temporary))]


def _writer(name: str, folder: Path, library: Path, seconds: float) -> subprocess.Popen[str]:
    folder.mkdir()
    words = [sys.executable, "-m", "tests.bench.concurrency", "--write", name, folder, library, seconds]
    return subprocess.Popen([str(word) for word in words], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _committed(writers: list[subprocess.Popen[str]], errors: list[str]) -> Iterator[tuple[str, float]]:
    """The notes that writers tell, the newest one first, until all have ended."""
    told: list[tuple[str, float]] = []
    more = threading.Condition()
    left = len(writers)

    def listen(writer: subprocess.Popen[str]) -> None:
        nonlocal left
        assert writer.stdout is not None
        with writer.stdout as lines:
            for line in lines:
                with more:
                    if line.startswith("committed"):
                        _, words, at = line.split()
                        told.append((words, float(at)))
                    elif line.startswith("error"):
                        errors.append(line)
                    more.notify()
        with more:
            left -= 1
            more.notify()

    for writer in writers:
        threading.Thread(target=listen, args=(writer,), daemon=True).start()
    while True:
        with more:
            more.wait_for(lambda: told or not left)
            if not told:
                return
            newest = told[-1]
            told.clear()
        yield newest


def _wrong(library: Path, folder: Path) -> list[str]:
    """In what the library differs from the files."""
    files = {str(path): path.read_text() for name in ("first", *WRITERS) for path in (folder / name).iterdir()}
    with Library(library) as opened:
        held = {path: "\n".join(e.text for e in opened.partition(s).elements) for s, path in opened.documents()}
        lost = [path for path in files if path not in held]
        old = [p for p in files.keys() & held.keys() if files[p].split("The ")[1].strip() not in held[p]]
        index = [] if opened.index_work() == ([], []) else ["the index is not complete"]
        sources = len(opened.sources())
    problems = [f"lost: {path}" for path in lost] + [f"old: {path}" for path in old]
    problems += [f"too much: {path}" for path in held if path not in files]
    return problems + index + ([] if sources == len(files) else [f"{sources} sources of {len(files)} files"])


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(seconds: float = 60, exact_limit: int = 50_000) -> None:
    """Print what is told above."""
    found, problems = run(seconds, exact_limit)
    delays = sorted(found.delays)
    say(f"{found.questions} questions, {len(found.errors)} errors {found.errors[:3]}; {len(delays)} new notes found")
    if delays:
        say(f"seconds from commit to found: median {delays[len(delays) // 2]:.2f}, most {delays[-1]:.2f}")
    say(f"at the end: {problems or 'nothing is lost, old or too much'}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(*sys.argv[2:5], float(sys.argv[5]))
    else:
        main(*(float(each) for each in sys.argv[1:2]), *(int(each) for each in sys.argv[2:3]))
