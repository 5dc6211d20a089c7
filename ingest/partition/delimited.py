"""Records in text files (.csv, .tsv): encoding, delimiter and quotes as they are found, broken lines tolerated."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.errors import BrokenError
from ingest.partition.encoding import decode
from ingest.partition.sheet_grid import MAX_CELLS, Grid, Line, typed_lines

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 200
MAX_FIELD_LINES = 100
"""Lines that a quoted field may have; more are the work of a quotation mark that was never closed."""
MAX_COLUMNS = 16_384
NAMED_LINES = 3
"""Lines that a warning names."""


def read_delimited(path: Path) -> tuple[list[Grid], list[str]]:
    """The records of a file as one sheet without a name, and warnings.

    Raises:
        BrokenError: it is empty or holds binary data.
    """
    # Of the characters that end lines elsewhere, such as U+2028, some stand inside of fields here.
    lines = list(io.StringIO(decode(path.read_bytes()), newline=""))
    delimiter, start = find_delimiter(lines)
    warnings: list[str] = []
    rows = typed_lines(_rows(lines, start, delimiter, warnings))
    grid = Grid(has_blocks=False, lines=list(_limited(rows, warnings)))
    if not grid.lines:
        raise BrokenError("empty file")
    warnings += _uneven(grid.lines)
    return [grid], warnings


def find_delimiter(lines: Sequence[str]) -> tuple[str, int]:
    """The delimiter, and the line at which the records begin: a first line ``sep=;`` names it.

    Else it is the one that parts most of the first lines into the same number of fields.
    """
    first = lines[0].strip().lower() if lines else ""
    if first.startswith("sep=") and len(first) == 5:
        return lines[0].strip()[4], 1
    sample = lines[:SAMPLE_LINES]
    scored = {d: _evenness(sample, d) for d in DELIMITERS}
    return max(DELIMITERS, key=lambda d: scored[d]), 0


def _evenness(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """The share of records that have the number of fields that most have, and that number; nothing below two."""
    try:
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
    except csv.Error:
        return 0.0, 0
    parted = Counter({fields: records for fields, records in counts.items() if fields > 1})
    if not parted:
        return 0.0, 0
    fields, records = parted.most_common(1)[0]
    return round(records / counts.total(), 2), fields


def _rows(lines: Sequence[str], start: int, delimiter: str, warnings: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Each record with its number. One that cannot be parsed is cut at its delimiters, and reading goes on after it."""
    broken: list[int] = []
    row, at = 0, start
    while at < len(lines):
        for fields, end in _parsed(lines, at, delimiter):
            yield row, fields[:MAX_COLUMNS]
            row, at = row + 1, end
        if at < len(lines):
            broken.append(at + 1)
            fields = lines[at].rstrip("\r\n").split(delimiter)
            yield row, [field.strip().strip('"') for field in fields[:MAX_COLUMNS]]
            row, at = row + 1, at + 1
    if broken:
        warnings.append(f"{_lines(len(broken))} with broken quotes cut at the delimiters: {_named(broken)}")


def _parsed(lines: Sequence[str], start: int, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Records and the lines at which they end, up to the first one whose quotes are broken."""
    begin = start

    def feed() -> Iterator[str]:
        place = start
        while place < min(len(lines), begin + MAX_FIELD_LINES):
            yield lines[place]
            place += 1

    reader = csv.reader(feed(), delimiter=delimiter)
    try:
        for fields in reader:
            end = start + reader.line_num
            if end - begin > 1 and "".join(lines[begin:end]).count('"') % 2:
                return
            begin = end
            yield fields, end
    except csv.Error:
        return


def _limited(lines: Iterator[Line], warnings: list[str]) -> Iterator[Line]:
    room = MAX_CELLS
    for row, values in lines:
        room -= len(values)
        if room < 0:
            warnings.append(
                f"the records from {row + 1:,} on could not be read: more than {MAX_CELLS:,} values in the file"
            )
            return
        yield row, values


def _uneven(lines: Sequence[Line]) -> list[str]:
    """A warning where records have more fields than the first ones, which no header names."""
    ends = [values[-1].column for _, values in lines]
    usual = Counter(ends[:SAMPLE_LINES]).most_common(1)[0][0]
    usual = max(usual, ends[0])
    longer = [row + 1 for (row, _), end in zip(lines, ends, strict=True) if end > usual]
    if not longer or usual == 0:
        return []
    return [f"{_lines(len(longer), 'record')} with more than {usual + 1} fields: {_named(longer)}"]


def _lines(count: int, what: str = "line") -> str:
    return f"{count} {what}{'s' * (count > 1)}"


def _named(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:NAMED_LINES])) + (" …" if len(numbers) > NAMED_LINES else "")
