"""Libraries of many chunks, and what they cost: ``python -m tests.bench.scale FOLDER [SIZES] [--index]``.

Documents of about a hundred chunks are made by varying the text of ``samples``: half of their words are drawn anew
from 60,000 by Zipf's law, all numbers as well. They are chunked and embedded as the default does, and stored by the
same call as an ingest stores them. At each of ``SIZES`` (10000,100000 by default) it prints a line of JSON: what the
last documents cost and what asking costs. ``--index`` also has Chroma's index written; without it all vectors are
compared. ``--library`` measures asking in a library as it is, and changes nothing in it. Wall times are of this machine
as busy as it is, so CPU times stand beside them.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ingest.chunk import ChunkOptions, chunk
from ingest.embed import Embedder, load_embedder, text_hash
from ingest.indexing import update_index
from ingest.library import Library, PathRecord, SourceRecord
from ingest.settings import DEFAULT_EMBEDDER, Settings
from ingest.types import Chunk, Element, Page, PageBox, Partition, Word, stable_id
from retrievers import MultiVectorRetriever

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SIZES = "10000,100000"
PAGES = 36
VOCABULARY = 60_000
VARIED = 0.5
"""Share of the words that are drawn anew."""
DIGIT = re.compile(r"\d")
QUESTIONS = 60
RERANKED_QUESTIONS = 20
TOGETHER = 4
"""Documents in one transaction, about as many as an ingest finishes at a time."""


Pair = tuple[float, float]
"""The median and the 95th percentile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """What a question costs in a process that asked before, in milliseconds, and the process's memory in MB."""

    query_ms: Pair
    query_cpu_ms: Pair
    filtered_ms: Pair
    rerank_ms: Pair
    rerank_cpu_ms: Pair
    memory_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """Wall and CPU seconds of a command from its start to its end, the best of three."""

    search: Pair
    search_rerank: Pair
    ask: Pair
    help: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What asking costs in a library of so many chunks, and what it takes on disk, in MB."""

    chunks: int
    vectors: int
    vectors_mb: float
    database_mb: float
    chroma_mb: float
    warm: Warm
    cold: Cold


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """What the last documents cost: chunks a second through the storing call, texts a second through the embedder.

    ``document_ms`` is the CPU time to store one document at this size, ``index_seconds`` what writing Chroma's copy
    of all new vectors took.
    """

    chunks: int
    commit_rate: float
    commit_cpu_rate: float
    embed_rate: float
    document_ms: float
    index_seconds: float


# Documents


@lru_cache(maxsize=1)
def paragraphs() -> tuple[list[str], ...]:
    """Real paragraphs, as words."""
    texts = [(ROOT / "samples" / name).read_text() for name in ("notes.txt", "faq.md")]
    texts += [
        re.sub(r"<[^>]+>", " ", (ROOT / "samples" / name).read_text()) for name in ("notice.html", "addon-1.html")
    ]
    found = [block.split() for text in texts for block in re.split(r"\n\s*\n", text)]
    return tuple(block for block in found if len(block) > 12)


@lru_cache(maxsize=1)
def vocabulary() -> tuple[list[str], NDArray[np.float64]]:
    """Made words and their cumulative weights."""
    chance = random.Random(1)
    syllables = [a + b + c for a in "bdfgklmnprstv" for b in "aeiou" for c in ("", "n", "r", "s", "l", "t")]
    words = list({"".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(VOCABULARY * 2)})
    words = sorted(words)[:VOCABULARY]
    chance.shuffle(words)
    weights = np.cumsum(1 / (np.arange(len(words)) + 20))
    return words, weights / weights[-1]


def drawn_words(chance: random.Random, count: int) -> list[str]:
    """Made words, frequent ones more often."""
    made, weights = vocabulary()
    shares = np.random.default_rng(chance.getrandbits(32)).random(count)
    return [made[place] for place in np.searchsorted(weights, shares)]


def varied(chance: random.Random, words: Sequence[str]) -> str:
    """A real text with half of its words, and all of its numbers, drawn anew."""
    drawn = iter(drawn_words(chance, len(words)))
    out = []
    for word in words:
        if DIGIT.search(word):
            out.append(f"{chance.randint(1, 99_999):,}")
        else:
            out.append(next(drawn) if chance.random() < VARIED else word)
    return " ".join(out)


def document(number: int) -> Partition:
    """A report of ``PAGES`` pages: headings, paragraphs and a table on every third page."""
    chance = random.Random(number)
    elements: list[Element] = []
    for page in range(1, PAGES + 1):
        elements.append(_element(number, len(elements), "Title", varied(chance, chance.choice(paragraphs())[:5]), page))
        for _ in range(6):
            words = [*chance.choice(paragraphs()), *chance.choice(paragraphs())][:90]
            elements.append(_element(number, len(elements), "NarrativeText", varied(chance, words), page))
        if page % 3 == 0:
            elements.append(_table(chance, number, len(elements), page))
    return Partition(elements=tuple(elements), pages=tuple(_page(n, elements) for n in range(1, PAGES + 1)))


def _page(number: int, elements: Sequence[Element]) -> Page:
    said = [word for element in elements if element.page_number == number for word in element.text.split()]
    words = tuple(
        Word(word, (n % 12 * 38.5, n // 12 * 12.2, n % 12 * 38.5 + 30, n // 12 * 12.2 + 10))
        for n, word in enumerate(said)
    )
    return Page(page=number, width=595.3, height=841.9, words=words)


def _element(number: int, place: int, category: str, text: str, page: int) -> Element:
    box = PageBox(page=page, box=(72.0, 72.0 + place % 40 * 15, 523.0, 84.0 + place % 40 * 15))
    return Element(
        element_id=stable_id("scale", number, place),
        category=category,
        text=text,
        page_number=page,
        boxes=(box,),
        category_depth=1 if category == "Title" else None,
    )


def _table(chance: random.Random, number: int, place: int, page: int) -> Element:
    names = iter(drawn_words(chance, 24))
    rows = [[f"{name} {next(names)}", *(f"{chance.randint(1, 9999):,}" for _ in range(3))] for name in names]
    html = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = _element(number, place, "Table", "\n".join(" ".join(row) for row in rows), page)
    return replace(table, text_as_html=f"<table>{html}</table>")


# Storing

Stored = tuple[SourceRecord, Partition, list[Chunk], dict[str, str], dict[str, bytes]]


@dataclass(slots=True)
class Growing:
    """A library that grows by documents, and what the last ones cost."""

    library: Library
    documents: int = 0
    chunks: int = 0
    texts: int = 0
    embed_seconds: float = 0.0
    commit_seconds: float = 0.0
    commit_cpu: float = 0.0
    committed: int = 0
    last_documents: int = 0

    def grow(self, size: int) -> None:
        """Add documents until there are so many chunks."""
        embedder = load_embedder(DEFAULT_EMBEDDER, Settings())
        self.library.claim_embedder(embedder.name, embedder.dimension)
        self.texts = self.committed = self.last_documents = 0
        self.embed_seconds = self.commit_seconds = self.commit_cpu = 0.0
        while self.chunks < size:
            made = []
            for _ in range(TOGETHER):
                self.documents += 1
                made.append(self._prepare(embedder))
            wall, cpu = time.perf_counter(), time.process_time()
            with self.library.together():
                for record, partition, chunks, hashes, embeddings in made:
                    self.library.put_source(record, partition, chunks, hashes, embeddings)
                    path = f"/reports/report-{record.id[:12]}.pdf"
                    known = PathRecord(
                        path=path, source_id=record.id, state="ingested", reason=None, size=1, mtime_ns=1
                    )
                    self.library.put_path(known, "/reports")
            self.commit_seconds += time.perf_counter() - wall
            self.commit_cpu += time.process_time() - cpu
            added = sum(len(each[2]) for each in made)
            self.committed += added
            self.chunks += added
            self.last_documents += len(made)

    def _prepare(self, embedder: Embedder) -> Stored:
        partition = document(self.documents)
        source_id = sha256(str(self.documents).encode()).hexdigest()
        chunks = chunk(partition, source_id, ChunkOptions())
        texts = list(dict.fromkeys(v.text for each in chunks for v in each.vectors))
        hashes = {text: text_hash(text, embedder.name) for text in texts}
        started = time.perf_counter()
        matrix = embedder.embed(texts)
        self.embed_seconds += time.perf_counter() - started
        self.texts += len(texts)
        embeddings = {hashes[text]: row.tobytes() for text, row in zip(texts, matrix, strict=True)}
        record = SourceRecord(
            id=source_id,
            format="pdf",
            size=1,
            partition_key="scale",
            chunk_key="scale",
            pages=PAGES,
            elements={},
            warnings=(),
            seconds=0.0,
        )
        return record, partition, chunks, hashes, embeddings


# Asking


def questions(library: Library, count: int) -> Iterator[str]:
    """Questions with the words of a stored chunk, and words that many chunks have."""
    chance = random.Random(7)
    keys = library.counts()["chunks"]
    for _ in range(count):
        found = library.chunks([chance.randint(1, keys)])
        words = next(iter(found.values())).text.split()
        start = chance.randrange(max(1, len(words) - 9))
        yield f"What was the total change in {' '.join(words[start : start + 8])} for the ferry company in 2021?"


def measured(ask: Callable[[str], object], asked: Sequence[str]) -> tuple[Pair, Pair]:
    """The median and 95th percentile of wall and of CPU milliseconds."""
    wall, cpu = [], []
    for question in asked:
        at, used = time.perf_counter(), time.process_time()
        ask(question)
        wall.append((time.perf_counter() - at) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    return _percentiles(wall), _percentiles(cpu)


def _percentiles(values: Sequence[float]) -> Pair:
    ordered = sorted(values)
    return round(ordered[len(ordered) // 2], 1), round(ordered[int(len(ordered) * 0.95)], 1)


def warm(folder: Path) -> Warm:
    """What asking costs in this process, which asked nothing before."""
    library = Library(folder)
    retriever = MultiVectorRetriever(library)
    asked = list(questions(library, QUESTIONS))
    retriever.retrieve("a first question", k=8)
    query, cpu = measured(lambda q: retriever.retrieve(q, k=8), asked)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    filtered, _ = measured(lambda q: retriever.retrieve(q, k=8, doc="report-1*", kind="table"), asked[:30])
    retriever.retrieve("a first question", k=8, rerank=True)
    reranked, used = measured(lambda q: retriever.retrieve(q, k=8, rerank=True), asked[:RERANKED_QUESTIONS])
    return Warm(
        query_ms=query,
        query_cpu_ms=cpu,
        filtered_ms=filtered,
        rerank_ms=reranked,
        rerank_cpu_ms=used,
        memory_mb=round(memory),
    )


def cold(folder: Path) -> Cold:
    """What a command costs from its start."""
    question = "What was the total change in fares for the ferry company in 2021?"
    where = ["--json", "--library", str(folder)]
    return Cold(
        search=started("search", question, *where, "--no-rerank"),
        search_rerank=started("search", question, *where, "--rerank"),
        ask=started("ask", question, *where, "--model", "extractive"),
        help=started("--help"),
    )


def started(*arguments: str) -> Pair:
    """Wall and CPU seconds of the command line with these arguments."""
    walls, cpus = [], []
    for _ in range(3):
        before, at = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-m", "cli", *arguments], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - at)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return round(min(walls), 2), round(min(cpus), 2)


def _megabytes(folder: Path) -> float:
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20, 1)


def asking_of(folder: Path) -> Asking:
    """What asking costs in a library as it is; the warm figures come from a process of their own."""
    command = [sys.executable, "-m", "tests.bench.scale", str(folder), "--warm"]
    found = json.loads(subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE).stdout)
    with Library(folder) as library:
        counts, stored = library.counts(), library.embedder
    assert stored is not None
    return Asking(
        chunks=counts["chunks"],
        vectors=counts["vectors"],
        vectors_mb=round(counts["vectors"] * stored.dimension * 4 / 2**20, 1),
        database_mb=round((folder / "library.sqlite").stat().st_size / 2**20, 1),
        chroma_mb=_megabytes(folder / "chroma"),
        warm=Warm(**found),
        cold=cold(folder),
    )


def storing_of(growing: Growing, *, index: bool) -> Storing:
    """What the last documents cost, and bringing Chroma's copy up to date."""
    at = time.perf_counter()
    if index:
        update_index(growing.library)
    return Storing(
        chunks=growing.chunks,
        commit_rate=round(growing.committed / max(growing.commit_seconds, 1e-9)),
        commit_cpu_rate=round(growing.committed / max(growing.commit_cpu, 1e-9)),
        embed_rate=round(growing.texts / max(growing.embed_seconds, 1e-9)),
        document_ms=round(growing.commit_cpu * 1000 / max(growing.last_documents, 1), 1),
        index_seconds=round(time.perf_counter() - at, 1),
    )


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def grow(folder: Path, sizes: Sequence[int], *, index: bool) -> None:
    """Grow a library, and print what it costs at each size."""
    with Library(folder, create=True) as library, library.writing():
        counts = library.counts()
        growing = Growing(library, counts["sources"], counts["chunks"])
        for size in sizes:
            growing.grow(size)
            storing = storing_of(growing, index=index)
            say(json.dumps(asdict(storing) | asdict(asking_of(folder))))


def main() -> None:
    """Grow a library, or measure one, and print what it costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("sizes", nargs="?", default=SIZES)
    parser.add_argument("--index", action="store_true")
    parser.add_argument("--library", type=Path)
    parser.add_argument("--warm", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.library is not None:
        say(json.dumps(asdict(asking_of(given.library))))
    elif given.folder is None:
        parser.error("give a FOLDER to grow a library in, or --library")
    elif given.warm:
        say(json.dumps(asdict(warm(given.folder))))
    else:
        grow(given.folder, list(map(int, given.sizes.split(","))), index=given.index)


if __name__ == "__main__":
    main()
