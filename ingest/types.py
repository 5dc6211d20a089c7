"""The vocabulary: the typed values that travel from a file to an answer.

Boxes are ``(x0, y0, x1, y1)`` in points of the page as displayed (after /Rotate, relative to the visible
CropBox), origin top left; in pixels for pictures. Pages count from 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

BoundingBox = tuple[float, float, float, float]
Kind = Literal["text", "table", "image"]
State = Literal["ingested", "unchanged", "partial", "skipped", "failed", "removed"]


class Word(NamedTuple):
    """One word of a page's text layer (or of its OCR) and its box."""

    text: str
    box: BoundingBox


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBox:
    """A box on one page."""

    page: int
    box: BoundingBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a table's grid; ``row`` and ``column`` count from 0 and name its top left corner."""

    row: int
    column: int
    text: str
    rowspan: int = 1
    colspan: int = 1
    header: bool = False
    page: int | None = None
    box: BoundingBox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One partitioned element, with unstructured's category and field names.

    ``parent_id`` is the heading that an element stands under, or the table or picture that a caption
    belongs to. ``category_depth`` is a heading's level or a list item's nesting, from 0. ``summary`` is what a model
    says of a picture or table: it is searched, never quoted.
    """

    element_id: str
    category: str
    text: str
    page_number: int | None = None
    boxes: tuple[PageBox, ...] = ()
    parent_id: str | None = None
    category_depth: int | None = None
    text_as_html: str | None = None
    image_path: str | None = None
    confidence: float | None = None
    cells: tuple[Cell, ...] = ()
    summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is known of one page: size in points as displayed, how it was read, and its words."""

    page: int
    width: float
    height: float
    rotation: int = 0
    tier: str = "fast"
    reasons: tuple[str, ...] = ()
    ms: float = 0.0
    text_kept: float | None = None
    words: tuple[Word, ...] = ()


class OutlineEntry(NamedTuple):
    """One bookmark of a document's outline: its level from 1, and the page (from 1) that it points to."""

    level: int
    title: str
    page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file's bytes. ``id`` is their sha256; ``member`` names a part of a container, such as an attachment."""

    id: str
    path: Path
    format: str
    size: int
    parent_id: str | None = None
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """All that partitioning a source gives. ``images`` maps ``images/<sha256>.png`` to PNG bytes.

    ``members`` are the parts of a container that are sources of their own: ``(member name, bytes)``. ``unread``
    are groups of pages that are left to tasks of their own, such as those that need OCR: ``partition.read_pages``
    reads a group, ``partition.join`` makes the whole. ``outline`` has the document's own bookmarks. ``left_out`` counts
    pictures that are decoration, by reason.
    """

    elements: tuple[Element, ...]
    pages: tuple[Page, ...] = ()
    images: Mapping[str, bytes] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    members: tuple[tuple[str, bytes], ...] = ()
    unread: tuple[tuple[int, ...], ...] = ()
    outline: tuple[OutlineEntry, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def on(self, pages: Collection[int]) -> Partition:
        """What is on these pages, without images, warnings and members."""
        return Partition(
            elements=tuple(e for e in self.elements if e.page_number in pages),
            pages=tuple(p for p in self.pages if p.page in pages),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorText:
    """A text that is embedded for a chunk, and the side of the chunk it shows (``text``, ``caption``, ``rows``...)."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The parent that is quoted, and the ``vectors`` by which it is found."""

    chunk_id: str
    source_id: str
    index: int
    kind: Kind
    text: str
    title_path: tuple[str, ...] = ()
    page_numbers: tuple[int, ...] = ()
    element_ids: tuple[str, ...] = ()
    boxes: tuple[PageBox, ...] = ()
    text_as_html: str | None = None
    image_path: str | None = None
    vectors: tuple[VectorText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResult:
    """How one source fared in an ingest; the JSON line of ``pincite ingest --json``."""

    path: str
    state: State
    reason: str | None = None
    pages: int | None = None
    elements: Mapping[str, int] = field(default_factory=dict)
    chunks: int = 0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A retrieved chunk, the file it stands in, its score (0 to 1) and the vector that won (``matched``)."""

    chunk: Chunk
    doc: str
    path: str
    score: float
    matched: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRef:
    """A table cell that a citation points at: grid position from 0 and the header texts above it."""

    row: int
    column: int
    header: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a statement stands: ``boxes`` holds a box a line of the quote, ``box`` their union on ``page``.

    ``url`` leads to the words on a web page; ``None`` for files.
    """

    number: int
    citation_id: str
    chunk_id: str
    doc: str
    path: str
    page: int | None
    box: BoundingBox | None
    boxes: tuple[PageBox, ...]
    kind: Kind
    title_path: tuple[str, ...]
    quote: str
    verified: bool
    cell: CellRef | None = None
    image: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An add-on that a question asks for; ``icon`` and ``url`` are addresses, ``rating`` is above 0 and at most 5."""

    name: str
    doc: str
    path: str
    icon: str | None = None
    description: str | None = None
    url: str | None = None
    rating: float | None = None
    reviews: int | None = None
    users: int | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedCell:
    """A table cell that a computation read: the citation it has, its place in the grid, its names and its text."""

    citation: int
    row: int
    column: int
    label: str
    header: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """How a figure was computed from a table: ``expression`` to read, ``value`` in ``unit`` (both empty for a list).

    ``items`` are the rows or columns that answer a "which", best first. ``cells`` are those cited, of ``cell_count``
    that were used.
    """

    operation: str
    expression: str
    value: float | None
    unit: str
    items: tuple[str, ...] = ()
    cells: tuple[ComputedCell, ...] = ()
    cell_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with its citations; ``found`` is false when the documents do not support one.

    ``records`` are the add-ons that were asked for, best first; ``clarify`` is a question back. ``computation`` is how
    a figure was computed from a table. ``full_question`` is what was searched, where a follow-up left something unsaid.
    """

    question: str
    text: str
    found: bool
    model: str
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    notes: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    clarify: str | None = None
    computation: Computation | None = None
    full_question: str | None = None
    timing: Mapping[str, float] = field(default_factory=dict)


def stable_id(*parts: object) -> str:
    """A 32-digit id that depends on the parts alone, so that it is equal in every run."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def union_box(boxes: list[BoundingBox]) -> BoundingBox:
    """The smallest box around one or more boxes."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
