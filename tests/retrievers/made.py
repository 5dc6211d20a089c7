"""Small libraries made by hand: elements to chunks by the real chunker, vectors by a bag of words."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ingest.chunk import ChunkOptions, chunk
from ingest.embed import Embedder, text_hash
from ingest.library import Library, PathRecord, SourceRecord
from ingest.tables import html_to_cells, table_text
from ingest.types import BoundingBox, Cell, Element, Page, PageBox, Partition, Word, stable_id, union_box
from retrievers.language import stems

WIDTH, HEIGHT, PITCH = 6.0, 10.0, 14.0
"""Points of a character, of a line, and from one line to the next, on pages laid out by ``lay_out``."""


class BagOfWords:
    """An embedder that needs no weights: each stem has a random direction of its own."""

    name = "bag-of-words"
    dimension = 96

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.array([sum(map(self._direction, stems(text)), self._direction("")) for text in texts])
        rows = rows.reshape(len(texts), self.dimension)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def _direction(self, stem: str) -> np.ndarray:
        return np.random.default_rng(zlib.crc32(stem.encode())).standard_normal(self.dimension)


def lay_out(*lines: str, x: float = 72.0, y: float = 100.0) -> tuple[Word, ...]:
    """The words of lines of equally wide characters, the first line's top at ``y``."""
    words: list[Word] = []
    for n, line in enumerate(lines):
        at = 0
        for text in line.split():
            at = line.index(text, at)
            top = y + n * PITCH
            words.append(Word(text, (x + at * WIDTH, top, x + (at + len(text)) * WIDTH, top + HEIGHT)))
            at += len(text)
    return tuple(words)


def box_of(*words: Word) -> BoundingBox:
    return union_box([word.box for word in words])


def page(number: int, *words: Word) -> Page:
    return Page(page=number, width=595.0, height=842.0, words=words)


def element(category: str, text: str, *boxes: PageBox, depth: int | None = None) -> Element:
    first = boxes[0].page if boxes else None
    return Element(element_id="", category=category, text=text, page_number=first, boxes=boxes, category_depth=depth)


def title(text: str, depth: int = 0) -> Element:
    return element("Title", text, depth=depth)


def paragraph(text: str, *boxes: PageBox) -> Element:
    return element("NarrativeText", text, *boxes)


def table(html: str) -> Element:
    cells = html_to_cells(html)
    return replace(element("Table", table_text(cells)), text_as_html=html, cells=cells)


def with_cells(found: Element, cells: Sequence[Cell]) -> Element:
    return replace(found, cells=tuple(cells))


def put(
    library: Library,
    name: str,
    elements: Sequence[Element],
    pages: Sequence[Page] = (),
    *,
    original: Path | None = None,
    kind: str = "txt",
    embedder: Embedder | None = None,
) -> str:
    """Store a document and return the id of its source: of the bytes of its ``original``, else of its contents."""
    embedder = embedder or BagOfWords()
    source_id = stable_id(name, *(e.text for e in elements))
    if original is not None:
        source_id = hashlib.sha256(original.read_bytes()).hexdigest()
    parents: list[Element] = []
    placed: list[Element] = []
    for index, given in enumerate(elements):
        own = replace(given, element_id=stable_id(source_id, index))
        if own.category == "Title":
            parents = [p for p in parents if (p.category_depth or 0) < (own.category_depth or 0)]
        placed.append(replace(own, parent_id=parents[-1].element_id if parents else None))
        parents += [own] if own.category == "Title" else []
    partition = Partition(elements=tuple(placed), pages=tuple(pages))
    chunks = chunk(partition, source_id, ChunkOptions())
    texts = list(dict.fromkeys(v.text for c in chunks for v in c.vectors))
    hashes = {text: text_hash(text, embedder.name) for text in texts}
    rows = embedder.embed(texts) if texts else []
    library.claim_embedder(embedder.name, embedder.dimension)
    record = SourceRecord(
        id=source_id,
        format=kind,
        size=1,
        partition_key="p",
        chunk_key="c",
        pages=len(pages) or None,
        elements={},
        warnings=(),
        seconds=0.0,
    )
    vectors = {hashes[text]: row.tobytes() for text, row in zip(texts, rows, strict=True)}
    library.put_source(record, partition, chunks, hashes, vectors)
    path = str(original or f"/docs/{name}")
    known = PathRecord(path=path, source_id=source_id, state="ingested", reason=None, size=1, mtime_ns=1)
    library.put_path(known, "/docs")
    return source_id
