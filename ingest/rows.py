"""Types to and from the rows of the library: JSON columns, packed words, and paths of any bytes."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ingest.tables import safe_html
from ingest.types import Cell, Chunk, Element, Page, PageBox, VectorText, Word

StoredPath = str | bytes
"""A path in SQLite: text, or bytes where the name is not UTF-8."""
HUNDREDTHS = 100
"""Words are kept to a hundredth of a point."""
FARTHEST = 500_000_000
"""In hundredths of a point: the differences of what is nearer fit into four bytes."""
COMPRESSION = 4
"""Of zlib: what higher levels save on words is less than a tenth."""
_COLUMNS = b"\x01"
"""How words begin that are packed as columns; up to schema 2 they were JSON."""
_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def stored_path(path: Path | str) -> StoredPath:
    """A path as SQLite can hold it."""
    raw = os.fsencode(path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def path_text(stored: StoredPath) -> str:
    """The file-system path of a stored one."""
    return os.fsdecode(stored)


def shown_path(path: str) -> str:
    """A path that can be printed and put in JSON: bytes that are no UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def page_row(source_id: str, page: Page) -> tuple[Any, ...]:
    """The row of a page; its words are packed."""
    return (
        source_id,
        page.page,
        page.width,
        page.height,
        page.rotation,
        page.tier,
        _JSON(page.reasons),
        page.ms,
        page.text_kept,
        pack_words(page.words),
    )


def page_of(row: sqlite3.Row) -> Page:
    """The page of a row."""
    return Page(
        page=row["page"],
        width=row["width"],
        height=row["height"],
        rotation=row["rotation"],
        tier=row["tier"],
        reasons=tuple(json.loads(row["reasons"])),
        ms=row["ms"],
        text_kept=row["text_kept"],
        words=unpack_words(row["words"]),
    )


def pack_words(words: Sequence[Word]) -> bytes:
    """Words, compressed: their number, their boxes to a hundredth of a point, their texts as JSON.

    A box is the change of its corner from that of the word before, and its size, as columns: most are alike.
    """
    import numpy as np

    flat = np.fromiter(chain.from_iterable(word.box for word in words), dtype=np.float64, count=4 * len(words))
    boxes = np.rint(np.nan_to_num(flat) * HUNDREDTHS).clip(-FARTHEST, FARTHEST).astype("<i4").reshape(-1, 4)
    boxes[:, 2:] -= boxes[:, :2]
    boxes[1:, :2] -= boxes[:-1, :2].copy()
    texts = _JSON([word.text for word in words]).encode("utf-8", "surrogatepass")
    return zlib.compress(_COLUMNS + len(words).to_bytes(4, "little") + boxes.T.tobytes() + texts, COMPRESSION)


def unpack_words(packed: bytes) -> tuple[Word, ...]:
    """The words of ``pack_words``."""
    raw = zlib.decompress(packed)
    return _unpack_columns(raw[1:]) if raw[:1] == _COLUMNS else _unpack_rows(raw)


def _unpack_columns(raw: bytes) -> tuple[Word, ...]:
    import numpy as np

    count = int.from_bytes(raw[:4], "little")
    boxes = np.frombuffer(raw, "<i4", 4 * count, 4).reshape(4, -1).T.copy()
    boxes[:, :2] = boxes[:, :2].cumsum(axis=0)
    boxes[:, 2:] += boxes[:, :2]
    texts = json.loads(raw[4 + 16 * count :].decode("utf-8", "surrogatepass"))
    return tuple(map(Word, texts, map(tuple, (boxes / HUNDREDTHS).tolist())))


def _unpack_rows(raw: bytes) -> tuple[Word, ...]:
    """The words as they were packed up to schema 2: a JSON list of text and box a word."""
    rows = json.loads(raw.decode("utf-8", "surrogatepass"))
    return tuple(Word(text, (x0, y0, x1, y1)) for text, x0, y0, x1, y1 in rows)


def element_row(source_id: str, index: int, element: Element) -> tuple[Any, ...]:
    """The row of an element."""
    return (
        source_id,
        index,
        element.element_id,
        element.category,
        element.text,
        element.page_number,
        dump_boxes(element.boxes),
        element.parent_id,
        element.category_depth,
        safe_html(element.text_as_html) if element.text_as_html else None,
        element.image_path,
        element.confidence,
        _dump_cells(element.cells),
        element.summary,
    )


def element_of(row: sqlite3.Row) -> Element:
    """The element of a row."""
    return Element(
        element_id=row["element_id"],
        category=row["category"],
        text=row["text"],
        page_number=row["page_number"],
        boxes=load_boxes(row["boxes"]),
        parent_id=row["parent_id"],
        category_depth=row["category_depth"],
        text_as_html=row["text_as_html"],
        image_path=row["image_path"],
        confidence=row["confidence"],
        cells=_load_cells(row["cells"]),
        summary=row["summary"],
    )


def chunk_row(chunk: Chunk) -> tuple[Any, ...]:
    """The row of a chunk, without its vectors."""
    return (
        chunk.chunk_id,
        chunk.source_id,
        chunk.index,
        chunk.kind,
        chunk.text,
        _JSON(chunk.title_path),
        _JSON(chunk.page_numbers),
        _JSON(chunk.element_ids),
        dump_boxes(chunk.boxes),
        safe_html(chunk.text_as_html) if chunk.text_as_html else None,
        chunk.image_path,
    )


def chunk_of(row: sqlite3.Row, vectors: Sequence[VectorText] = ()) -> Chunk:
    """The chunk of a row."""
    return Chunk(
        chunk_id=row["chunk_id"],
        source_id=row["source_id"],
        index=row["idx"],
        kind=row["kind"],
        text=row["text"],
        title_path=tuple(json.loads(row["title_path"])),
        page_numbers=tuple(json.loads(row["page_numbers"])),
        element_ids=tuple(json.loads(row["element_ids"])),
        boxes=load_boxes(row["boxes"]),
        text_as_html=row["text_as_html"],
        image_path=row["image_path"],
        vectors=tuple(vectors),
    )


def dump_boxes(boxes: Sequence[PageBox]) -> str:
    """Boxes as JSON ``[[page, x0, y0, x1, y1], ...]``, rounded to a hundredth of a point."""
    return _JSON([[b.page, *(round(v, 2) for v in b.box)] for b in boxes])


def load_boxes(text: str) -> tuple[PageBox, ...]:
    """The boxes of ``dump_boxes``."""
    return tuple(PageBox(page=page, box=(x0, y0, x1, y1)) for page, x0, y0, x1, y1 in json.loads(text))


def _dump_cells(cells: Sequence[Cell]) -> str | None:
    if not cells:
        return None
    rows = [[c.row, c.column, c.text, c.rowspan, c.colspan, c.header, c.page, c.box] for c in cells]
    return _JSON(rows)


def _load_cells(text: str | None) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            row=row,
            column=column,
            text=cell,
            rowspan=rowspan,
            colspan=colspan,
            header=header,
            page=page,
            box=tuple(box) if box else None,
        )
        for row, column, cell, rowspan, colspan, header, page, box in json.loads(text or "[]")
    )
