"""The cells of one sheet as they were read, before anything is known of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.partition.number_formats import Kind
from ingest.tables import is_number

MAX_CELLS = 3_000_000
"""Cells that are read of one file; what is beyond is left out with a warning, as it would not fit in memory."""
MAX_TEXT = 32_767
"""Characters that a cell of a spreadsheet can hold; longer ones are of files that no such program wrote."""

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d)|\d{1,2}:\d\d(?::\d\d)?"
    r"|\d{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -]\d{2,4}",
    re.IGNORECASE,
)


class Value(NamedTuple):
    """What a cell shows, in a column from 0; ``bold`` as headers often are."""

    column: int
    text: str
    kind: Kind
    bold: bool = False


class Merge(NamedTuple):
    """Cells that are shown as one: its top left row and column from 0, and its size."""

    row: int
    column: int
    rowspan: int
    colspan: int


Line = tuple[int, list[Value]]
"""A row's number from 0, and its cells that show something, from left to right."""


@dataclass(slots=True, kw_only=True)
class Grid:
    """One sheet: its lines from top to bottom, without empty ones. A file without sheets is one without a name.

    ``has_blocks`` tells whether empty columns may part tables, which they do not where each line is a record.
    """

    name: str | None = None
    hidden: bool = False
    has_blocks: bool = True
    lines: list[Line] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)


def kind_of(text: str) -> Kind:
    """What kind of value a text is, where the file does not tell."""
    if text[:1].isdigit() and _DATE.fullmatch(text):
        return "date"
    if is_number(text):
        return "number"
    return "bool" if text.lower() in ("true", "false") else "text"


def typed_lines(rows: Iterable[tuple[int, list[str]]]) -> Iterator[Line]:
    """Lines of texts alone, each once in memory."""
    known: dict[str, str] = {}
    kinds: dict[str, Kind] = {}
    for row, texts in rows:
        values: list[Value] = []
        for column, raw in enumerate(texts):
            text = raw.strip()
            if not text:
                continue
            if len(text) < 40:
                text = known.setdefault(text, text) if len(known) < 100_000 else text
            kind = kinds.get(text) or kind_of(text)
            if len(kinds) < 10_000:
                kinds[text] = kind
            values.append(Value(column, text, kind))
        if values:
            yield row, values
