"""An answer as it is printed: its sentences, and under their numbers the quotes, tables and pictures that bear them."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from ingest.library import Library
from ingest.tables import grid, header_rows
from ingest.types import Answer, Cell, Citation, Element, Hit, Record

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

INDENT = 4
SHOWN_CHARACTERS = 240
SHOWN_HITS = 3
NARROWEST = 40
"""Columns of the narrowest terminal that lines are broken for."""
UNBROKEN = 10_000
"""Columns of what is printed for programs, whose lines are not broken."""
COLUMN = 12
"""Columns of the terminal that a column of a table should have, at least."""
CELL_CHARACTERS = 60
"""Characters of a cell that are shown, at most."""
_RAISED = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_MARKS = re.compile(r"(\s*)((?:\[\d+\])+)")
_STEERING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what is printed after them, also of what is not the document's."""
_UNSEEN = ("Cc", "Cs")
"""Unicode categories of control characters and lone surrogates."""
_ISOLATE, _END = "\u2068", "\u2069"
_ELEMENTS = {
    "CodeSnippet": "code",
    "FigureCaption": "caption",
    "Image": "picture",
    "ListItem": "list item",
    "NarrativeText": "paragraph",
    "Table": "table",
    "Title": "heading",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How to print: ``width`` in columns to break lines at (``None``: not at all), colours, raised numbers."""

    width: int | None = None
    colour: bool = False
    raised: bool = False


def plain(text: str) -> str:
    """A text of one line that cannot steer the terminal: file names and documents may hold any character."""
    return "".join(
        c.encode("unicode_escape").decode() if c in _STEERING or unicodedata.category(c) in _UNSEEN else c for c in text
    )


def printed_answer(found: Answer, library: Library, look: Look) -> str:
    """An answer, how its question was understood, and what it cites; where nothing was found, what comes nearest."""
    from rich.text import Text

    console = _console(look)
    if found.full_question and found.full_question != found.question:
        console.print(Text(f"understood as: {plain(found.full_question)}", style="dim"))
    numbers = {citation.number for citation in found.citations}
    for line in found.text.splitlines():
        said = _raised(plain(line), numbers) if look.raised else plain(line)
        console.print(Text(said, style="bold" if found.found else ""))
    if found.clarify and found.clarify != found.text:
        console.print(Text(plain(found.clarify)))
    if found.records:
        console.print(_records(found.records))
    return _written(console) + printed_citations(found.citations, library, look) + _nearest(found, library, look)


def printed_citations(citations: Sequence[Citation], library: Library, look: Look) -> str:
    """What is cited, each with its place, quote and picture, and the rows of a table together under its headers.

    Begins with an empty line where there is anything.
    """
    from rich.padding import Padding

    console = _console(look)
    owned = [(citation, _owner(citation, library)) for citation in citations]
    for place, (_, group) in enumerate(groupby(owned, key=_table_of)):
        if not place:
            console.print()
        together = list(group)
        for citation, owner in together:
            console.print(_entry(citation, owner, look))
            for note in _notes(citation, library):
                console.print(Padding(note, (0, 0, 0, INDENT)))
        table = _cited_rows(together, look)
        if table is not None:
            console.print(Padding(table, (1, 0, int(together[-1] is not owned[-1]), INDENT)))
    return _written(console)


_Owned = tuple[Citation, Element | None]


def _table_of(owned: _Owned) -> str:
    """What citations are printed together by: their table, or else nothing but their own number."""
    citation, owner = owned
    return owner.element_id if owner is not None and owner.cells else f"[{citation.number}]"


def _raised(text: str, numbers: set[int]) -> str:
    """Marks as raised numbers; a space parts them from a figure, of which they would seem the power."""

    def raised(marks: re.Match[str]) -> str:
        found = [int(n) for n in re.findall(r"\d+", marks[2])]
        if not numbers.issuperset(found):
            return marks[0]
        before = text[: marks.start()]
        gap = " " if before[-1:].isdigit() or before[-1:] in "%\u2030" else ""
        return gap + " ".join(str(n).translate(_RAISED) for n in found)

    return _MARKS.sub(raised, text)


def _entry(citation: Citation, owner: Element | None, look: Look) -> RenderableType:
    """``[1] report.pdf p. 3, Results: "..."`` with its further lines under its text."""
    from rich.table import Table
    from rich.text import Text

    titles = plain(" \u203a ".join(citation.title_path))
    # A quote ends with its own words; the sentence that bore it may go on in the document.
    quote = plain(" ".join(citation.quote.split()))
    if look.raised and _is_right_to_left(quote):
        quote = f"{_ISOLATE}{quote}{_END}"
    said = Text()
    said.append(plain(citation.doc), style="bold")
    if citation.page:
        said.append(f" p. {citation.page}", style="bold")
    elif owner is not None and owner.category in _ELEMENTS:
        said.append(f", {_ELEMENTS[owner.category]}")
    if titles:
        said.append(f", {titles}")
    said.append(f': "{quote}"')
    if not citation.verified:
        said.append(" (not verified)", style="yellow")
    number = Text(f"[{citation.number}]", style="cyan")
    if look.width is None:
        return Text.assemble(number, " ", said)
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(number, said)
    return row


def _is_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)


def _notes(citation: Citation, library: Library) -> Iterator[RenderableType]:
    from rich.text import Text

    if citation.image:
        yield Text(
            f"picture: {plain(str(library.folder / citation.image))}", style="dim", no_wrap=True, overflow="ignore"
        )
    if citation.url:
        yield Text(plain(citation.url), style="dim", no_wrap=True, overflow="ignore")


def _owner(citation: Citation, library: Library) -> Element | None:
    """The element that a quote stands in."""
    chunk = library.chunk(citation.chunk_id)
    elements = library.elements(chunk.element_ids) if chunk else []
    if citation.kind == "table":
        return next((e for e in elements if e.cells), None)
    from retrievers.citations import fold

    wanted = fold(citation.quote)
    return next((e for e in elements if wanted in fold(e.text)), None)


# --- tables -------------------------------------------------------------------------------------


def _cited_rows(together: Sequence[_Owned], look: Look) -> RenderableType | None:
    """The cited rows of a table under its headers, the cited cells marked; several rows have their numbers."""
    table = together[0][1]
    if table is None or not table.cells or together[0][0].kind != "table":
        return None
    found = [(citation, _cited_row(citation, table)) for citation, _ in together]
    rows = [(citation, row) for citation, row in found if row is not None]
    return _drawn_table(table, rows, look) if rows else None


def _cited_row(citation: Citation, table: Element) -> int | None:
    if citation.cell is not None:
        return citation.cell.row
    from retrievers.citations import fold, row_text

    wanted = fold(citation.quote)
    return next((n for n in sorted({c.row for c in table.cells}) if fold(row_text(table.cells, n)) == wanted), None)


def _shown_columns(count: int, marked: int | None, look: Look) -> list[int]:
    """The columns that there is room for: the first, which names the row, and those about the marked one."""
    room = max(2, ((look.width or 100) - INDENT) // COLUMN)
    if count <= room:
        return list(range(count))
    middle = marked or 1
    first = max(1, min(middle - (room - 1) // 2, count - (room - 1)))
    return [0, *range(first, first + room - 1)]


_Row = Sequence[Cell | None]


def _drawn_table(table: Element, cited: Sequence[tuple[Citation, int]], look: Look) -> RenderableType:
    from rich import box
    from rich.table import Table

    dense = grid(table.cells)
    rows = [row for _, row in cited]
    heads = [dense[n] for n in range(header_rows(table.cells)) if n not in rows]
    marks = [c.cell.column if c.cell and c.cell.row == row else None for c, row in cited]
    columns = _shown_columns(len(dense[rows[0]]), marks[0], look)
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, show_header=bool(heads), padding=(0, 1, 0, 0))
    if len(cited) > 1:
        drawn.add_column("", style="cyan")
    for place, column in enumerate(columns):
        left_out = place > 0 and columns[place - 1] != column - 1
        head = _head(heads, column, _sayer(columns, marks[0]), left_out=left_out)
        drawn.add_column(head, overflow="fold", justify=_side(dense[rows[0]][column]))
    for (citation, row), marked in zip(cited, marks, strict=True):
        number = [f"[{citation.number}]"] if len(cited) > 1 else []
        drawn.add_row(*number, *(_cell(dense[row][c], is_marked=c == marked, look=look) for c in columns))
    return drawn


_Sayer = Callable[[Cell], int]


def _sayer(columns: Sequence[int], marked: int | None) -> _Sayer:
    """Above which of its columns a header stands that spans some: the marked one, else the first that is shown."""

    def column_of(cell: Cell) -> int:
        spanned = [c for c in columns if cell.column <= c < cell.column + cell.colspan]
        return marked if marked in spanned else spanned[0]

    return column_of


def _head(heads: Sequence[_Row], column: int, sayer: _Sayer, *, left_out: bool) -> Text:
    """The headers above a column, one under the other."""
    from rich.text import Text

    above = [head[column] for head in heads]
    lines = [_short(cell) for cell in above if cell is not None and cell.text.strip() and sayer(cell) == column]
    said = "\n".join(dict.fromkeys(lines))
    return Text(f"\u2026 {said}" if left_out else said)


def _cell(cell: Cell | None, *, is_marked: bool, look: Look) -> Text:
    from rich.text import Text

    said = _short(cell) if cell else ""
    if is_marked:
        return Text.assemble((said, "bold reverse")) if look.colour else Text(f"*{said}*")
    return Text(said)


def _short(cell: Cell) -> str:
    said = plain(" ".join(cell.text.split()))
    return said if len(said) <= CELL_CHARACTERS else said[:CELL_CHARACTERS] + "\u2026"


def _side(cell: Cell | None) -> Literal["left", "right"]:
    return "right" if cell is not None and re.fullmatch(r"[^A-Za-z]*\d[^A-Za-z]*", cell.text) else "left"


# --- records, hits ------------------------------------------------------------------------------


def _records(records: Sequence[Record]) -> RenderableType:
    """A small table of add-ons: rating, users, name and link."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    drawn.add_column("rating", justify="right")
    drawn.add_column("users", justify="right")
    drawn.add_column("add-on", overflow="fold")
    drawn.add_column("link", overflow="fold")
    for record in records:
        rating = "-" if record.rating is None else f"{record.rating:g}"
        users = "-" if record.users is None else f"{record.users:,}"
        drawn.add_row(rating, users, Text(plain(record.name)), Text(plain(record.url or "")))
    return drawn


def _nearest(found: Answer, library: Library, look: Look) -> str:
    if found.found or not found.hits or found.clarify:
        return ""
    hits = "".join(printed_hit(n, hit, library, look) for n, hit in enumerate(found.hits[:SHOWN_HITS], 1))
    return f"nearest passages:\n{hits}"


def printed_hit(number: int, hit: Hit, library: Library, look: Look) -> str:
    """A hit: its place, score and kind, and how its text begins."""
    from rich.padding import Padding
    from rich.text import Text

    console = _console(look)
    page = f" p. {hit.chunk.page_numbers[0]}" if hit.chunk.page_numbers else ""
    titles = " \u203a ".join(hit.chunk.title_path)
    where = plain(f"{hit.doc}{page}" + (f", {titles}" if titles else ""))
    console.print(Text.assemble((f"{number:2}.", "cyan"), " ", (where, "bold"), f"  {hit.score:.2f} {hit.chunk.kind}"))
    below = [Text(_cut(plain(" ".join(hit.chunk.text.split()))))]
    if hit.chunk.kind == "image":
        summaries = (element.summary for element in library.elements(hit.chunk.element_ids))
        told = (plain(" ".join(summary.split())) for summary in summaries if summary)
        below += [Text(f"described by a model, not the document: {_cut(said)}", style="dim") for said in told]
        if hit.chunk.image_path:
            below.append(Text(f"picture: {plain(str(library.folder / hit.chunk.image_path))}", style="dim"))
    for text in below:
        console.print(Padding(text, (0, 0, 0, INDENT)) if look.width else Text(" " * INDENT) + text)
    return _written(console)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "\u2026"


# --- the paper ----------------------------------------------------------------------------------


def _console(look: Look) -> Console:
    """Something to print on that keeps what is printed; the sixteen colours, which each terminal has for its ground."""
    from rich.console import Console

    return Console(
        file=io.StringIO(),
        width=max(NARROWEST, look.width) if look.width else UNBROKEN,
        color_system="standard" if look.colour else None,
        force_terminal=look.colour,
        no_color=not look.colour,
        soft_wrap=look.width is None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def _written(console: Console) -> str:
    written = console.file.getvalue()  # type: ignore[attr-defined]
    return "".join(line.rstrip(" ") + "\n" for line in written.splitlines())
