"""Chroma's files damaged one by one in a library of 10,000 chunks: ``python -m tests.bench.damaged_index [CHUNKS]``.

For each file that is truncated, zeroed or deleted it prints the seconds until a retriever has noticed and answered
the first question without the index, whether all its answers are those of comparing all vectors, the seconds that the
next command takes to make the index anew, and the share of those answers that Chroma's approximate search then finds.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ingest.indexing import update_index
from ingest.library import Library
from ingest.library_index import damage_of
from retrievers import MultiVectorRetriever
from tests.retrievers.made import BagOfWords, paragraph, put, title

WORDS = ["ferry", "pier", "ice", "rope", "halibut", "engine", "cabin", "harbour", "oak", "noon", "fare", "tide"]
QUESTIONS = ["ferry at noon", "halibut and ice", "the oak pier", "engine of cabin 17", "fare at high tide"]
SECTIONS = 50


def fill(library: Library, chunks: int) -> None:
    """Documents of ``SECTIONS`` sections, each a chunk."""
    for start in range(0, chunks, SECTIONS):
        elements = []
        for n in range(start, start + SECTIONS):
            words = " ".join(WORDS[(n * k + k * k) % len(WORDS)] for k in range(3, 12))
            elements += [title(f"Section {n}"), paragraph(f"Of {words}, numbered {n} and {n * 7919 % 10_007}.")]
        put(library, f"{start}.pdf", elements)


def halve(path: Path) -> None:
    """Cut the second half off."""
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    """Overwrite with zeros."""
    path.write_bytes(bytes(path.stat().st_size))


def answers(retriever: MultiVectorRetriever) -> list[list[str]]:
    """The ids of the chunks found for each question."""
    return [[hit.chunk.chunk_id for hit in retriever.retrieve(question)] for question in QUESTIONS]


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(chunks: int) -> None:
    """Print a line for each damage, then the slowest of each time."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "lib", create=True) as library:
        fill(library, chunks)
        started = time.perf_counter()
        update_index(library)
        say(f"{library.counts()}; indexed in {time.perf_counter() - started:.1f} s")
        expected = answers(MultiVectorRetriever(library, embedder=BagOfWords()))
        names = [p.relative_to(library.chroma_folder) for p in library.chroma_folder.rglob("*") if p.is_file()]
        times = [
            one(library, path.name, harm, expected) for path in sorted(names) for harm in (halve, zero, Path.unlink)
        ]
    noticed, rebuilt = zip(*times, strict=True)
    say(f"slowest: noticed and answered {max(noticed):.2f} s, made anew {max(rebuilt):.1f} s; n = {len(times)}")


def shared(found: list[list[str]], expected: list[list[str]]) -> float:
    """The share of expected hits that are found: Chroma's search is approximate."""
    pairs = list(zip(found, expected, strict=True))
    return sum(len(set(a) & set(b)) for a, b in pairs) / sum(len(b) for _, b in pairs)


def one(library: Library, name: str, harm: Callable[[Path], None], expected: list[list[str]]) -> tuple[float, float]:
    """Damage one file; the seconds until it was noticed, and those until it was made good."""
    (path,) = library.chroma_folder.rglob(name)
    harm(path)
    retriever = MultiVectorRetriever(library, embedder=BagOfWords(), exact_limit=0)
    started = time.perf_counter()
    retriever.retrieve(QUESTIONS[0])
    noticed = time.perf_counter() - started
    right = answers(retriever) == expected
    started = time.perf_counter()
    update_index(library)
    rebuilt = time.perf_counter() - started
    sound = damage_of(library.chroma_folder, library.index_seal()) is None
    same = shared(answers(retriever), expected)
    retriever.close()
    said = f"answers right: {right}, sound after: {sound}, of the same hits then {same:.0%}"
    say(f"{name:22} {harm.__name__:7} noticed {noticed:5.2f} s, {said}, made anew {rebuilt:5.1f} s")
    return noticed, rebuilt


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
