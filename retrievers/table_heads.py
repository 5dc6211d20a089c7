"""The header of a table's grid: how many rows it has, and what stands over each column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ingest.tables import header_rows, is_number
from ingest.types import Cell
from retrievers.table_values import read_amount
from retrievers.table_words import words_of

_PART = re.compile(r"[HQhq][1-4]")
_YEAR_PART = re.compile(r"(?P<year>(?:FY ?)?(?:19|20)\d\d(?:/\d\d)?) [HQhq][1-4]")

Grid = list[list[str]]
"""The texts of a table, a list a row."""


def texts_of(cells: Sequence[Cell]) -> Grid:
    """The texts of the rows that have cells; a spanning cell's text at each place that it covers."""
    numbers = {row: n for n, row in enumerate(sorted({c.row for c in cells}))}
    width = max((c.column + c.colspan for c in cells), default=0)
    dense = [[""] * width for _ in numbers]
    for cell in cells:
        text = " ".join(cell.text.split())
        if cell.rowspan == cell.colspan == 1:
            dense[numbers[cell.row]][cell.column] = text
        else:
            for row in range(cell.row, cell.row + cell.rowspan):
                if row in numbers:
                    dense[numbers[row]][cell.column : cell.column + cell.colspan] = [text] * cell.colspan
    return dense


def header_count(cells: Sequence[Cell], grid: Grid) -> int:
    """How many rows are header; where none is marked, the first one if it names columns of numbers."""
    head = header_rows(cells)
    if head == 0 and len(grid) > 2:
        first = [text for text in grid[0] if text]
        below = [row[n] for row in grid[1:] for n in range(1, len(row)) if row[n]]
        names = sum(not is_number(text) or words_of(text)[:1] == (text,) for text in first)
        head = int(names == len(first) > 1 and any(map(is_number, below)))
    count = sum(row < head for row in sorted({c.row for c in cells}))
    spanned = any(c.colspan > 1 and c.row < head for c in cells)
    while spanned and count and count + 1 < len(grid) and _names_parts(grid[count]):
        count += 1
    while count > 1 and _is_of_amounts(grid[count - 1]):
        count -= 1
    return count


def carried(header: Grid) -> Grid:
    """A header in which what stands once over several columns stands over each of them.

    A year that is printed but with the first of its parts ("2023 H1", "H2") holds for the others; a name in an upper
    row holds for the columns to its right without one, where names of the lowest row are repeated, as of parts.
    """
    *upper, lowest = header
    if len(set(filter(None, lowest))) < len(list(filter(None, lowest))):
        upper = [_filled(row, lowest) for row in upper]
    year = ""
    named = []
    for text in lowest:
        m = _YEAR_PART.fullmatch(text)
        year = m["year"] if m else year if _PART.fullmatch(text) else ""
        named.append(f"{year} {text}" if year and not m else text)
    return [*upper, named]


def _filled(row: Sequence[str], lowest: Sequence[str]) -> list[str]:
    filled = list(row)
    for n in range(2, len(filled)):
        filled[n] = filled[n] or (filled[n - 1] if lowest[n] and lowest[n - 1] else "")
    return filled


def _is_of_amounts(row: Sequence[str]) -> bool:
    """Whether a row that is marked as header is one of the body: a name, and amounts with a sign or decimals."""
    rest = [text for text in row[1:] if text]
    told = sum(re.search(r"[$\u20ac\u00a3\u00a5%,.()]", text) is not None for text in rest)
    return bool(row[0] and told) and all(read_amount(text) is not None for text in rest)


def _names_parts(row: Sequence[str]) -> bool:
    """Whether a row below a header that spans columns names their parts: nothing in its first cell, and no amounts."""
    rest = [text for text in row[1:] if text]
    return not row[0] and len(rest) > 1 and all(is_year_text(text) or read_amount(text) is None for text in rest)


@lru_cache(maxsize=4096)
def is_year_text(text: str) -> bool:
    """Whether a text is a year, a financial year or two years joined, and nothing else."""
    return re.fullmatch(r"(?:FY\s?)?(?:19|20)\d\d(?:[/\u2013-]\d{2,4})?\W?", text) is not None
