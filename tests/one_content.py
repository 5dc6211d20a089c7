"""One small document, and a writer of it for each format: what was written is what must be read, whatever the file.

A writer is a function from a ``Story`` to a file's bytes; ``WRITERS`` holds them by the file's extension. What a
format cannot hold is left out of the story that it is given: ``told`` says which.
"""

from __future__ import annotations

import base64
import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from html import escape
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from tests.make_samples.drawing import Sheet


@dataclass(frozen=True)
class Heading:
    depth: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Span:
    """A cell of a table, as it is written in its row."""

    text: str
    rowspan: int = 1
    colspan: int = 1


@dataclass(frozen=True)
class Table:
    """Rows of cells; those of the first ``head`` rows are headers. Covered places are not written."""

    rows: tuple[tuple[Span, ...], ...]
    head: int
    columns: int


@dataclass(frozen=True)
class Picture:
    png: bytes
    caption: str


Block = Heading | Paragraph | Table | Picture
Story = tuple[Block, ...]


def drawing() -> bytes:
    """A picture that shows something, as PNG."""
    picture = Image.new("RGB", (240, 160), "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((20, 60, 120, 140), fill="navy")
    pen.ellipse((130, 20, 220, 110), fill="orange")
    pen.line((0, 150, 240, 150), fill="green", width=6)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


STORY: Story = (
    Heading(0, "Harbour works"),
    Paragraph("The north pier was rebuilt in granite, and the keystone bears the mark zircon-4711 on its inner face."),
    Heading(1, "Costs of the piers"),
    Paragraph("All sums are in thousands, and they include the divers who inspected the piles twice a year."),
    Table(
        rows=(
            (Span("Pier", rowspan=2), Span("Cost", colspan=2)),
            (Span("2023"), Span("2024")),
            (Span("North", rowspan=2), Span("1,250"), Span("1,310")),
            (Span("980"), Span("1,015")),
            (Span("South"), Span("640"), Span("655")),
        ),
        head=2,
        columns=3,
    ),
    Paragraph("The south pier is cheaper because it stands on rock and needs no piles at all."),
    Heading(0, "Outlook for the lighthouse"),
    Paragraph("The lamp will be replaced by a smaller one in spring, when the keeper has left the island."),
    Picture(drawing(), "Figure 1: The lamp over the sea"),
    Paragraph("After that the tower will be open to visitors on every second Sunday."),
)


LETTERHEAD = ("The harbour in spring", "From: Zoe Quay")
"""What a message has above its text: the subject, and the fields of its head, which begin so."""


def places(table: Table) -> list[list[Span | None]]:
    """The dense grid of a table: a cell where it begins, ``None`` where one covers."""
    grid: list[list[Span | None]] = [[None] * table.columns for _ in table.rows]
    taken: set[tuple[int, int]] = set()
    for r, row in enumerate(table.rows):
        free = (c for c in range(table.columns))
        for cell in row:
            column = next(c for c in free if (r, c) not in taken)
            grid[r][column] = cell
            taken |= {(r + i, column + j) for i in range(cell.rowspan) for j in range(cell.colspan)}
    return grid


def start_of(table: Table, row: int, column: int) -> tuple[int, int, Span]:
    """Where the cell begins that stands at a place."""
    grid = places(table)
    return next(
        (r, c, cell)
        for r in range(row, -1, -1)
        for c in range(column, -1, -1)
        if (cell := grid[r][c]) is not None and r + cell.rowspan > row and c + cell.colspan > column
    )


def picture_of(story: Story) -> bytes:
    """The story's one picture."""
    (png,) = (block.png for block in story if isinstance(block, Picture))
    return png


def archive(parts: dict[str, bytes | str]) -> bytes:
    """A ZIP of named parts; a ``mimetype`` stands first and unpacked, as its formats ask for."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            packing = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            made.writestr(name, content, packing)
    return out.getvalue()


# HTML and what is made of it.


def html_table(table: Table) -> str:
    def row(cells: Iterable[Span], tag: str) -> Iterator[str]:
        for cell in cells:
            spans = f' rowspan="{cell.rowspan}" colspan="{cell.colspan}"'
            yield f"<{tag}{spans}>{escape(cell.text)}</{tag}>"

    rows = ["<tr>" + "".join(row(r, "th" if i < table.head else "td")) + "</tr>" for i, r in enumerate(table.rows)]
    return f"<table><thead>{''.join(rows[: table.head])}</thead><tbody>{''.join(rows[table.head :])}</tbody></table>"


def html_block(block: Block, source: str = "") -> str:
    if isinstance(block, Heading):
        return f"<h{block.depth + 1}>{escape(block.text)}</h{block.depth + 1}>"
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Table):
        return html_table(block)
    source = source or f"data:image/png;base64,{base64.b64encode(block.png).decode()}"
    return f'<figure><img src="{source}" alt=""/><figcaption>{escape(block.caption)}</figcaption></figure>'


def write_html(story: Story) -> bytes:
    body = "\n".join(map(html_block, story))
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{body}</body></html>'.encode()


def write_md(story: Story) -> bytes:
    def block(made: Block) -> str:
        if isinstance(made, Heading):
            return f"{'#' * (made.depth + 1)} {made.text}"
        return made.text if isinstance(made, Paragraph) else html_block(made)

    return "\n\n".join(map(block, story)).encode()


def write_epub(story: Story) -> bytes:
    """A book with a chapter for each heading of the highest level."""
    starts = [i for i, b in enumerate(story) if isinstance(b, Heading) and b.depth == 0]
    chapters = [story[a:b] for a, b in zip(starts, [*starts[1:], len(story)], strict=True)]
    names = [f"text/ch{n}.xhtml" for n in range(len(chapters))]
    page = (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">'
        "<head><title/></head><body>{}</body></html>"
    )
    items = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(names)))
    parts: dict[str, bytes | str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest>'
        f"<spine>{spine}</spine></package>",
    }
    for name, chapter in zip(names, chapters, strict=True):
        parts[f"OEBPS/{name}"] = page.format("".join(html_block(b, "../images/lamp%20one.png") for b in chapter))
    parts["OEBPS/images/lamp one.png"] = picture_of(story)
    return archive(parts)


# Office files.


def write_docx(story: Story) -> bytes:
    import docx

    document = docx.Document()
    for block in story:
        if isinstance(block, Heading):
            document.add_heading(block.text, block.depth + 1)
        elif isinstance(block, Paragraph):
            document.add_paragraph(block.text)
        elif isinstance(block, Picture):
            document.add_picture(io.BytesIO(block.png))
            document.add_paragraph(block.caption, style="Caption")
        else:
            _fill(document.add_table(len(block.rows), block.columns), block)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _fill(table, block: Table) -> None:
    """Fill and merge the cells of a table of python-docx or python-pptx."""
    for r, row in enumerate(places(block)):
        for c, cell in enumerate(row):
            if cell is not None:
                start = table.cell(r, c)
                if cell.rowspan > 1 or cell.colspan > 1:
                    start.merge(table.cell(r + cell.rowspan - 1, c + cell.colspan - 1))
                start.text = cell.text


def write_pptx(story: Story) -> bytes:
    """A deck with a slide for each heading."""
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    for block in story:
        if isinstance(block, Heading):
            shapes = deck.slides.add_slide(deck.slide_layouts[5]).shapes
            shapes.title.text, top = block.text, 1.6
        elif isinstance(block, Table):
            frame = shapes.add_table(len(block.rows), block.columns, Inches(1), Inches(top), Inches(6), Inches(1.6))
            _fill(frame.table, block)
            top += 2.2
        elif isinstance(block, Picture):
            shapes.add_picture(io.BytesIO(block.png), Inches(1), Inches(top), Inches(2.4), Inches(1.6))
            shapes.add_textbox(Inches(1), Inches(top + 1.7), Inches(6), Inches(0.4)).text_frame.text = block.caption
            top += 2.4
        else:
            shapes.add_textbox(Inches(1), Inches(top), Inches(8), Inches(0.5)).text_frame.text = block.text
            top += 0.8
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


ODF = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        *(("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("style", "style")),
        *(("fo", "xsl-fo-compatible"), ("svg", "svg-compatible"), ("presentation", "presentation")),
    )
)
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


def odf(body: str, *, styles: str = "", kind: str = "text", **parts: bytes | str) -> bytes:
    """An OpenDocument file of this body; ``parts`` are further members, ``__`` in their names stands for ``/``."""
    content = (
        f"<office:document-content {ODF} {XLINK}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    more = {name.replace("__", "/").replace("_png", ".png"): content for name, content in parts.items()}
    return archive({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, **more})


def write_odt(story: Story) -> bytes:
    styles = '<style:style style:name="Figure" style:family="paragraph" style:parent-style-name="Caption"/>'
    styles += '<style:style style:name="Caption" style:family="paragraph"/>'
    return odf("".join(map(_odt_block, story)), styles=styles, Pictures__lamp_png=picture_of(story))


def _odt_block(block: Block) -> str:
    if isinstance(block, Heading):
        return f'<text:h text:outline-level="{block.depth + 1}">{escape(block.text)}</text:h>'
    if isinstance(block, Paragraph):
        return f"<text:p>{escape(block.text)}</text:p>"
    if isinstance(block, Picture):
        frame = '<draw:frame><draw:image xlink:href="Pictures/lamp.png"/></draw:frame>'
        return f'<text:p>{frame}</text:p><text:p text:style-name="Figure">{escape(block.caption)}</text:p>'
    rows = ["<table:table-row>" + "".join(map(_odt_cell, row)) + "</table:table-row>" for row in places(block)]
    head = f"<table:table-header-rows>{''.join(rows[: block.head])}</table:table-header-rows>"
    return f"<table:table>{head}{''.join(rows[block.head :])}</table:table>"


def _odt_cell(cell: Span | None) -> str:
    if cell is None:
        return "<table:covered-table-cell/>"
    spans = f'table:number-columns-spanned="{cell.colspan}" table:number-rows-spanned="{cell.rowspan}"'
    return f"<table:table-cell {spans}><text:p>{escape(cell.text)}</text:p></table:table-cell>"


def write_rtf(story: Story) -> bytes:
    styles = r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}{\s2 heading 2;}{\s9 caption;}}"
    return f"{{\\rtf1\\ansi\\ansicpg1252{styles}{''.join(map(_rtf_block, story))}}}".encode("cp1252")


def _rtf_block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"\\pard\\plain\\s{block.depth + 1}\\outlinelevel{block.depth}\\b {block.text}\\par\n"
    if isinstance(block, Paragraph):
        return f"\\pard\\plain {block.text}\\par\n"
    if isinstance(block, Picture):
        pict = f"{{\\*\\shppict{{\\pict\\pngblip\\picw240\\pich160\n{block.png.hex()}}}}}"
        return f"\\pard\\plain {pict}\\par\n\\pard\\plain\\s9 {block.caption}\\par\n"
    return "".join(_rtf_row(block, r) for r in range(len(block.rows))) + "\\pard\n"


def _rtf_row(table: Table, row: int) -> str:
    marks, texts = "", ""
    for column in range(table.columns):
        r, c, cell = start_of(table, row, column)
        marks += ("\\clvmgf" if r == row else "\\clvmrg") if cell.rowspan > 1 else ""
        marks += ("\\clmgf" if c == column else "\\clmrg") if cell.colspan > 1 else ""
        marks += f"\\cellx{2000 * (column + 1)}"
        texts += f"\\pard\\intbl {cell.text if (r, c) == (row, column) else ''}\\cell "
    head = "\\trhdr" if row < table.head else ""
    return f"\\trowd{head}{marks}{texts}\\row\n"


def write_pdf(story: Story) -> bytes:
    import pymupdf

    from tests.make_samples.drawing import A4, Sheet, save

    doc = pymupdf.open()
    sheet = Sheet(page=doc.new_page(width=A4[0], height=A4[1]))
    for block in story:
        if sheet.y + _drawn_height(block) > A4[1] - 60:
            sheet.finish()
            sheet = Sheet(page=doc.new_page(width=A4[0], height=A4[1]))
        _draw(sheet, block)
    sheet.finish()
    return save(doc, title="Harbour works", date="D:20250318090000Z")


def _drawn_height(block: Block) -> float:
    """Points that a block takes on a page, and a heading with what follows it, about."""
    rows = len(block.rows) if isinstance(block, Table) else 0
    return 20.0 * rows if rows else 200.0 if isinstance(block, Picture) else 80.0


def _draw(sheet: Sheet, block: Block) -> None:
    import pymupdf

    from tests.make_samples.drawing import LEFT, Grid, GridCell, GridStyle, Style

    if isinstance(block, Heading):
        sheet.heading(block.depth + 1, block.text)
    elif isinstance(block, Paragraph):
        sheet.paragraph(block.text)
    elif isinstance(block, Picture):
        box = pymupdf.Rect(LEFT, sheet.y + 8, LEFT + 240, sheet.y + 168)
        sheet.page.insert_image(box, stream=block.png)
        sheet.y = box.y1 + 4
        sheet.paragraph(block.caption, Style(font="tiit", size=9.0))
    else:
        cells = tuple(
            GridCell(text=cell.text, row=r, column=c, rowspan=cell.rowspan, colspan=cell.colspan, bold=r < block.head)
            for r, row in enumerate(places(block))
            for c, cell in enumerate(row)
            if cell is not None
        )
        sheet.table(Grid(widths=(140.0, 100.0, 100.0), cells=cells, style=GridStyle()))


# Saved pages, marked-up texts and mail.


def write_mhtml(story: Story) -> bytes:
    """A page with its picture beside it, as browsers save them."""
    page = "\n".join(html_block(b, "images/lamp.png") for b in story)
    saved = MIMEMultipart("related", type="text/html")
    saved["From"], saved["Snapshot-Content-Location"] = "<Saved by Blink>", "https://harbour.example/works/"
    parts = [
        MIMEText(f"<!DOCTYPE html><html><body>{page}</body></html>", "html", "utf-8"),
        MIMEImage(picture_of(story)),
    ]
    for part, name in zip(parts, ("", "images/lamp.png"), strict=True):
        part["Content-Location"] = f"https://harbour.example/works/{name}"
        saved.attach(part)
    return saved.as_bytes()


def write_rst(story: Story) -> bytes:
    return "\n\n".join(map(_rst_block, story)).encode()


def _rst_block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{block.text}\n{'=-'[block.depth] * len(block.text)}"
    if isinstance(block, Paragraph):
        return block.text
    if isinstance(block, Picture):
        source = f"data:image/png;base64,{base64.b64encode(block.png).decode()}"
        return f".. figure:: {source}\n\n   {block.caption}"
    return "\n".join(_rst_rows(block))


def _rst_rows(table: Table) -> Iterator[str]:
    """A grid table: lines between cells are drawn where one ends."""
    width = max(len(cell.text) for row in table.rows for cell in row) + 2
    for row in range(len(table.rows) + 1):
        yield "+" + "".join(_rst_edge(table, row, column, width) for column in range(table.columns))
        if row < len(table.rows):
            starts = [start_of(table, row, column) for column in range(table.columns)]
            texts = [c.text if (r, k) == (row, n) else "" for n, (r, k, c) in enumerate(starts)]
            ends = [n + 1 == k + c.colspan for n, (_, k, c) in enumerate(starts)]
            yield "|" + "".join(f" {t:<{width - 1}}{'|' if e else ' '}" for t, e in zip(texts, ends, strict=True))


def _rst_edge(table: Table, row: int, column: int, width: int) -> str:
    """The line above a cell: none inside of one that spans rows, and a double one under the header."""
    is_inside = 0 < row < len(table.rows) and start_of(table, row, column)[0] < row
    return (" " if is_inside else "=" if row == table.head else "-") * width + "+"


def html_message(story: Story) -> EmailMessage:
    """A message in HTML alone, with its picture in it."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = LETTERHEAD[0], "Zoe Quay <zoe@harbour.example>", "Jo Pier"
    message.set_content(
        f"<html><body>{''.join(html_block(b, 'cid:lamp') for b in story)}</body></html>", subtype="html"
    )
    message.add_related(picture_of(story), "image", "png", cid="<lamp>")
    return message


def write_eml(story: Story) -> bytes:
    return html_message(story).as_bytes()


def write_msg(story: Story) -> bytes:
    """The same message as Outlook saves it, by the numbers of its properties (MS-OXPROPS)."""
    from tests import outlook_file

    message = html_message(story)
    page = message.get_body(("html",)).get_content().encode()
    return outlook_file.message(
        strings={
            0x1A: "IPM.Note",
            0x37: LETTERHEAD[0],
            0x0C1A: "Zoe Quay",
            0x0C1F: "zoe@harbour.example",
            0x0E04: "Jo Pier",
        },
        binaries={0x1013: page},
        numbers={0x3FDE: 65001},
        attachments=[({0x3707: "lamp.png", 0x370E: "image/png", 0x3712: "lamp"}, {0x3701: picture_of(story)})],
    )


# Sheets and records.


def sheet_lines(story: Story) -> Iterator[tuple[int, Table | str]]:
    """What stands in a sheet under the heading that is its name: texts and tables, each with its row from 0.

    A heading and the text on it stand above their table, a note below it; all else is parted by an empty row.
    """
    row = 0
    for before, block in zip((None, *story), story, strict=False):
        if isinstance(before, Paragraph) and isinstance(block, Heading):
            row += 1
        if isinstance(block, Table):
            yield row, block
            row += len(block.rows)
        elif not (isinstance(block, Heading) and block.depth == 0):
            yield row, block.text
            row += 1


def write_xlsx(story: Story) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = story[0].text
    for top, block in sheet_lines(story):
        if isinstance(block, str):
            sheet.cell(top + 1, 1, block)
            continue
        for r, row in enumerate(places(block), top + 1):
            for c, cell in enumerate(row, 1):
                if cell is not None:
                    sheet.cell(r, c, figure(cell.text)).number_format = "#,##0" if "," in cell.text else "General"
                    if cell.rowspan > 1 or cell.colspan > 1:
                        sheet.merge_cells(None, r, c, r + cell.rowspan - 1, c + cell.colspan - 1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def figure(text: str) -> str | int:
    """What a spreadsheet stores of a cell that shows this text."""
    digits = text.replace(",", "")
    return int(digits) if digits.isdecimal() else text


def write_ods(story: Story) -> bytes:
    rows, gap = "", "<table:table-row><table:table-cell/></table:table-row>"
    at = 0
    for top, block in sheet_lines(story):
        rows += gap * (top - at)
        if isinstance(block, str):
            rows, at = rows + f"<table:table-row>{_ods_cell(Span(block))}</table:table-row>", top + 1
        else:
            made = ("<table:table-row>" + "".join(map(_ods_cell, row)) + "</table:table-row>" for row in places(block))
            rows, at = rows + "".join(made), top + len(block.rows)
    return odf(f'<table:table table:name="{story[0].text}">{rows}</table:table>', kind="spreadsheet")


def _ods_cell(cell: Span | None) -> str:
    value = None if cell is None else figure(cell.text)
    kind = (
        f'office:value-type="float" office:value="{value}"' if isinstance(value, int) else 'office:value-type="string"'
    )
    return _odt_cell(cell).replace("<table:table-cell ", f"<table:table-cell {kind} ")


def write_csv(story: Story) -> bytes:
    out = io.StringIO()
    (table,) = story
    csv.writer(out).writerows([cell.text for cell in row] for row in table.rows)
    return out.getvalue().encode()


def write_parquet(story: Story) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (table,) = story
    head, *body = ([cell.text for cell in row] for row in table.rows)
    out = io.BytesIO()
    pq.write_table(pa.table(dict(zip(head, zip(*body, strict=True), strict=True))), out)
    return out.getvalue()


WRITERS: dict[str, Callable[[Story], bytes]] = {
    "csv": write_csv,
    "docx": write_docx,
    "eml": write_eml,
    "epub": write_epub,
    "html": write_html,
    "md": write_md,
    "mhtml": write_mhtml,
    "msg": write_msg,
    "ods": write_ods,
    "odt": write_odt,
    "parquet": write_parquet,
    "pdf": write_pdf,
    "pptx": write_pptx,
    "rst": write_rst,
    "rtf": write_rtf,
    "xlsx": write_xlsx,
}
RECORDS: Story = (
    Table(
        rows=tuple(
            tuple(map(Span, row))
            for row in (
                ("Pier", "Mark on the keystone", "Cost in 2023", "Cost in 2024"),
                ("North", "zircon-4711", "1,250", "1,310"),
                ("South", "agate-12", "640", "655"),
            )
        ),
        head=1,
        columns=4,
    ),
)
"""The table and the token where a file has nothing but records."""


def told(suffix: str) -> Story:
    """As much of the story as a format can hold.

    A slide's headings have no levels. A sheet has a name, texts and tables, and no picture that is read. A file of
    records is one table without spans.
    """
    if suffix in ("csv", "parquet"):
        return RECORDS
    if suffix in ("xlsx", "ods"):
        table = next(n for n, block in enumerate(STORY) if isinstance(block, Table))
        return STORY[: table + 2]
    return flat(STORY) if suffix == "pptx" else STORY


def flat(story: Story) -> Story:
    """A story whose headings are all of the highest level."""
    return tuple(replace(b, depth=0) if isinstance(b, Heading) else b for b in story)
