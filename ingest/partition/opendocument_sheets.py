"""OpenDocument spreadsheets (.ods, .fods; ODF 1.3, part 3): each sheet's cells as they are shown, read as a stream.

Cells and rows that are alike are stored once with a count, which also fills a sheet to its last row: empty ones are
never made, and of filled ones no more than a sheet of that many plain cells may have.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ingest.errors import BrokenError, EncryptedError
from ingest.partition.archives import ENCRYPTED, check_archive
from ingest.partition.number_formats import Kind, general
from ingest.partition.opendocument_markup import OFFICE, TABLE, TEXT, count_of, paragraph_text
from ingest.partition.sheet_grid import MAX_CELLS, MAX_TEXT, Grid, Merge, Value
from ingest.partition.workbook import MAX_COLUMN, MAX_MERGES, MAX_ROW, MAX_SHEETS

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_ALIKE = 10_000
"""Times that a filled row may follow itself; a tiny file can say a million."""

_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_CELLS = (f"{TABLE}table-cell", f"{TABLE}covered-table-cell")
_KINDS: Mapping[str, Kind] = {
    "float": "number",
    "currency": "number",
    "percentage": "number",
    "date": "date",
    "time": "date",
    "boolean": "bool",
}
_BOLD = ("bold", "600", "700", "800", "900")
_READ_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What reading a damaged member raises, beside lxml's own."""


@dataclass(slots=True)
class _Book:
    """A file that is being read: its styles that tell something, its sheets, and how many cells may still come."""

    bold: dict[str, bool] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    grids: list[Grid] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    columns: list[tuple[int, str]] = field(default_factory=list)
    row: int = 0
    room: int = MAX_CELLS


def read_ods(path: Path) -> tuple[list[Grid], list[str]]:
    """The sheets of a spreadsheet in their order, and warnings.

    Raises:
        EncryptedError: it needs a password.
        BrokenError: it is empty, damaged, or unpacks to more than it should.
    """
    from lxml import etree  # type: ignore[import-untyped]

    book = _Book()
    try:
        with _content(path) as file:
            _read(file, book)
    except (*_READ_ERRORS, etree.LxmlError) as exc:
        reason = " ".join(str(exc).split()) or type(exc).__name__
        if not any(grid.lines for grid in book.grids):
            raise BrokenError(f"broken ods: {reason}") from exc
        book.warnings.append(f"sheet {book.grids[-1].name}: the rows after {book.row} could not be read ({reason})")
    if not book.grids:
        raise BrokenError("broken ods: there is no sheet in it")
    return book.grids, book.warnings


@contextmanager
def _content(path: Path) -> Iterator[IO[bytes]]:
    """The XML of a spreadsheet: a file of its own, or a member of an archive."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            file.seek(0)
            yield file
            return
    check_archive(path, "ods")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise EncryptedError(ENCRYPTED)
        if "content.xml" not in names:
            raise BrokenError("broken ods: it has no content")
        with archive.open("content.xml") as member:
            yield member


def _read(file: IO[bytes], book: _Book) -> None:
    """Take a file's sheets one row at a time; a row that was taken is gone from memory."""
    from lxml import etree

    starts, ends = (f"{TABLE}table",), (f"{_STYLE}style", f"{TABLE}table-column", f"{TABLE}table-row")
    events = etree.iterparse(
        file, events=("start", "end"), tag=(*starts, *ends), resolve_entities=False, no_network=True, huge_tree=False
    )
    takers: dict[str, Callable[[_Element, _Book], None]] = dict(zip(ends, (_style, _columns, _row), strict=True))
    for event, node in events:
        if event == "start" and node.tag in starts:
            if len(book.grids) == MAX_SHEETS:
                return
            if _is_sheet(node):
                _begin_sheet(node, book)
        elif event == "end" and node.tag in takers and (node.tag == f"{_STYLE}style" or _is_of_sheet(node)):
            takers[node.tag](node, book)
            node.clear()
            while node.getprevious() is not None:
                del node.getparent()[0]
        if book.room < 0:
            return


def _is_of_sheet(node: _Element) -> bool:
    """Whether a row or column is one of a sheet, and not of a table in a cell, of a link's copy or of old versions."""
    table = next(node.iterancestors(f"{TABLE}table"), None)
    return table is not None and _is_sheet(table)


def _is_sheet(table: _Element) -> bool:
    above = table.getparent()
    return above is not None and bool(above.tag == f"{OFFICE}spreadsheet")


def _style(node: _Element, book: _Book) -> None:
    name, form = node.get(f"{_STYLE}name", ""), node.get(f"{_STYLE}family")
    look = node.find(f"{_STYLE}text-properties")
    if form == "table-cell":
        weight = "" if look is None else look.get(f"{_FO}font-weight", "")
        inherited = book.bold.get(node.get(f"{_STYLE}parent-style-name", ""), False)
        book.bold[name] = weight in _BOLD if weight else inherited
    elif form == "table" and any(
        p.get(f"{TABLE}display") == "false" for p in node.iterchildren(f"{_STYLE}table-properties")
    ):
        book.hidden.add(name)


def _begin_sheet(node: _Element, book: _Book) -> None:
    name = node.get(f"{TABLE}name", f"Sheet {len(book.grids) + 1}")
    book.grids.append(Grid(name=name, hidden=node.get(f"{TABLE}style-name") in book.hidden))
    book.row, book.columns = 0, []


def _columns(node: _Element, book: _Book) -> None:
    """Note the style that a column gives to its cells, with the column at which it ends."""
    end = (book.columns[-1][0] if book.columns else 0) + count_of(node, "number-columns-repeated", MAX_COLUMN)
    book.columns.append((end, node.get(f"{TABLE}default-cell-style-name", "")))


def _row(node: _Element, book: _Book) -> None:
    grid = book.grids[-1]
    count = count_of(node, "number-rows-repeated", MAX_ROW)
    values = list(_values(node, book))
    first, book.row = book.row, min(book.row + count, MAX_ROW)
    kept = min(book.row - first, MAX_ALIKE) if values else 0
    book.room -= kept * len(values)
    if book.room < 0:
        said = f"the rows from {first + 1:,} on could not be read: more than {MAX_CELLS:,} cells"
        book.warnings.append(f"sheet {grid.name}: {said}")
        return
    if values and count > MAX_ALIKE:
        said = f"row {first + 1:,} is repeated {count:,} times; the first {MAX_ALIKE:,} of these rows are kept"
        book.warnings.append(f"sheet {grid.name}: {said}")
    grid.lines.extend((first + n, values) for n in range(kept))


def _values(row: _Element, book: _Book) -> Iterator[Value]:
    """What the cells of a row show; their merged cells are noted in the sheet."""
    column, grid = 0, book.grids[-1]
    style = row.get(f"{TABLE}default-cell-style-name", "")
    for cell in row.iterchildren(*_CELLS):
        count = count_of(cell, "number-columns-repeated", MAX_COLUMN)
        end = min(column + count, MAX_COLUMN)
        shown = _shown(cell) if cell.tag == _CELLS[0] else None
        if shown:
            wide, high = (count_of(cell, f"number-{n}-spanned", m) for n, m in (("columns", 1000), ("rows", MAX_ROW)))
            if (wide, high) != (1, 1) and len(grid.merges) < MAX_MERGES:
                grid.merges.append(Merge(book.row, column, min(high, MAX_ROW - book.row), wide))
            named = cell.get(f"{TABLE}style-name") or style
            for place in range(column, end):
                bold = book.bold.get(named or _style_of_column(place, book), False)
                yield Value(place, shown[0], shown[1], bold)
        column = end


def _style_of_column(column: int, book: _Book) -> str:
    return next((name for end, name in book.columns if column < end), "")


def _shown(cell: _Element) -> tuple[str, Kind] | None:
    """What a cell shows and its kind; nothing of an empty one. A value whose looks were not stored is shown plainly."""
    stored = cell.get(f"{OFFICE}value-type", "")
    lines = [paragraph_text(p) for p in cell.iterchildren(f"{TEXT}p")]
    text = "\n".join(line for line in lines if line)[:MAX_TEXT]
    kind = _KINDS.get(stored, "text")
    if not text and stored:
        text = _plain(cell, stored)
    return (text, kind) if text else None


def _plain(cell: _Element, stored: str) -> str:
    if _KINDS.get(stored) == "number":
        value = _float(cell.get(f"{OFFICE}value", ""))
        return "" if value is None else f"{general(value * 100)}%" if stored == "percentage" else general(value)
    text = str(cell.get(f"{OFFICE}{stored}-value", "")).strip()
    return text.upper() if stored == "boolean" else text.removesuffix("T00:00:00")[:MAX_TEXT]


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e300 else None
