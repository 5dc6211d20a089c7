"""Which rows of a table head it, where a document does not say so plainly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.tables import is_number
from ingest.types import Cell

_YEAR = re.compile(r"(19|20)\d\d")


def first_row_heads(cells: Sequence[Cell], *, is_styled: bool) -> bool:
    """Whether words or years stand over other rows: with a look that sets them apart, or over numbers."""
    first = [c.text for c in cells if c.row == 0 and c.text]
    below = [c.text for c in cells if c.row > 0]
    if len(first) < 2 or not below or any(is_number(t) and not _YEAR.fullmatch(t) for t in first):
        return False
    return is_styled or any(is_number(t) for t in below)


def with_header_rows(cells: Sequence[Cell], count: int) -> tuple[Cell, ...]:
    """The cells with those of the first ``count`` rows as header cells; names that span columns take the next row."""
    first = [c for c in cells if c.row == 0]
    if count == 1 and any(c.colspan > 1 for c in first):
        count = max(c.rowspan for c in first)
    return tuple(replace(c, header=c.header or c.row < count) for c in cells)
