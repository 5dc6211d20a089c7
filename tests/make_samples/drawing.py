"""Pages: text, tables, charts and pictures drawn onto PDF pages. All lengths are PDF points, origin top left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pymupdf

A4 = (595.0, 842.0)
LEFT, RIGHT, TOP, BOTTOM = 64.0, 531.0, 92.0, 760.0
SOFT_HYPHEN = "\u00ad"
INK, GREY, BLUE, PALE = (0.1, 0.1, 0.12), (0.4, 0.4, 0.44), (0.1, 0.33, 0.5), (0.62, 0.76, 0.86)

Colour = tuple[float, float, float]
Align = Literal["left", "right", "centre"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a paragraph is set: a base-14 font name of PyMuPDF, its size, and the space above it."""

    font: str = "tiro"
    size: float = 10.5
    before: float = 6.0

    @property
    def leading(self) -> float:
        """Distance from one baseline to the next."""
        return self.size * 1.32


BODY = Style()
SMALL = Style(size=9.0, before=4.0)
NOTE = Style(size=8.0, before=2.0)
CAPTION = Style(font="heit", size=9.0, before=5.0)
TITLE = Style(font="hebo", size=26.0, before=10.0)
HEADINGS = (
    Style(font="hebo", size=18.0, before=16.0),
    Style(font="hebo", size=14.0, before=13.0),
    Style(font="hebo", size=11.5, before=10.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCell:
    """One cell of a drawn table; spans count grid columns and rows."""

    text: str
    row: int
    column: int
    rowspan: int = 1
    colspan: int = 1
    bold: bool = False
    align: Align = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridStyle:
    """How a table looks: how many columns stand left and how the others do; whether the last row sums up."""

    ruled: bool = True
    text_columns: int = 1
    numbers: Align = "right"
    total: bool = False
    row_height: float = 17.0
    size: float = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table to draw; ``widths`` are those of its columns, from the left margin on."""

    widths: tuple[float, ...]
    cells: tuple[GridCell, ...]
    style: GridStyle

    @property
    def row_count(self) -> int:
        """Rows of the grid."""
        return max(cell.row + cell.rowspan for cell in self.cells)


@dataclass(slots=True)
class Sheet:
    """A page that is written from the top down; ``y`` is the lower edge of what is written already."""

    page: pymupdf.Page
    x0: float = LEFT
    x1: float = RIGHT
    y: float = TOP
    fonts: dict[str, pymupdf.Font] = field(default_factory=dict)
    writers: dict[Colour, pymupdf.TextWriter] = field(default_factory=dict)

    def font(self, name: str) -> pymupdf.Font:
        """The font of this name, loaded once."""
        return self.fonts.setdefault(name, pymupdf.Font(name))

    def line(self, x: float, y: float, text: str, style: Style, colour: Colour = INK) -> None:
        """Set one line with its baseline at ``y``; ``finish`` writes it."""
        writer = self.writers.setdefault(colour, pymupdf.TextWriter(self.page.rect))
        writer.append((x, y), text, font=self.font(style.font), fontsize=style.size)

    def finish(self) -> None:
        """Write the lines onto the page, in the order in which they were set; those set later come in a later call."""
        for colour, writer in self.writers.items():
            writer.write_text(self.page, color=colour)
        self.writers.clear()

    def paragraph(self, text: str, style: Style = BODY, *, bullet: str = "") -> None:
        """Write a wrapped paragraph; a ``bullet`` hangs in front of its first line."""
        indent = 14.0 if bullet else 0.0
        self.y += style.before
        for number, line in enumerate(wrap(text, self.font(style.font), style.size, self.x1 - self.x0 - indent)):
            self.y += style.leading
            prefix = bullet + "  " if bullet and number == 0 else ""
            hang = indent - self.font(style.font).text_length(prefix, style.size) if prefix else indent
            self.line(self.x0 + hang, self.y - style.size * 0.3, prefix + line, style)

    def heading(self, level: int, text: str) -> None:
        """Write a heading of level 1, 2 or 3."""
        self.paragraph(text, HEADINGS[level - 1])

    def footnotes(self, notes: Sequence[str]) -> None:
        """Write footnotes under a short rule at the foot of the text area."""
        width = self.x1 - self.x0
        lines = sum(len(list(wrap(note, self.font(NOTE.font), NOTE.size, width))) for note in notes)
        self.y = BOTTOM - lines * NOTE.leading - len(notes) * NOTE.before
        self.page.draw_line((self.x0, self.y), (self.x0 + 120, self.y), color=GREY, width=0.5)
        for note in notes:
            self.paragraph(note, NOTE)

    def running_lines(self, header: str, footer: str, number: int) -> None:
        """Write the running header and the footer with its page number."""
        small = Style(font="helv", size=8.0)
        self.line(LEFT, 50, header, small, GREY)
        self.page.draw_line((LEFT, 57), (RIGHT, 57), color=GREY, width=0.4)
        self.line(LEFT, 806, footer, small, GREY)
        mark = f"Page {number}"
        self.line(RIGHT - self.font("helv").text_length(mark, small.size), 806, mark, small, GREY)

    def picture(self, png: bytes, height: float) -> None:
        """Place a picture over the width of the text area."""
        self.y += 10
        self.page.insert_image((self.x0, self.y, self.x1, self.y + height), stream=png)
        self.y += height

    def table(self, grid: Grid) -> None:
        """Draw a table at the left margin."""
        self.y += 6
        lefts = [self.x0 + sum(grid.widths[:n]) for n in range(len(grid.widths) + 1)]
        for cell in sorted(grid.cells, key=lambda c: (c.row, c.column)):
            x0, x1 = lefts[cell.column], lefts[cell.column + cell.colspan]
            y0 = self.y + cell.row * grid.style.row_height
            box = (x0, y0, x1, y0 + cell.rowspan * grid.style.row_height)
            if grid.style.ruled:
                self.page.draw_rect(box, color=GREY, width=0.6)
            self._cell_text(cell, box, grid.style.size)
        self.y += grid.row_count * grid.style.row_height

    def _cell_text(self, cell: GridCell, box: tuple[float, float, float, float], size: float) -> None:
        style = Style(font="hebo" if cell.bold else "helv", size=size)
        free = box[2] - box[0] - 10 - self.font(style.font).text_length(cell.text, size)
        x = box[0] + 5 + {"left": 0.0, "centre": free / 2, "right": free}[cell.align]
        if free < 0:
            raise ValueError(f"the text of a cell is {-free:.0f} points too wide: {cell.text}")
        if cell.text:
            self.line(x, (box[1] + box[3]) / 2 + size * 0.35, cell.text, style)


def wrap(text: str, font: pymupdf.Font, size: float, width: float) -> Iterator[str]:
    """Break a text into lines of at most ``width``, at spaces and (with a hyphen) at soft hyphens."""
    line = ""
    for word in text.split():
        head, rest = _fit(word, line, font, size, width)
        line = f"{line} {head}".strip()
        if rest:
            yield line
            line = rest
    if line:
        yield line


def _fit(word: str, line: str, font: pymupdf.Font, size: float, width: float) -> tuple[str, str]:
    """How much of a word still goes onto a line, and what is left for the next one."""
    pieces = word.split(SOFT_HYPHEN)
    for taken in range(len(pieces), 0, -1):
        head = "".join(pieces[:taken]) + ("-" if taken < len(pieces) else "")
        if font.text_length(f"{line} {head}".strip(), size) <= width:
            return head, "".join(pieces[taken:])
    return "", "".join(pieces)


def grid_of_rows(rows: Sequence[Sequence[str]], widths: tuple[float, ...], style: GridStyle) -> Grid:
    """A grid without spans whose first row is its header."""
    cells = tuple(
        GridCell(
            text=text,
            row=r,
            column=c,
            bold=r == 0 or (style.total and r == len(rows) - 1),
            align="left" if c < style.text_columns else style.numbers,
        )
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    )
    return Grid(widths=widths, cells=cells, style=style)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Grouped bars: ``series`` maps a legend entry to a value a group; the axis ends at ``top``."""

    groups: tuple[str, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]
    axis: str
    top: float
    step: float


def draw_bars(sheet: Sheet, chart: BarChart, height: float) -> None:
    """Draw a chart as vector graphics with an axis, tick labels, bar values and a legend."""
    label = Style(font="helv", size=8.0)
    sheet.y += 24
    sheet.line(sheet.x0, sheet.y - 10, chart.axis, label, GREY)
    left, foot, scale = sheet.x0 + 40, sheet.y + height, height / chart.top
    for tick in range(int(chart.top / chart.step) + 1):
        y = foot - tick * chart.step * scale
        sheet.page.draw_line((left - 3, y), (left, y), color=INK, width=0.6)
        text = f"{tick * chart.step:,.0f}"
        sheet.line(left - 5 - sheet.font("helv").text_length(text, 8), y + 3, text, label, GREY)
    slot = (sheet.x1 - left) / len(chart.groups)
    bar = slot / (len(chart.series) + 1)
    for g, group in enumerate(chart.groups):
        start = left + g * slot + bar / 2
        for s, (_, values) in enumerate(chart.series):
            x, y = start + s * bar, foot - values[g] * scale
            sheet.page.draw_rect((x, y, x + bar - 3, foot), color=None, fill=(PALE, BLUE)[s % 2])
            sheet.line(x + 4, y - 3, f"{values[g]:,.0f}", label)
        sheet.line(start + bar - 8, foot + 12, group, label)
    sheet.page.draw_polyline([(left, foot - height), (left, foot), (sheet.x1, foot)], color=INK, width=0.8)
    for s, (name, _) in enumerate(chart.series):
        x = sheet.x1 - 110 + s * 58
        sheet.page.draw_rect((x, sheet.y - 18, x + 9, sheet.y - 9), color=None, fill=(PALE, BLUE)[s % 2])
        sheet.line(x + 13, sheet.y - 10, name, label)
    sheet.y = foot + 18


def save(doc: pymupdf.Document, *, title: str, date: str) -> bytes:
    """The bytes of a document, equal in every run: fonts are subset, ``date`` (``D:...``) and the id are fixed."""
    doc.subset_fonts(fallback=True)
    doc.set_metadata(
        {"title": title, "author": "Halvane Sound Ferry Cooperative", "creationDate": date, "modDate": date}
    )
    data: bytes = doc.tobytes(garbage=4, deflate=True, no_new_id=True)
    return data
