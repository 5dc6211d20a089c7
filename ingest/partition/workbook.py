"""Workbooks (.xlsx, .xlsm): each sheet's cells as they are shown, read from the archive as a stream.

Of formulas the stored values are read; macros, external links and everything else that could run or be fetched are
not looked at. A cell far outside costs no more than one inside, as empty cells are never made.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ingest.errors import BrokenError, UnsupportedError
from ingest.partition.archives import check_archive
from ingest.partition.number_formats import BUILT_IN, GENERAL, Kind, show
from ingest.partition.sheet_grid import MAX_CELLS, MAX_TEXT, Grid, Merge, Value

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
"""The size of a sheet."""
MAX_SHEETS = 1000
MAX_MERGES = 100_000
MAX_DECLARED = 100_000
"""Styles that are read."""

_REF = re.compile(r"\$?([A-Z]{1,10})\$?(\d{1,10})")
_RELATED = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_READ_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What reading a damaged member raises, beside lxml's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A sheet as the workbook lists it."""

    name: str
    path: str
    hidden: bool


@dataclass(slots=True, kw_only=True)
class _Book:
    """What all sheets share, and how many cells are left to be read."""

    strings: Sequence[str] = ()
    styles: Sequence[tuple[str, bool]] = ()
    from_1904: bool = False
    room: int = MAX_CELLS
    shown: dict[tuple[str, str], tuple[str, Kind]] = field(default_factory=dict)


def read_workbook(path: Path) -> tuple[list[Grid], list[str]]:
    """The sheets of a workbook in their order, and warnings.

    Raises:
        EncryptedError: it needs a password.
        UnsupportedError: it is a binary workbook.
        BrokenError: it is empty, damaged, or unpacks to more than it should.
    """
    check_archive(path, "xlsx")
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except _READ_ERRORS as exc:
        raise BrokenError(f"broken xlsx: {_reason(exc)}") from exc


def _reason(exc: Exception) -> str:
    return " ".join(str(exc).split()) or type(exc).__name__


def _read(archive: zipfile.ZipFile) -> tuple[list[Grid], list[str]]:
    names = {name.lower(): name for name in archive.namelist()}
    main = _main_part(archive, names)
    root = _parsed(archive, main)
    related = _related(archive, names, main)
    parts = list(_parts(root, related))
    if not parts:
        raise BrokenError("broken xlsx: there is no sheet in it")
    warnings: list[str] = []
    book = _Book(
        strings=_strings(archive, _named_part(names, related, "sharedStrings")),
        styles=_styles(archive, _named_part(names, related, "styles")),
        from_1904=any(n.get("date1904") in ("1", "true") for n in root.iter("{*}workbookPr")),
    )
    grids = [grid for part in parts[:MAX_SHEETS] if (grid := _sheet(archive, names, part, book, warnings)) is not None]
    if not grids:
        raise BrokenError(f"broken xlsx: {'; '.join(warnings[:3])}")
    return grids, warnings


def _main_part(archive: zipfile.ZipFile, names: Mapping[str, str]) -> str:
    if "xl/workbook.bin" in names:
        raise UnsupportedError("not a type that is read (xlsb): save it as .xlsx")
    top = _related(archive, names, "")
    found = next((target for kind, target in top.values() if kind == "officeDocument"), "xl/workbook.xml")
    if found.lower() not in names:
        raise BrokenError("broken xlsx: there is no workbook in it")
    return names[found.lower()]


def _related(archive: zipfile.ZipFile, names: Mapping[str, str], part: str) -> dict[str, tuple[str, str]]:
    """What a part is related to inside the archive: (kind, path) by id. Targets outside of it are left out."""
    folder, _, name = part.rpartition("/")
    listed = names.get(f"{folder}{'/' * bool(folder)}_rels/{name}.rels".lower())
    if listed is None:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for node in _parsed(archive, listed).iter(_RELATED):
        if node.get("TargetMode") != "External":
            kind = node.get("Type", "").rpartition("/")[2]
            found[node.get("Id", "")] = kind, _resolved(folder, node.get("Target", ""))
    return found


def _resolved(folder: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    steps = folder.split("/") if folder else []
    for step in target.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step != ".":
            steps.append(step)
    return "/".join(steps)


def _parsed(archive: zipfile.ZipFile, name: str) -> _Element:
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(archive.read(name), parser)
    except etree.LxmlError as exc:
        raise BrokenError(f"broken xlsx: {name}: {exc}") from exc


def _parts(root: _Element, related: Mapping[str, tuple[str, str]]) -> Iterator[_Part]:
    for number, node in enumerate(root.iter("{*}sheet"), 1):
        key = next((value for name, value in node.attrib.items() if name.endswith("}id")), "")
        kind, path = related.get(key, ("worksheet", f"xl/worksheets/sheet{number}.xml"))
        if kind == "worksheet":
            hidden = node.get("state", "visible") != "visible"
            yield _Part(name=node.get("name", f"Sheet {number}"), path=path, hidden=hidden)


def _named_part(names: Mapping[str, str], related: Mapping[str, tuple[str, str]], kind: str) -> str | None:
    """The part of a kind that a workbook has once, if it has it."""
    found = next((path for known, path in related.values() if known == kind), f"xl/{kind}.xml")
    return names.get(found.lower())


def _nodes(file: IO[bytes], tags: Sequence[str]) -> Iterator[_Element]:
    """The elements with these tags as a file is read; each is gone when the next one comes."""
    from lxml import etree

    wanted = [f"{{*}}{tag}" for tag in tags]
    for _, node in etree.iterparse(file, tag=wanted, resolve_entities=False, no_network=True, huge_tree=False):
        yield node
        node.clear()
        while node.getprevious() is not None:
            del node.getparent()[0]


def _strings(archive: zipfile.ZipFile, name: str | None) -> list[str]:
    """The texts that cells refer to by number; phonetic readings are left out."""
    if name is None:
        return []
    from lxml import etree

    try:
        with archive.open(name) as file:
            return [_plain(node) for node in _nodes(file, ["si"])]
    except etree.LxmlError as exc:
        raise BrokenError(f"broken xlsx: {name}: {exc}") from exc


def _plain(node: _Element) -> str:
    """The text of a string, which may be in runs."""
    pieces = [t.text or "" for t in node.iter("{*}t") if not (t.getparent().tag or "").endswith("}rPh")]
    return "".join(pieces)[:MAX_TEXT]


def _styles(archive: zipfile.ZipFile, name: str | None) -> list[tuple[str, bool]]:
    """The number format and boldness of each cell style."""
    if name is None:
        return []
    root = _parsed(archive, name)
    codes = dict(BUILT_IN)
    for node in root.iter("{*}numFmt"):
        if node.get("numFmtId", "").isdecimal():
            codes[int(node.get("numFmtId"))] = node.get("formatCode", GENERAL)
    fonts = [f.find("{*}b") for group in root.iter("{*}fonts") for f in group.iterchildren("{*}font")]
    bold = [b is not None and b.get("val", "1") not in ("0", "false") for b in fonts]
    formats = [x for group in root.iter("{*}cellXfs") for x in group.iterchildren("{*}xf")][:MAX_DECLARED]
    return [
        (codes.get(_int(x.get("numFmtId")), GENERAL), bool(bold[font : font + 1] and bold[font]))
        for x in formats
        for font in [_int(x.get("fontId"))]
    ]


def _int(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


# A sheet.


def _sheet(
    archive: zipfile.ZipFile, names: Mapping[str, str], part: _Part, book: _Book, warnings: list[str]
) -> Grid | None:
    """A sheet as far as it can be read; ``None`` where nothing of it can."""
    from lxml import etree

    grid = Grid(name=part.name, hidden=part.hidden)
    try:
        with archive.open(names.get(part.path.lower(), part.path)) as file:
            _fill(grid, file, book, warnings)
    except KeyError:
        warnings.append(f"sheet {part.name}: could not be read (it is missing from the file)")
        return None
    except (*_READ_ERRORS, etree.LxmlError) as exc:
        after = f"the rows after {grid.lines[-1][0] + 1} " if grid.lines else ""
        warnings.append(
            f"sheet {part.name}: {after}could not be read ({' '.join(str(exc).split()) or type(exc).__name__})"
        )
        return grid if grid.lines else None
    return grid


def _fill(grid: Grid, file: IO[bytes], book: _Book, warnings: list[str]) -> None:
    row = outside = uncounted = 0
    for node in _nodes(file, ["row", "mergeCell"]):
        if node.tag.endswith("}mergeCell"):
            if len(grid.merges) < MAX_MERGES and (merge := _merge(node.get("ref", ""))) is not None:
                grid.merges.append(merge)
            continue
        row = _int(node.get("r")) or row + 1
        if row > MAX_ROW or (grid.lines and row - 1 <= grid.lines[-1][0]):
            outside += 1
            continue
        values, lost, unknown = _row(node, book)
        outside, uncounted, book.room = outside + lost, uncounted + unknown, book.room - len(values)
        if book.room < 0:
            warnings.append(
                f"sheet {grid.name}: the rows from {row:,} on could not be read: more than {MAX_CELLS:,} cells"
            )
            return
        if values:
            grid.lines.append((row - 1, values))
    if outside:
        warnings.append(f"sheet {grid.name}: {outside} cells with an impossible place were left out")
    if uncounted:
        warnings.append(
            f"sheet {grid.name}: {uncounted} formulas have no stored value:"
            " open and save the file in a spreadsheet program"
        )


def _row(node: _Element, book: _Book) -> tuple[list[Value], int, int]:
    """The cells of a row that show something; how many stand outside of a sheet, and how many lack a value."""
    values: list[Value] = []
    outside = unknown = 0
    column = -1
    for cell in node:
        place = _REF.match(cell.get("r") or "")
        column = _column(place[1]) if place else column + 1
        if column >= MAX_COLUMN or (values and column <= values[-1].column):
            outside += 1
            continue
        text, kind, bold, lacks = _shown(cell, book)
        unknown += lacks
        if text:
            values.append(Value(column, text, kind, bold))
    return values, outside, unknown


def _column(letters: str) -> int:
    """A column's number from 0; of more letters than a sheet has, one beyond it."""
    if len(letters) > 3:
        return MAX_COLUMN
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _shown(cell: _Element, book: _Book) -> tuple[str, Kind, bool, bool]:
    """What a cell shows, its kind, whether it is bold, and whether it is a formula without a stored value."""
    raw: str | None = None
    formula = False
    inline: _Element | None = None
    for child in cell.iterchildren("{*}v", "{*}f", "{*}is"):
        if child.tag.endswith("}v"):
            raw = child.text
        elif child.tag.endswith("}f"):
            formula = True
        else:
            inline = child
    style = _int(cell.get("s"))
    code, bold = book.styles[style] if style < len(book.styles) else (GENERAL, False)
    kind = cell.get("t") or "n"
    if inline is not None:
        return _plain(inline).strip(), "text", bold, False
    if raw is None or not raw.strip():
        return "", "text", bold, formula and kind != "str"
    text, shown_as = _typed(raw, kind, code, book)
    return text, shown_as, bold, False


def _typed(raw: str, kind: str, code: str, book: _Book) -> tuple[str, Kind]:
    if kind == "s":
        number = _int(raw.strip())
        return (book.strings[number].strip() if number < len(book.strings) else "", "text")
    if kind == "b":
        return ("TRUE" if raw.strip() == "1" else "FALSE"), "bool"
    if kind == "d":
        return raw.strip().removesuffix("T00:00:00"), "date"
    if kind in ("str", "e"):
        return raw.strip()[:MAX_TEXT], "text"
    key = raw, code
    found = book.shown.get(key)
    if found is None:
        found = _number(raw, code, from_1904=book.from_1904)
        if len(book.shown) < MAX_DECLARED:
            book.shown[key] = found
    return found


def _number(raw: str, code: str, *, from_1904: bool) -> tuple[str, Kind]:
    try:
        value = float(raw)
    except ValueError:
        return raw.strip()[:MAX_TEXT], "text"
    return show(value, code, from_1904=from_1904) if abs(value) < 1e308 else (raw.strip(), "number")


def _merge(ref: str) -> Merge | None:
    """The merged cells of ``A1:B2``, inside a sheet."""
    found = _REF.findall(ref)
    if len(found) != 2 or any(len(digits) > 7 for _, digits in found):
        return None
    (left, top), (right, bottom) = ((_column(letters), int(digits) - 1) for letters, digits in found)
    right, bottom = min(right, MAX_COLUMN - 1), min(bottom, MAX_ROW - 1)
    if not (0 <= left <= right and 0 <= top <= bottom) or (left, top) == (right, bottom):
        return None
    return Merge(top, left, bottom - top + 1, right - left + 1)
