"""Documents that flow: blocks in reading order, as the readers of open and rich text find them, become elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.partition.captions import caption_owners, unmarked_captions
from ingest.partition.emphasis import Line, inferred_depths
from ingest.partition.headings import nest_under_headings
from ingest.tables import cells_to_html, table_text
from ingest.types import Cell, Element, stable_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, list item, table or picture before it is an element; ``size`` in points, ``page`` from 1.

    ``depth`` is a heading's level or a list item's nesting, from 0. ``is_plain`` is false for what its document marks
    as no heading, such as a note.
    """

    category: str
    text: str = ""
    depth: int | None = None
    bold: bool = False
    size: float | None = None
    page: int | None = None
    cells: tuple[Cell, ...] = ()
    image_path: str | None = None
    is_plain: bool = True


FURNITURE = ("Header", "Footer", "PageNumber")


def flow_elements(blocks: Sequence[Block], source_id: str) -> tuple[Element, ...]:
    """The elements of blocks: with headings and captions that only their looks and words tell, ids and parents."""
    kept = _with_captions(_with_headings([b for b in blocks if b.text.strip() or b.cells or b.image_path]))
    ids = [stable_id(source_id, i, b.category, _text(b)) for i, b in enumerate(kept)]
    owners = caption_owners([(b.category, b.text) for b in kept])
    made = [_element(block, ids[i], ids[owners[i]] if i in owners else None) for i, block in enumerate(kept)]
    return tuple(nest_under_headings(made))


def _with_headings(blocks: Sequence[Block]) -> list[Block]:
    shown = [b for b in blocks if b.category not in (*FURNITURE, "FigureCaption")]
    depths = {id(shown[i]): depth for i, depth in inferred_depths([_line(b) for b in shown]).items()}
    return [replace(b, category="Title", depth=depths[id(b)]) if id(b) in depths else b for b in blocks]


def _line(block: Block) -> Line:
    return Line(
        text=block.text,
        depth=(block.depth or 0) if block.category == "Title" else None,
        is_text=block.is_plain and block.category in ("NarrativeText", "ListItem", "Title"),
        is_item=block.category == "ListItem",
        bold=block.bold,
        size=block.size,
    )


def _with_captions(blocks: Sequence[Block]) -> list[Block]:
    captions = unmarked_captions([(b.category, b.text) for b in blocks])
    return [replace(b, category="FigureCaption", depth=None) if i in captions else b for i, b in enumerate(blocks)]


def _text(block: Block) -> str:
    return table_text(block.cells) if block.cells else " ".join(block.text.split())


def _element(block: Block, element_id: str, owner: str | None) -> Element:
    keeps_depth = block.category in ("Title", "ListItem")
    return Element(
        element_id=element_id,
        category=block.category,
        text=_text(block),
        page_number=block.page,
        parent_id=owner,
        category_depth=(block.depth or 0) if keeps_depth else None,
        text_as_html=cells_to_html(block.cells) if block.cells else None,
        image_path=block.image_path,
        cells=block.cells,
    )


# Tables.


@dataclass(slots=True, kw_only=True)
class Slot:
    """One cell as written in a row, before it has a place in the grid. A ``covered`` one is a part of another."""

    text: str = ""
    colspan: int = 1
    rowspan: int = 1
    header: bool = False
    covered: bool = False


def place_slots(rows: Sequence[Sequence[Slot]]) -> tuple[Cell, ...]:
    """The cells of rows whose slots stand at their columns.

    Empty rows and slots at the ends do not count. Spans end at the edge of the grid and at cells with text, so that no
    text is lost.
    """
    height = max((r + 1 for r, row in enumerate(rows) if any(slot.text for slot in row)), default=0)
    width = max((c + 1 for row in rows for c, slot in enumerate(row) if slot.text or slot.covered), default=0)
    taken: set[tuple[int, int]] = set()
    cells: list[Cell] = []
    for r, row in enumerate(rows[:height]):
        for c, slot in enumerate(row[:width]):
            if slot.covered or (r, c) in taken:
                continue
            wanted = max(1, min(slot.colspan, width - c))
            colspan = next((n for n in range(1, wanted) if (r, c + n) in taken or _is_filled(row, c + n)), wanted)
            columns = range(c, c + colspan)
            wanted = max(1, min(slot.rowspan, height - r))
            rowspan = next((n for n in range(1, wanted) if any(_is_filled(rows[r + n], i) for i in columns)), wanted)
            taken.update((r + i, j) for i in range(rowspan) for j in columns)
            cells.append(Cell(row=r, column=c, text=slot.text, rowspan=rowspan, colspan=colspan, header=slot.header))
    return tuple(cells)


def _is_filled(row: Sequence[Slot], column: int) -> bool:
    return column < len(row) and not row[column].covered and bool(row[column].text)


@dataclass(slots=True)
class Placed:
    """A cell between two edges of its table, which may be distances or count millions of columns."""

    row: int
    start: int
    end: int
    text: str
    rowspan: int = 1


def place_between_edges(rows: Sequence[Sequence[tuple[Placed, bool]]]) -> tuple[Cell, ...]:
    """The cells of rows of placed ones, each with whether it continues the one above that has the same edges.

    Columns in which no cell begins or ends do not count, so that absurd spans cost nothing.
    """
    placed: list[Placed] = []
    above: dict[int, Placed] = {}
    for row in rows:
        current: dict[int, Placed] = {}
        for cell, continues in row:
            start = above.get(cell.start)
            if continues and start is not None and start.end == cell.end:
                start.rowspan += 1
            else:
                start = cell
                placed.append(cell)
            current[cell.start] = start
        above = current
    edges = {c.start for c in placed} | {c.end for c in placed}
    columns = {edge: i for i, edge in enumerate(sorted(edges))}
    return tuple(
        Cell(
            row=c.row,
            column=columns[c.start],
            text=c.text,
            rowspan=c.rowspan,
            colspan=columns[c.end] - columns[c.start],
        )
        for c in placed
    )
