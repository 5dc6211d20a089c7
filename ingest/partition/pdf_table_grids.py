"""A table's cells from a grid of boxes and the page's words, and the elements with such a table in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.partition.pdf_boxes import clipped, middle_y, overlaps
from ingest.partition.pdf_figures import place_of
from ingest.partition.pdf_table_lines import drawn_text, is_numeric
from ingest.partition.pdf_tables import count_header_rows, with_header_spans
from ingest.partition.pdf_words import (
    LABEL_GAP,
    PageText,
    PageWord,
    join_texts,
    join_words,
    lines,
    page_element,
    squeezed,
)
from ingest.tables import cells_to_html, header_rows, table_text
from ingest.types import BoundingBox, Cell, Element, union_box

NAME_GAP = 0.5
"""Heights of a letter between two words of one name, at most."""
SLACK = 2.0
"""Points by which cells of one column may start apart."""
HELD = 0.9
"""Share of a fast table's words that a grid must hold to stand for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table as PyMuPDF draws it: a box for each cell of each row, ``None`` where a wider cell covers the place."""

    box: BoundingBox
    rows: tuple[tuple[BoundingBox | None, ...], ...]
    heads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledGrid:
    """A grid's cells with their texts, and the words, by their indices, that each of them was made of."""

    box: BoundingBox
    cells: tuple[Cell, ...]
    held: tuple[tuple[int, ...], ...]

    @property
    def words(self) -> set[int]:
        """Indices of all words in the cells."""
        return {i for inside in self.held for i in inside}


def with_grids(work: PageText, elements: Sequence[Element], grids: Sequence[Grid]) -> list[Element]:
    """The elements with each grid that is no worse than the fast tables it covers in their place."""
    out = list(elements)
    for grid in grids:
        filled = filled_grid(work, grid)
        if _is_better(work, filled, [e for e in out if e.category == "Table" and overlaps(e.boxes[0].box, grid.box)]):
            out = with_table(work, out, filled)
    return out


def filled_grid(work: PageText, grid: Grid) -> FilledGrid:
    """A grid with the page's words in its cells, and the names of its columns whole."""
    found = list(_cells(work, grid))
    # Spans are told from where the words stand, unless the grid has them from borders that are drawn.
    if all(cell.rowspan == cell.colspan == 1 for cell, _ in found):
        heads = _count_heads([cell for cell, _ in found])
        found = _with_whole_names(
            work, [(replace(cell, header=cell.row < heads), words) for cell, words in found], heads
        )
        at_words = [replace(c, box=_around(work, words)) if c.header else c for c, words in found]
        cells = with_header_spans(at_words, heads)
    else:
        cells = [cell for cell, _ in found]
    return FilledGrid(box=grid.box, cells=tuple(cells), held=tuple(words for _, words in found))


def cell_text(work: PageText, words: Sequence[int]) -> str:
    """The words of a cell in lines from top to bottom as one text; a number that is drawn in pieces is whole."""
    places = {id(work.words[i]): i for i in words}
    text = ""
    for line in lines(work.at(words)):
        text = join_texts(text, drawn_text(work, [places[id(word)] for word in line]))
    return text


def _count_heads(cells: Sequence[Cell]) -> int:
    """The header rows that PyMuPDF saw, or more, as the fast tier counts them."""
    rows = [[cell for cell in cells if cell.row == row] for row in range(max(c.row for c in cells) + 1)]
    seen = sum(row[0].header for row in rows)
    return max(seen, count_header_rows(rows, given=seen > 0))


def _cells(work: PageText, grid: Grid) -> Iterator[tuple[Cell, tuple[int, ...]]]:
    """The cells of a grid, each with its words; a word is in the first cell that has its centre."""
    lefts = [_start(cells, side=0) for cells in zip(*grid.rows, strict=True)]
    tops = [_start(row, side=1) for row in grid.rows]
    held: set[int] = set()
    for r, row in enumerate(grid.rows):
        for c, box in enumerate(row):
            if box is None:
                continue
            inside = tuple(i for i in work.words_in(box, slack=0.0) if i not in held)
            held.update(inside)
            cell = Cell(
                row=r,
                column=c,
                text=cell_text(work, inside),
                rowspan=1 + sum(top < box[3] - SLACK for top in tops[r + 1 :]),
                colspan=1 + sum(left < box[2] - SLACK for left in lefts[c + 1 :]),
                header=r < grid.heads,
                page=work.number,
                box=clipped(box, (work.parsed.width, work.parsed.height)),
            )
            yield cell, inside


def _with_whole_names(
    work: PageText, cells: Iterable[tuple[Cell, tuple[int, ...]]], heads: int
) -> list[tuple[Cell, tuple[int, ...]]]:
    """The cells with each name of columns that a border cuts in two as one cell over both."""
    out: list[tuple[Cell, tuple[int, ...]]] = []
    for cell, inside in cells:
        if cell.row < heads - 1 and out and out[-1][0].row == cell.row and _runs_on(work, out[-1][1], inside):
            left, before = out.pop()
            words = (*before, *inside)
            wide = cell.column + cell.colspan - left.column
            box = union_box([b for b in (left.box, cell.box) if b])
            out.append((replace(left, text=cell_text(work, words), colspan=wide, box=box), words))
        else:
            out.append((cell, inside))
    return out


def _runs_on(work: PageText, left: Sequence[int], right: Sequence[int]) -> bool:
    """Whether the words of two cells stand in one line, no further apart than the words of one name."""
    return any(
        a.box[1] <= middle_y(b.box) <= a.box[3] and b.box[0] - a.box[2] <= NAME_GAP * (a.box[3] - a.box[1])
        for a in work.at(left)
        for b in work.at(right)
    )


def _around(work: PageText, words: Sequence[int]) -> BoundingBox | None:
    return union_box([word.box for word in work.at(words)]) if words else None


def _start(cells: Sequence[BoundingBox | None], *, side: int) -> float:
    """Where a column (side 0) or a row (side 1) of cells starts: the median; infinite where it has no cell."""
    starts = sorted(cell[side] for cell in cells if cell)
    return starts[len(starts) // 2] if starts else float("inf")


def _is_better(work: PageText, filled: FilledGrid, tables: Sequence[Element]) -> bool:
    """Whether a grid holds the words of the fast tables under it, and none of its cells holds two columns of them."""
    if max(c.row + c.rowspan for c in filled.cells) < 2 or max(c.column + c.colspan for c in filled.cells) < 2:
        return False
    if not tables and 2 * sum(map(bool, filled.held)) < len(filled.held):
        return False
    words = filled.words
    # The models read a page as it is displayed, and take lines that run sideways for columns.
    if not words or 2 * sum(word.angle != 0 for word in work.at([*words])) > len(words):
        return False
    if len(tables) == 1 and _is_whole(tables[0]) and words.issubset(work.words_in(tables[0].boxes[0].box)):
        return False
    for box in (filled.box, *(table.boxes[0].box for table in tables)):
        under = work.words_in(box, slack=0.0)
        if len(words.intersection(under)) < HELD * len(under):
            return False
    given = [work.words_in(c.box, slack=0.0) for table in tables for c in table.cells if c.box is not None]
    return torn_lines(work, filled.held) <= torn_lines(work, given)


def _is_whole(table: Element) -> bool:
    """Whether a table of numbers has a header, and no column without text: the models see no more in its words."""
    width = max(c.column + c.colspan for c in table.cells)
    filled = {c.column for c in table.cells if c.text.strip() and c.colspan == 1}
    heads = header_rows(table.cells)
    body = [c for c in table.cells if c.row >= heads and c.column > 0 and c.text.strip()]
    numbers = {c.row for c in body if any(ch.isdigit() for ch in c.text)}
    return is_numeric(table) and heads > 0 and len(filled) >= width - 1 and numbers == {c.row for c in body}


def count_gaps(line: Sequence[PageWord]) -> int:
    """How many neighbours in a line stand so far apart that they are of two columns."""
    return sum(b.box[0] - a.box[2] > LABEL_GAP * (a.box[3] - a.box[1]) for a, b in pairwise(line))


def torn_lines(work: PageText, cells: Sequence[Sequence[int]]) -> int:
    """Wide gaps in the lines of cells: most often two columns that were taken for one."""
    return sum(count_gaps(line) for inside in cells for line in lines(work.at(inside)))


def with_table(work: PageText, elements: Sequence[Element], filled: FilledGrid) -> list[Element]:
    """The elements with a table in place of all that said its words; what else they said stays."""
    words = filled.words
    out: list[Element] = []
    place: int | None = None
    for element in elements:
        kept = _without(work, element, words)
        if kept is not element and place is None:
            place = len(out)
        out += [kept] if kept is not None else []
    box = union_box([filled.box, *(work.words[i].box for i in words)])
    table = page_element(work.number, "Table", table_text(filled.cells), box)
    table = replace(table, cells=filled.cells, text_as_html=cells_to_html(filled.cells))
    out.insert(place_of(box, out) if place is None else place, table)
    return out


def _without(work: PageText, element: Element, words: set[int]) -> Element | None:
    """An element without those of its words that a grid holds; itself if it says none of them, ``None`` if no other."""
    own = [i for i in work.words_in(element.boxes[0].box) if not work.words[i].angle]
    said = squeezed(element.text)
    rest = [i for i in own if i not in words]
    if element.category == "Image" or len(rest) == len(own) or not _says(work, said, [i for i in own if i in words]):
        return element
    if not rest or not _says(work, said, rest):
        return None
    if element.category != "Table" and len(said) != sum(len(squeezed(word.text)) for word in work.at(own)):
        # Words of another element stand in this one's box: what it says twice is better than what it loses.
        return element
    category = "UncategorizedText" if element.category == "Table" else element.category
    left = work.at(rest)
    depth = element.category_depth
    return page_element(work.number, category, join_words(left), union_box([w.box for w in left]), depth)


def _says(work: PageText, said: str, words: Sequence[int]) -> bool:
    """Whether a text (letters and digits alone) has most of the letters of these words, word by word."""
    letters = [squeezed(word.text) for word in work.at(words)]
    return 2 * sum(len(word) for word in letters if word in said) > sum(map(len, letters))
