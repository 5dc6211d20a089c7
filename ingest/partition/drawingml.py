"""What stands in parsed nodes of DrawingML (ECMA-376 part 1, sections 20 and 21): lines, tables, charts, diagrams.

The numbers of a chart are those in its own XML, where the office program keeps a copy of what it has drawn, so that
no workbook needs to be opened and every type of chart is read alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ingest.partition.header_rows import first_row_heads
from ingest.types import BoundingBox, Cell

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_TEXTS = (f"{_A}t", f"{_A}br", f"{_M}t")
_EPOCH = date(1899, 12, 30)
"""The day 0 of an office program's calendar."""
_LEVELS = " / "
_FORMAT = re.compile(r"(?P<grouped>#,##)?0(?:\.(?P<decimals>0+))?(?P<percent>%)?")
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')


def line(paragraph: _Element) -> str:
    """The text of a paragraph, that of fields and equations too, with its spaces and line breaks collapsed."""
    parts = (" " if node.tag == f"{_A}br" else node.text or "" for node in paragraph.iter(*_TEXTS))
    return " ".join("".join(parts).split())


# Tables.


def table_cells(table: _Element, page: int, box: BoundingBox | None) -> tuple[Cell, ...]:
    """The cells of a parsed ``a:tbl`` that stands in ``box``, with their spans.

    The first row and the first column are header cells where the table is styled so. Spans are clipped to the
    free places of the grid, and a cell that claims to be covered, but is not, stands as it is.
    """
    rows = [list(row.iterchildren(f"{_A}tc")) for row in table.iterchildren(f"{_A}tr")]
    width = max(map(len, rows), default=0)
    taken: set[tuple[int, int]] = set()
    cells: list[Cell] = []
    for r, row in enumerate(rows):
        for c, node in enumerate(row):
            if (r, c) in taken:
                continue
            colspan = _free(taken, r, c, min(_span(node, "gridSpan"), width - c))
            rowspan = min(_span(node, "rowSpan"), len(rows) - r)
            taken.update((r + i, c + j) for i in range(rowspan) for j in range(colspan))
            cells.append(Cell(row=r, column=c, text=_cell_text(node), rowspan=rowspan, colspan=colspan, page=page))
    return tuple(_with_boxes(_with_headers(cells, table), table, box))


def _span(node: _Element, name: str) -> int:
    value = node.get(name, "1")
    return max(int(value), 1) if value.isdecimal() else 1


def _free(taken: set[tuple[int, int]], row: int, column: int, wanted: int) -> int:
    return next((n for n in range(wanted) if (row, column + n) in taken), wanted)


def _cell_text(node: _Element) -> str:
    return "\n".join(text for text in map(line, node.iter(f"{_A}p")) if text)


def _with_headers(cells: Sequence[Cell], table: _Element) -> list[Cell]:
    form = table.find(f"{_A}tblPr")
    has_row, has_column = (form is not None and form.get(name) in ("1", "true") for name in ("firstRow", "firstCol"))
    first = [cell for cell in cells if cell.row == 0]
    # Names that span columns stand over a second row of names.
    depth = max((c.rowspan for c in first), default=1) if any(c.colspan > 1 for c in first) else 1
    # Programs that convert slides often lose the mark, not the look.
    rows = depth if has_row or first_row_heads(cells, is_styled=False) else 0
    return [replace(cell, header=cell.row < rows or (has_column and cell.column == 0)) for cell in cells]


def _with_boxes(cells: Sequence[Cell], table: _Element, box: BoundingBox | None) -> Sequence[Cell]:
    """The cells with the boxes that the widths of columns and heights of rows give, where these fill the table's."""
    columns = [int(node.get("w", "0")) for node in table.findall(f"{_A}tblGrid/{_A}gridCol")]
    rows = [int(node.get("h", "0")) for node in table.findall(f"{_A}tr")]
    if box is None or not all(columns) or not all(rows) or any(c.column + c.colspan > len(columns) for c in cells):
        return cells
    xs, ys = _edges(columns, box[0], box[2]), _edges(rows, box[1], box[3])
    return [replace(c, box=(xs[c.column], ys[c.row], xs[c.column + c.colspan], ys[c.row + c.rowspan])) for c in cells]


def _edges(sizes: Sequence[int], start: float, end: float) -> list[float]:
    """The lines between parts of these sizes that share the way from start to end."""
    total = sum(sizes)
    return [start + (end - start) * sum(sizes[:n]) / total for n in range(len(sizes) + 1)]


# Charts.


Key = tuple[float, int]
"""The place of a row: a category's position, or a point's x value with a count of the points of that value before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    name: str
    labels: dict[Key, str]
    values: dict[Key, str]


def chart_cells(space: _Element) -> tuple[Cell, ...]:
    """The cells of a parsed ``c:chartSpace``; none if the chart holds no values.

    The first row has the names of the series, the first column the categories or x values; both are header cells.
    Numbers are written as the chart's number format says where that is plain, percent or grouped.
    """
    series = [made for node in space.iter(f"{_C}ser") for made in _read_series(node)]
    labels = {key: label for made in reversed(series) for key, label in made.labels.items()}
    keys = sorted({key for made in series for key in made.values})
    if not keys:
        return ()
    rows = [["", *(made.name for made in series)]]
    rows += [[labels.get(key, ""), *(made.values.get(key, "") for made in series)] for key in keys]
    return tuple(
        Cell(row=r, column=c, text=text, header=r == 0 or c == 0)
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    )


def chart_title(space: _Element) -> str:
    """The title of a parsed ``c:chartSpace`` as it is written there; empty where there is none."""
    title = space.find(f"{_C}chart/{_C}title")
    if title is None:
        return ""
    lines = ["".join(run.text or "" for run in line.iter(f"{_A}t")) for line in title.iter(f"{_A}p")]
    cached = [v.text or "" for v in title.iter(f"{_C}v")]
    return " ".join(" ".join(lines or cached).split())


def _read_series(node: _Element) -> Iterator[_Series]:
    name = _name(node)
    x_values = node.find(f"{_C}xVal")
    keys = _positions(node) if x_values is None else _x_keys(x_values)
    labels = _category_labels(node) if x_values is None else _points(x_values)
    named = {keys[i]: label for i, label in labels.items() if i in keys}
    for tag, suffix in (("val", ""), ("yVal", ""), ("bubbleSize", " (size)")):
        values = node.find(f"{_C}{tag}")
        found = {} if values is None else {keys.get(i, (float(i), 0)): v for i, v in _points(values).items()}
        if found:
            yield _Series(name=f"{name}{suffix}".strip(), labels=named, values=found)


def _name(series: _Element) -> str:
    found = series.find(f"{_C}tx")
    texts = [] if found is None else [v.text or "" for v in found.iter(f"{_C}v")]
    return " ".join(" ".join(texts).split())


def _positions(series: _Element) -> dict[int, Key]:
    return {i: (float(i), 0) for i in _category_labels(series)}


def _x_keys(x_values: _Element) -> dict[int, Key]:
    """The keys of a scatter chart's points: equal x values of several series share a row."""
    seen: Counter[float] = Counter()
    keys: dict[int, Key] = {}
    for i, text in sorted(_raw_points(x_values).items()):
        x = _number(text)
        place = float(i) if x is None else x
        keys[i] = (place, seen[place])
        seen[place] += 1
    return keys


def _category_labels(series: _Element) -> dict[int, str]:
    """The labels of the categories; of nested ones all levels, the outermost first."""
    found = series.find(f"{_C}cat")
    if found is None:
        return {}
    levels = [_raw_points(level) for level in found.iter(f"{_C}lvl")]
    if not levels:
        return _points(found)
    inner, *outer = levels
    return {i: _LEVELS.join([*(_reaching(level, i) for level in reversed(outer)), text]) for i, text in inner.items()}


def _reaching(level: dict[int, str], index: int) -> str:
    """The label of an outer level, which is written once where it begins."""
    starts = [i for i in level if i <= index]
    return level[max(starts)] if starts else ""


def _points(data: _Element) -> dict[int, str]:
    """The points below a node by their index, as they are shown."""
    code = next((node.text or "" for node in data.iter(f"{_C}formatCode")), "")
    return {
        int(point.get("idx", "0")): shown_number(_point_text(point), point.get("formatCode") or code)
        for point in data.iter(f"{_C}pt")
    }


def _raw_points(data: _Element) -> dict[int, str]:
    return {int(point.get("idx", "0")): _point_text(point) for point in data.iter(f"{_C}pt")}


def _point_text(point: _Element) -> str:
    return " ".join((point.findtext(f"{_C}v") or "").split())


def shown_number(text: str, code: str) -> str:
    """A stored number as a number format of an office program shows it; other texts stay as they are.

    Formats of digits, grouping and percent are followed, dates are written as ``2024-05-31``; any other format
    gives the plain number.
    """
    number = _number(text)
    if number is None or not code:
        return text
    code = _QUOTED.sub("", code.partition(";")[0]).strip()
    found = _FORMAT.fullmatch(code)
    if found:
        scaled = number * 100 if found["percent"] else number
        grouping = "," if found["grouped"] else ""
        return f"{scaled:{grouping}.{len(found['decimals'] or '')}f}{found['percent'] or ''}"
    if _is_date(code) and 0 < number < 2_958_466:
        return (_EPOCH + timedelta(days=int(number))).isoformat()
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.12g}"


def _is_date(code: str) -> bool:
    return set(code.lower()) <= set("dmy-/., ") and any(mark in code.lower() for mark in ("d", "y"))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


# Diagrams.


def diagram_items(model: _Element) -> Iterator[tuple[int, str]]:
    """The depth, from 0, and the text of each node of a parsed ``dgm:dataModel`` (SmartArt), in reading order."""
    nodes = {point.get("modelId", ""): point for point in model.iter(f"{_DGM}pt")}
    below: dict[str, list[tuple[int, str]]] = {}
    for link in model.iter(f"{_DGM}cxn"):
        if link.get("type", "parOf") == "parOf":
            below.setdefault(link.get("srcId", ""), []).append((int(link.get("srcOrd", "0")), link.get("destId", "")))
    roots = [key for key, point in nodes.items() if point.get("type") == "doc"]
    for depth, key in _outline(roots, below):
        text = " ".join(filter(None, map(line, nodes[key].iter(f"{_A}p")))) if key in nodes else ""
        if text:
            yield max(depth - 1, 0), text


def _outline(roots: Iterable[str], below: dict[str, list[tuple[int, str]]]) -> Iterator[tuple[int, str]]:
    """Depth and key of each node of a tree from its roots on, each once."""
    waiting, seen = [(0, key) for key in roots], set[str]()
    while waiting:
        depth, key = waiting.pop()
        if key not in seen:
            seen.add(key)
            yield depth, key
            waiting += [(depth + 1, child) for _, child in sorted(below.get(key, ()), reverse=True)]
