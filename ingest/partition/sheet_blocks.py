"""Where the tables of a sheet lie: blocks that empty rows and columns part, their titles, headers and notes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ingest.partition.sheet_grid import Grid, Line, Merge, Value

TITLE_CHARACTERS = 150
"""Longest line above a table that is taken for its title."""
NOTE_CHARACTERS = 40
"""A line below a table with one cell of at least this length is a note on it."""
HEADER_CHARACTERS = 80
"""Longest text of a header cell in a table of texts alone, where nothing else tells header from body."""
LETTERHEAD_LINES = 6
"""Lines of text above the first table of a sheet that are no list."""
MAX_HEADER = 6
SAMPLE = 200
"""Rows by which the columns of a table are typed."""

_NOTE = re.compile(r"(?:notes?|sources?|remarks?|footnotes?)\b|[*†‡]|\(?\d\)", re.IGNORECASE)
_MARKED_NOTE = re.compile(r"[*†‡]|(?:notes?|sources?|remarks?|footnotes?)\s*:", re.IGNORECASE)
_UNIT = re.compile(r"\(.{1,30}\)|\[.{1,30}\]|%|[$€£¥]|(?:in )?(?:thousands|millions|EUR|USD|GBP|CHF)", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Block:
    """Lines that belong together: the ``titles`` above, the rows of a table, of which ``header`` lead, and ``notes``.

    ``row`` and ``column`` are the sheet's for the table's first cell, from 0; ``width`` counts the columns from there
    to its last one. They are found once: a long table is asked for them at each group of its rows.
    """

    lines: list[Line]
    merges: list[Merge] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    header: int = 0
    row: int = field(init=False, default=0)
    column: int = field(init=False, default=0)
    width: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.lines:
            self.row = self.lines[0][0]
            self.column = min(values[0].column for _, values in self.lines)
            self.width = 1 + max(values[-1].column for _, values in self.lines) - self.column

    @property
    def is_table(self) -> bool:
        """Whether it has rows of more than one cell, or enough short ones to be a list."""
        if len(self.lines) < 2:
            return bool(self.lines) and len(self.lines[0][1]) > 1
        if any(len(values) > 1 for _, values in self.lines):
            return True
        return len(self.lines) > 2 and all(len(v[0].text) <= HEADER_CHARACTERS for _, v in self.lines)


def find_blocks(grid: Grid) -> list[Block]:
    """The blocks of a sheet from top to bottom, those beside each other from left to right."""
    merges = {(m.row, m.column): m for m in grid.merges}
    blocks: list[Block] = []
    for band in _bands(_without_covered(grid), merges):
        for part in _columns_parted(band, merges) if grid.has_blocks else [band]:
            for inner in _bands(part, merges):
                block = _read(inner, merges)
                if blocks and _goes_on(blocks[-1], block):
                    last = blocks[-1]
                    blocks[-1] = replace(
                        last, lines=last.lines + block.lines, merges=last.merges + block.merges, notes=block.notes
                    )
                else:
                    blocks.append(block)
    return _with_lone_titles(blocks)


def _without_covered(grid: Grid) -> list[Line]:
    """The lines without what lies below a merged cell, which no one sees."""
    spans = [m for m in grid.merges if m.rowspan * m.colspan > 1]
    if not spans:
        return grid.lines
    by_row: dict[int, list[Merge]] = {}
    rows = {row for row, _ in grid.lines}
    for merge in spans:
        inside = range(merge.row, merge.row + merge.rowspan)
        for row in inside if merge.rowspan <= len(rows) else rows & set(inside):
            by_row.setdefault(row, []).append(merge)
    lines: list[Line] = []
    for row, values in grid.lines:
        over = by_row.get(row, ())
        kept = [v for v in values if not any(_covers(m, row, v.column) for m in over)]
        if kept:
            lines.append((row, kept))
    return lines


def _covers(merge: Merge, row: int, column: int) -> bool:
    inside = merge.column <= column < merge.column + merge.colspan
    return inside and (row, column) != (merge.row, merge.column)


Merges = dict[tuple[int, int], Merge]


def _bands(lines: Sequence[Line], merges: Merges) -> list[list[Line]]:
    """Runs of lines without an empty row between them."""
    bands: list[list[Line]] = []
    reach = -1
    for row, values in lines:
        if row <= reach and bands:
            bands[-1].append((row, values))
        else:
            bands.append([(row, values)])
        ends = [m.row + m.rowspan for v in values if (m := merges.get((row, v.column))) is not None]
        reach = max(reach, row + 1, *ends)
    return bands


def _columns_parted(band: Sequence[Line], merges: Merges) -> list[list[Line]]:
    """The tables that stand beside each other in a band."""
    segments = _segments(band, merges)
    if len(segments) == 1 or len(band) == 1:
        return [list(band)]
    parts: list[tuple[int, int]] = []
    for start, end in segments:
        gap = start - parts[-1][1] if parts else 0
        if parts and not (_stands_alone(_cut(band, start, end), gap) and _stands_alone(_cut(band, *parts[-1]), gap)):
            parts[-1] = parts[-1][0], end
        else:
            parts.append((start, end))
    return [_cut(band, start, end) for start, end in parts]


def _segments(band: Sequence[Line], merges: Merges) -> list[tuple[int, int]]:
    """Runs of columns that hold something, start and end."""
    spans: set[tuple[int, int]] = set()
    for row, values in band:
        for value in values:
            merge = merges.get((row, value.column)) if merges else None
            spans.add((value.column, value.column + (merge.colspan if merge else 1)))
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _cut(band: Sequence[Line], start: int, end: int) -> list[Line]:
    cut = ((row, [v for v in values if start <= v.column < end]) for row, values in band)
    return [(row, values) for row, values in cut if values]


def _stands_alone(lines: Sequence[Line], gap: int) -> bool:
    """Whether a segment is a table or text of its own, and no group of a table's columns behind a spacer.

    A table of its own has a first column that names its rows; a note is a single cell.
    """
    if len(lines) == 1 and len(lines[0][1]) == 1:
        return True
    columns = {value.column for _, values in lines for value in values}
    if len(columns) < 2:
        return gap > 1
    first = min(columns)
    labels = [v for _, values in lines[1 : SAMPLE + 1] for v in values if v.column == first]
    return gap > 1 or 2 * sum(v.kind in ("text", "date") for v in labels) > len(labels) > 0


# What a block is made of.


def _read(lines: list[Line], merges: Merges) -> Block:
    """A block with its titles, header and notes told apart."""
    lines = list(lines)
    titles: list[str] = []
    while len(lines) > 1 and _is_title(lines, merges):
        titles.append(lines.pop(0)[1][0].text)
    notes: list[str] = []
    while len(lines) > 2 and _is_note(lines):
        notes.insert(0, lines.pop()[1][0].text)
    own = [m for row, values in lines for v in values if (m := merges.get((row, v.column))) is not None]
    return Block(lines=lines, merges=own, titles=titles, notes=notes, header=header_rows(lines, merges))


def _is_title(lines: Sequence[Line], merges: Merges) -> bool:
    """Whether the first line is one text above a table, and no group header of some of its columns."""
    row, values = lines[0]
    rest = [line for line in lines[1:] if len(line[1]) > 1]
    if len(values) != 1 or values[0].kind != "text" or not rest:
        return False
    left, right = min(v[0].column for _, v in rest), max(v[-1].column for _, v in rest)
    merge = merges.get((row, values[0].column))
    if merge is None:
        return values[0].column <= left or len(lines[1][1]) == 1 or lines[1][1][0].column == left
    return merge.column <= left or merge.column + merge.colspan > right + 1


def _is_note(lines: Sequence[Line]) -> bool:
    values = lines[-1][1]
    if len(values) != 1 or values[0].kind != "text" or not any(len(v) > 1 for _, v in lines[:-1]):
        return False
    first = min(v[0].column for _, v in lines[:-1])
    text = values[0].text
    return values[0].column == first and (len(text) >= NOTE_CHARACTERS or _NOTE.match(text) is not None)


def header_rows(lines: Sequence[Line], merges: Merges) -> int:
    """How many rows lead a table as its header: texts, or years and days in order, above columns of other values."""
    if len(lines) < 2:
        return 0
    typed = _typed_columns(lines[1 : SAMPLE + 1])
    if not typed:
        return _text_header(lines, merges)
    count = 0
    while count < min(len(lines) - 1, MAX_HEADER) and _may_head(lines[count][1], typed):
        if count and not _continues(lines, count, merges):
            break
        count += 1
    return count


def _typed_columns(lines: Sequence[Line]) -> set[int]:
    """The columns of which at least half of the cells are no texts."""
    filled: dict[int, list[int]] = {}
    for _, values in lines:
        for value in values:
            counts = filled.setdefault(value.column, [0, 0])
            counts[0] += 1
            counts[1] += value.kind != "text"
    return {column for column, (total, other) in filled.items() if 2 * other >= total}


def _may_head(values: Sequence[Value], typed: set[int]) -> bool:
    """Whether a row has no value where the columns have theirs, or names periods in order."""
    other = [v for v in values if v.kind != "text"]
    if not any(v.column in typed for v in other):
        return len(values) > 1 or values[0].column not in typed or values[0].kind == "text"
    return _are_periods([v.text for v in other], [v.kind for v in other]) or (
        len(values) > 2 and all(v.bold for v in values) and len(other) < len(values) and len(other) == 1
    )


def _are_periods(texts: Sequence[str], kinds: Sequence[str]) -> bool:
    """Years, or days, one after the other: what a table of figures over time is headed by."""
    if len(texts) < 2 or len(set(texts)) < len(texts):
        return False
    if all(kind == "date" for kind in kinds):
        return True
    if not all(re.fullmatch(r"(?:19|20)\d\d", text) for text in texts):
        return False
    years = [int(text) for text in texts]
    return years in (sorted(years), sorted(years, reverse=True))


def _continues(lines: Sequence[Line], count: int, merges: Merges) -> bool:
    """Whether a row goes on with the header that the rows above began: below groups, in bold, or with units."""
    above_row, above = lines[count - 1]
    values = lines[count][1]
    spans = any((above_row, v.column) in merges for v in above)
    groups = spans or len(above) < len(values)
    bold = all(v.bold for v in values) and any(v.bold for v in above)
    return groups or bold or all(_UNIT.fullmatch(v.text) for v in values)


def _text_header(lines: Sequence[Line], merges: Merges) -> int:
    """The header of a table of texts: a first row of short names that no row below repeats."""
    row, first = lines[0]
    spanning = any((m := merges.get((row, v.column))) is not None and m.colspan > 1 for v in first)
    body = lines[1 : SAMPLE + 1]
    widest = max(len(values) for _, values in body)
    texts = [v.text for v in first]
    if any(v.kind != "text" for v in first) and not all(v.bold for v in first):
        return 0
    if any(len(text) > HEADER_CHARACTERS for text in texts) or (len(set(texts)) < len(texts) and not spanning):
        return 0
    bold = all(v.bold for v in first) and not all(v.bold for _, values in body for v in values)
    if len(first) < 2 and not bold:
        return 0
    if not (bold or spanning) and (2 * len(first) <= widest or _is_repeated(first, body)):
        return 0
    below = lines[1][1]
    goes_on = len(lines) > 2 and (spanning or (bold and all(v.bold for v in below)))
    return 2 if goes_on else 1


def _is_repeated(first: Sequence[Value], body: Sequence[Line]) -> bool:
    """Whether a column has the first row's text again further down, as no header does."""
    heads = {v.column: v.text for v in first}
    return any(heads.get(v.column) == v.text for _, values in body for v in values)


# Blocks beside each other.


def _goes_on(last: Block, block: Block) -> bool:
    """Whether a block is the rest of the table above it, behind an empty row: it lies below it and has no header."""
    if not (last.is_table and last.header and block.lines) or block.titles or last.notes or block.header:
        return False
    if all(len(values) < 2 for _, values in block.lines):
        return False
    gap = block.row - last.lines[-1][0]
    inside = last.column <= block.column and block.column + block.width <= last.column + last.width
    return 0 < gap <= 3 and inside and bool(_typed_columns(block.lines) & _typed_columns(last.lines[last.header :]))


def _with_lone_titles(blocks: Sequence[Block]) -> list[Block]:
    """Blocks where a single short text, or a letterhead, just above a table has become its title."""
    out: list[Block] = []
    for block in blocks:
        last = out[-1] if out else None
        if last is not None and block.is_table and _belongs_above(last, block):
            out[-1] = replace(block, titles=[*last.titles, *(v[0].text for _, v in last.lines), *block.titles])
        else:
            out.append(block)
    return out


def _belongs_above(last: Block, block: Block) -> bool:
    if not last.lines or block.row - last.lines[-1][0] > 3:
        return False
    return _is_letterhead(last) or (_is_lone_title(last) and block.row > last.row)


def _is_lone_title(block: Block) -> bool:
    if block.is_table or len(block.lines) > 3 or any(len(values) > 1 for _, values in block.lines):
        return False
    first = block.lines[0][1][0]
    if _MARKED_NOTE.match(first.text):
        return False
    return first.kind == "text" and len(first.text) <= TITLE_CHARACTERS and not first.text.endswith((".", ":"))


def _is_letterhead(block: Block) -> bool:
    """Whether a block at the top of a sheet is a few lines of text and no list: what it is, of whom, and when."""
    if block.row > 1 or block.header or block.titles or len(block.lines) > LETTERHEAD_LINES:
        return False
    return all(len(values) == 1 and values[0].kind == "text" for _, values in block.lines)
