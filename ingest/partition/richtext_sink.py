"""Where the text of a rich text file goes: paragraphs, rows and cells as they end, tables when they end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingest.partition.flow import Block, Placed, place_between_edges
from ingest.partition.header_rows import first_row_heads, with_header_rows

MAX_LEVEL = 20
"""Tables inside of tables."""
NEAR = 30
"""Twips between the edges of cells that are meant to be one."""

_HEADING = re.compile(r"heading (\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What holds for a paragraph; ``level`` counts the tables around it, ``depth`` is a heading's level, from 0."""

    style: str = ""
    level: int = 0
    depth: int | None = None
    item: bool = False
    nesting: int = 0


@dataclass(slots=True, kw_only=True)
class _CellForm:
    """How a cell of the row that is being read is merged, and its right edge in twips."""

    edge: int = 0
    continues_left: bool = False
    continues_above: bool = False


@dataclass(slots=True, kw_only=True)
class _RowForm:
    """How the row that is being read is divided."""

    cells: list[_CellForm] = field(default_factory=list)
    left: int = 0
    heads: bool = False
    next: _CellForm = field(default_factory=_CellForm)


@dataclass(slots=True, kw_only=True)
class _Table:
    """A table that is being read: its finished rows, the finished cells of its last row, the last cell's blocks."""

    rows: list[tuple[_RowForm, list[list[Block]]]] = field(default_factory=list)
    cells: list[list[Block]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


class Sink:
    """Takes the words and texts of the body, a note or a box, and has the blocks in the end."""

    def __init__(self, *, kind: str) -> None:
        self.kind = kind
        self._blocks: list[Block] = []
        self._tables: list[_Table] = []
        self._form = _Form()
        self._row = _RowForm()
        self._nested_row = _RowForm()
        self._pieces: list[tuple[str, bool, float]] = []
        self._label = ""
        self._before: list[Block] = []
        self._after: list[Block] = []

    def finish(self) -> list[Block]:
        """All blocks, once the text has ended."""
        self._end_paragraph()
        self._close_tables(0)
        return self._blocks

    # What is found.

    def text(self, text: str, *, bold: bool, size: float) -> None:
        """A piece of the paragraph's text; size in points."""
        self._pieces.append((text, bold, size))

    def label(self, text: str) -> None:
        """A piece of the number or bullet of the list item that the paragraph is."""
        self._label += text
        self._form = replace(self._form, item=True)

    def picture(self, key: str, alt: str) -> None:
        """A picture in the paragraph, and what it shows by its author."""
        place = self._after if any(text.strip() for text, _, _ in self._pieces) else self._before
        place.append(Block(category="Image", text=" ".join(alt.split()), image_path=key))

    def describe(self, text: str) -> None:
        """What the last picture shows, by its author."""
        for place in (self._after, self._before):
            if place and place[-1].category == "Image":
                place[-1] = replace(place[-1], text=" ".join(text.split()))
                return

    def after(self, block: Block) -> None:
        """A note or the block of a box that belongs to the paragraph."""
        self._after.append(block)

    def word(self, word: str, value: int | None, styles: dict[int, str], *, nested: bool) -> None:
        """A control word of paragraphs and tables."""
        row = self._nested_row if nested else self._row
        if word in ("par", "sect"):
            self._end_paragraph()
        elif word in ("cell", "nestcell"):
            self._end_cell(1 if word == "cell" else max(self._form.level, 2))
        elif word in ("row", "nestrow"):
            self._end_row(1 if word == "row" else max(self._form.level, 2))
        elif word == "pard":
            self._form = _Form()
        elif word == "s":
            self._form = replace(self._form, style=styles.get(value or 0, ""))
        elif word in _PARAGRAPH:
            self._form = replace(self._form, **_paragraph_change(word, value, self._form))  # type: ignore[arg-type]
        elif word == "trowd":
            made = _RowForm()
            self._row, self._nested_row = (self._row, made) if nested else (made, self._nested_row)
        else:
            _divide(row, word, value)

    # What ends.

    def _end_paragraph(self) -> None:
        block = self._paragraph()
        found = [*self._before, *([block] if block else []), *self._after]
        self._pieces, self._label, self._before, self._after = [], "", [], []
        if found:
            self._close_tables(self._form.level)
            self._place(self._form.level).extend(found)

    def _paragraph(self) -> Block | None:
        written = "".join(text for text, _, _ in self._pieces)
        text = " ".join(written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").split())
        if not text:
            return None
        shown = [(bold, size) for piece, bold, size in self._pieces if piece.strip()]
        label = " ".join(self._label.split())
        if any(map(str.isdigit, label)) or (len(label) > 1 and any(map(str.isalpha, label))):
            text = f"{label} {text}"
        block = Block(
            category="NarrativeText",
            text=text,
            bold=all(bold for bold, _ in shown),
            size=max((size for _, size in shown), default=None),
        )
        return self._styled(block)

    def _styled(self, block: Block) -> Block:
        """A paragraph as what its style or its form says."""
        form = self._form
        heading = _HEADING.match(form.style)
        depth = int(heading[1]) - 1 if heading else form.depth
        if depth is None and form.style in ("title", "subtitle"):
            depth = int(form.style == "subtitle")
        if depth is not None:
            return replace(block, category="Title", depth=max(depth, 0))
        if form.style == "caption":
            return replace(block, category="FigureCaption")
        if form.item:
            return replace(block, category="ListItem", depth=form.nesting)
        return block

    def _place(self, level: int) -> list[Block]:
        """The blocks of the cell that is open at a level of tables; those of the text at level 0."""
        while len(self._tables) < level:
            self._tables.append(_Table())
        return self._tables[level - 1].blocks if level else self._blocks

    def _close_tables(self, level: int) -> None:
        """End the tables that are nested deeper than a level, each into the cell around it."""
        while len(self._tables) > level:
            table = self._tables.pop()
            if table.cells or table.blocks:
                table.rows.append((_RowForm(), [*table.cells, *([table.blocks] if table.blocks else [])]))
            self._place(len(self._tables)).extend(_table_blocks(table))

    def _end_cell(self, level: int) -> None:
        level = min(level, MAX_LEVEL)
        self._form = replace(self._form, level=level)
        self._end_paragraph()
        self._close_tables(level)
        self._place(level)
        table = self._tables[level - 1]
        table.cells.append(table.blocks)
        table.blocks = []

    def _end_row(self, level: int) -> None:
        level = min(level, MAX_LEVEL)
        self._close_tables(level)
        self._place(level)
        table = self._tables[level - 1]
        form = self._row if level == 1 else self._nested_row
        if table.cells:
            table.rows.append((replace(form), table.cells))
            table.cells = []


_PARAGRAPH = frozenset({"intbl", "itap", "outlinelevel", "ls", "ilvl"})


def _paragraph_change(word: str, value: int | None, form: _Form) -> dict[str, object]:
    if word in ("intbl", "itap"):
        level = max(form.level, 1) if word == "intbl" else max(min(value or 0, MAX_LEVEL), 0)
        return {"level": level}
    if word == "outlinelevel":
        return {"depth": value if value is not None and 0 <= value < 9 else None}
    if word == "ls":
        return {"item": bool(value)}
    return {"nesting": max(min(value or 0, 8), 0)}


def _divide(row: _RowForm, word: str, value: int | None) -> None:
    """A word that says how a row is divided into cells."""
    if word == "cellx":
        row.next.edge = value or 0
        row.cells.append(row.next)
        row.next = _CellForm()
    elif word == "trleft":
        row.left = value or 0
    elif word == "trhdr":
        row.heads = True
    elif word == "clmrg":
        row.next.continues_left = True
    elif word == "clvmrg":
        row.next.continues_above = True


# Tables.


def _table_blocks(table: _Table) -> Iterator[Block]:
    """A table, then what else stands in its cells: pictures and tables. One of a single cell only frames its blocks."""
    if len(table.rows) == 1 and len(table.rows[0][1]) == 1:
        yield from table.rows[0][1][0]
        return
    edges = _edges(table)
    cells = place_between_edges([list(_placed(r, form, row, edges)) for r, (form, row) in enumerate(table.rows)])
    heads = [form.heads for form, _ in table.rows]
    head = heads.index(False) if False in heads else len(heads)
    cells = with_header_rows(cells, head or int(first_row_heads(cells, is_styled=_is_bold_over_plain(table))))
    if any(cell.text for cell in cells):
        yield Block(category="Table", cells=cells)
    for _, row in table.rows:
        yield from (b for blocks in row for b in blocks if b.cells or b.category == "Image")


def _edges(table: _Table) -> dict[int, int]:
    """The edge that each edge of a cell counts as: those that lie together are one."""
    found = sorted({e for form, _ in table.rows for e in (form.left, *(c.edge for c in form.cells))})
    meant: dict[int, int] = {}
    start: int | None = None
    for edge in found:
        if start is None or edge - start > NEAR:
            start = edge
        meant[edge] = start
    return meant


def _placed(
    number: int, form: _RowForm, row: Sequence[list[Block]], edges: dict[int, int]
) -> Iterator[tuple[Placed, bool]]:
    at = edges.get(form.left, form.left)
    made: list[tuple[Placed, bool]] = []
    for i, blocks in enumerate(row):
        own = form.cells[i] if i < len(form.cells) else _CellForm(edge=at + 1)
        end = max(edges.get(own.edge, own.edge), at + 1)
        if own.continues_left and made:
            made[-1][0].end = end
        else:
            made.append((Placed(row=number, start=at, end=end, text=_cell_text(blocks)), own.continues_above))
        at = end
    yield from made


def _cell_text(blocks: Sequence[Block]) -> str:
    lines = (" ".join(b.text.split()) for b in blocks if not b.cells and b.category != "Image")
    return "\n".join(line for line in lines if line)


def _is_bold_over_plain(table: _Table) -> bool:
    first, *others = [[b.bold for blocks in row for b in blocks if b.text] for _, row in table.rows] or [[]]
    return bool(first) and all(first) and any(not all(row) for row in others)
