"""A folder, its library, and ingests whose work is done and counted in one process."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ingest.library import Library
from ingest.pipeline import IngestOptions, ingest
from ingest.types import SourceResult
from ingest.vectors import ChromaIndex
from tests.inline_pool import InlinePool

FERRY = """# Ferry

The ferry sails at noon.

## Fares

A crossing costs 9 euros.

## Pier

The pier is made of oak.
"""


class CountingEmbedder:
    """Vectors by the hash of a text; counts the texts."""

    def __init__(self, name: str = "counting", dimension: int = 8) -> None:
        self.name, self.dimension = name, dimension
        self.texts: list[str] = []

    def embed(self, texts):
        self.texts += texts
        rows = [np.frombuffer(hashlib.sha256(t.encode()).digest()[: self.dimension], np.uint8) + 1.0 for t in texts]
        matrix = np.array(rows, np.float32).reshape(-1, self.dimension)
        return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


class Desk:
    """A folder ``docs``, its library, and ingests whose work is done and counted in this process."""

    def __init__(self, folder: Path, pool: InlinePool) -> None:
        self.folder, self.docs, self.pool = folder, folder / "docs", pool
        self.embedder = CountingEmbedder()
        self.docs.mkdir()

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def run(self, *roots: Path, embedder: CountingEmbedder | None = None, **options) -> list[SourceResult]:
        self.pool.tasks.clear()
        self.embedder.texts.clear()
        given = embedder or self.embedder
        chosen = IngestOptions(**options)
        return list(ingest(roots or [self.docs], self.folder / "lib", options=chosen, embedder=given))

    def states(self, *roots: Path, **options) -> dict[str, str]:
        return {r.path: r.state for r in self.run(*roots, **options)}

    def open(self) -> Library:
        return Library(self.folder / "lib")

    def texts(self) -> str:
        with self.open() as library:
            return "\n".join(c.text for s in library.sources() for c in library.chunks_of(s.id))

    def indexed(self) -> tuple[list[int], int]:
        """The vector ids of SQLite, and how many Chroma holds, after making sure that it has each of those."""
        with self.open() as library:
            ids, matrix = library.matrix()
            assert library.index_work() == ([], [])
            index = ChromaIndex(library.chroma_folder, library.embedder.dimension, create=False)
        try:
            for vector, row in zip(ids.tolist(), matrix, strict=True):
                assert index.search(row, 1, {vector})[0] == (vector, pytest.approx(1, abs=1e-4))
            return sorted(ids.tolist()), index.count()
        finally:
            index.close()
