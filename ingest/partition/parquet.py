"""Parquet files, through pyarrow (extra ``parquet``): their records as the rows of one table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.partition.number_formats import Kind, general
from ingest.partition.sheet_grid import MAX_CELLS, MAX_TEXT, Grid, Line, Value

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

BATCH_ROWS = 2_000


def read_parquet(path: Path) -> tuple[list[Grid], list[str]]:
    """The records of a file as one sheet without a name, under the names of its columns, and warnings.

    Raises:
        BrokenError: it is empty or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    warnings: list[str] = []
    try:
        with pq.ParquetFile(path) as file:
            grid = Grid(has_blocks=False, lines=list(_lines(file, warnings)))
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise BrokenError(f"broken parquet: {str(exc).strip() or type(exc).__name__}") from exc
    return [grid], warnings


def _lines(file: ParquetFile, warnings: list[str]) -> Iterator[Line]:
    names = file.schema_arrow.names
    yield 0, [Value(column, name, "text", bold=True) for column, name in enumerate(names) if name]
    row = 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS):
        columns = [batch.column(n).to_pylist() for n in range(len(names))]
        for record in zip(*columns, strict=True):
            row += 1
            if row * len(names) > MAX_CELLS:
                warnings.append(
                    f"the records from {row:,} on could not be read: more than {MAX_CELLS:,} values in the file"
                )
                return
            yield row, [v for column, value in enumerate(record) for v in _shown(column, value)]


def _shown(column: int, value: object) -> Iterator[Value]:
    text, kind = _text(value)
    if text:
        yield Value(column, text[:MAX_TEXT], kind)


def _text(value: object) -> tuple[str, Kind]:
    """What a stored value is as text; lists and records as JSON, bytes not at all."""
    if value is None or isinstance(value, bytes):
        return "", "text"
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), "bool"
    if isinstance(value, float):
        return ("" if value != value else general(value) if abs(value) < 1e308 else str(value)), "number"  # noqa: PLR0124
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00"), "date"
    if isinstance(value, date):
        return value.isoformat(), "date"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str), "text"
    return str(value).strip(), "text" if isinstance(value, str) else "number"
