"""A made table as a file: PDF, DOCX, HTML or XLSX, as an office would print it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import pymupdf

from tests.asked_tables import Printed, Row

MARGIN, LINE = 56.0, 15.0
_NUMERIC = re.compile(r"[(\-–]?[\d.,]+%?\)?|–")
FORMATS: dict[str, Callable[[Printed, Path], None]] = {}


def print_table(table: Printed, form: str, folder: Path) -> Path:
    """Write a table to ``folder`` in one of ``FORMATS``."""
    path = folder / f"{table.name}.{form}"
    FORMATS[form](table, path)
    return path


def _printer(form: str) -> Callable[[Callable[[Printed, Path], None]], Callable[[Printed, Path], None]]:
    def keep(write: Callable[[Printed, Path], None]) -> Callable[[Printed, Path], None]:
        FORMATS[form] = write
        return write

    return keep


def _width(table: Printed) -> int:
    return sum(span for _, span in table.header[0])


@_printer("pdf")
def _pdf(table: Printed, path: Path) -> None:  # noqa: C901 (a page drawn from top to bottom)
    """Ruled where the name's length is even, else with lines below the header alone; the header again on each page.

    Without rules a header stands over its column as the column's values do: to the right over numbers.
    """
    doc = pymupdf.open()
    width = _width(table)
    step = (595 - 2 * MARGIN - 130) / (width - 1)
    edges = [MARGIN, *(MARGIN + 130 + step * n for n in range(width))]
    ruled = len(table.name) % 2 == 0
    rows = list(table.rows)
    first = True
    while rows or first:
        page = doc.new_page()
        y = MARGIN
        if first:
            page.insert_text((MARGIN, y + 10), table.title, fontsize=18, fontname="hebo")
            y += 40
            if table.prose:
                page.insert_textbox((MARGIN, y, 595 - MARGIN, y + 40), table.prose, fontsize=10)
                y += 44
            page.insert_text((MARGIN, y), table.caption, fontsize=9, fontname="heit")
            y += 8
        top = y
        for cells in table.header:
            at = 0
            for text, span in cells:
                over = not ruled and _NUMERIC.fullmatch(table.rows[-1][at]) is not None
                _write(page, text, edges[at], edges[at + span], y, centred=span > 1, to_right=over, bold=True)
                at += span
            y += LINE
            _rule(page, edges, y)
        while rows and y < 842 - MARGIN - LINE:
            row = rows.pop(0)
            for at, text in enumerate(row):
                _write(page, text, edges[at], edges[at + 1] if len(row) > 1 else edges[-1], y, bold=len(row) == 1)
            y += LINE
            if ruled:
                _rule(page, edges, y)
        _rule(page, edges, top)
        _rule(page, edges, y)
        if ruled:
            for x in edges:
                page.draw_line((x, top), (x, y))
        if not rows and table.note:
            page.insert_text((MARGIN, y + LINE), table.note, fontsize=8)
        first = False
    doc.save(path)


def _rule(page: pymupdf.Page, edges: list[float], y: float) -> None:
    page.draw_line((edges[0], y), (edges[-1], y))


def _write(
    page: pymupdf.Page,
    text: str,
    left: float,
    right: float,
    y: float,
    *,
    centred: bool = False,
    to_right: bool = False,
    bold: bool = False,
) -> None:
    font = pymupdf.Font("hebo" if bold else "helv")
    size = 8.0
    while font.text_length(text, size) > right - left - 5:
        size -= 0.25
    length = font.text_length(text, size)
    numeric = to_right or _NUMERIC.fullmatch(text) is not None
    x = (left + right - length) / 2 if centred else right - length - 3 if numeric else left + 3
    writer = pymupdf.TextWriter(page.rect)
    writer.append((x, y + 11), text, font=font, fontsize=size)
    writer.write_text(page)


@_printer("docx")
def _docx(table: Printed, path: Path) -> None:
    from docx import Document

    doc = Document()
    doc.add_heading(table.title, 1)
    if table.prose:
        doc.add_paragraph(table.prose)
    doc.add_paragraph(table.caption, style="Caption")
    width = _width(table)
    grid = doc.add_table(rows=len(table.header) + len(table.rows), cols=width)
    grid.style = "Table Grid"
    columns = [list(row.cells) for row in grid.rows]
    for r, cells in enumerate(table.header):
        at = 0
        for text, span in cells:
            cell = columns[r][at]
            if span > 1:
                cell = cell.merge(columns[r][at + span - 1])
            cell.text = ""
            cell.paragraphs[0].add_run(text).bold = True
            at += span
    for r, row in enumerate(table.rows, len(table.header)):
        if len(row) == 1:
            columns[r][0].merge(columns[r][-1]).text = row[0]
            continue
        for c, text in enumerate(row):
            columns[r][c].text = text
    if table.note:
        doc.add_paragraph(table.note)
    doc.save(path)


@_printer("html")
def _html(table: Printed, path: Path) -> None:
    path.write_text("\n".join(_markup(table)), "utf-8")


def _markup(table: Printed) -> Iterator[str]:
    title = escape(table.title)
    yield f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title></head><body><main>"
    yield f"<h1>{title}</h1>"
    if table.prose:
        yield f"<p>{escape(table.prose)}</p>"
    yield f"<table><caption>{escape(table.caption)}</caption><thead>"
    for cells in table.header:
        yield "<tr>" + "".join(f"<th colspan='{n}'>{escape(text)}</th>" for text, n in cells) + "</tr>"
    yield "</thead><tbody>"
    for row in table.rows:
        tags = [f"<td>{escape(text)}</td>" for text in row]
        yield (
            "<tr>"
            + (f"<th colspan='{_width(table)}'>{escape(row[0])}</th>" if len(row) == 1 else "".join(tags))
            + "</tr>"
        )
    yield "</tbody></table>"
    yield f"<p>{escape(table.note)}</p></main></body></html>"


@_printer("xlsx")
def _xlsx(table: Printed, path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = table.name[:30]
    sheet["A1"] = table.title
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["A2"] = table.caption
    top = 4
    for r, cells in enumerate(table.header):
        at = 1
        for text, span in cells:
            sheet.cell(top + r, at, text or None).font = Font(bold=True)
            if span > 1:
                sheet.merge_cells(start_row=top + r, start_column=at, end_row=top + r, end_column=at + span - 1)
            at += span
    top += len(table.header)
    for r, row in enumerate(table.rows):
        _xlsx_row(sheet, top + r, row)
    if table.note:
        sheet.cell(top + len(table.rows) + 1, 1, table.note)
    book.save(path)


def _xlsx_row(sheet, number: int, row: Row) -> None:
    for at, text in enumerate(row, 1):
        value, form = _typed(text)
        cell = sheet.cell(number, at, value)
        if form:
            cell.number_format = form


def _typed(text: str) -> tuple[object, str]:
    """What a spreadsheet holds of a printed text, and the format in which it shows it so."""
    if re.fullmatch(r"\d{4}", text):
        return int(text), "0"
    money = re.match(r"[$€£] ", text)
    if money is not None:
        value, form = _typed(text[2:])
        return value, form and ";".join(f'"{text[0]}" {part}' for part in form.split(";"))
    m = re.fullmatch(r"(\()?([\d,]*\d)(\.\d+)?(%)?\)?", text)
    if m is None:
        return text or None, ""
    places = len(m[3]) - 1 if m[3] else 0
    value = float(m[2].replace(",", "") + (m[3] or ""))
    decimals = "." + "0" * places if places else ""
    if m[4]:
        return value / 100, f"0{decimals}%"
    value = -value if m[1] else value
    return (value if places else int(value)), f"#,##0{decimals};(#,##0{decimals})"
