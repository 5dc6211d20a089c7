"""Tables in a passage (Markdown, HTML, lines with columns), and whether a sentence names a cell of one rightly."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from retrievers.check_numbers import SCALES
from retrievers.check_text import Token, read_text
from retrievers.check_words import kind_of

_TABLE = re.compile(r"<table\b.*?</table\s*>", re.IGNORECASE | re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>(.*?)(?:</tr\s*>|(?=<tr\b)|$)", re.IGNORECASE | re.DOTALL)
_CELL = re.compile(r"<(t[dh])\b([^>]*)>(.*?)(?=</?t[dhr]\b|</table|$)", re.IGNORECASE | re.DOTALL)
_CAPTION = re.compile(r"<caption\b[^>]*>(.*?)</caption\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_SPAN = re.compile(r"(col|row)span\s*=\s*[\"']?(\d{1,3})", re.IGNORECASE)
_RULE = re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?)?\s*$")
_GAP = re.compile(r"\t+| {2,}|\u00a0{2,}")
_NUMERIC = re.compile(
    r"^[-\u2212\u2013+(]*\s*[$\u20ac\u00a3\u00a5]?\s*[-\u2212\u2013(]*\d[\d.,\s\u00a0'\u2019]*\)?\s*[%\w]{0,3}\)?\s*%?$|^[\u2013\u2014-]+$"
)
_YEAR = re.compile(r"^(?:FY\s?)?(?:19|20)\d\d[A-Ea-e]?$")
_SCALE = re.compile(
    r"\b(?:in|\(|of)?\s*(?:[$\u20ac\u00a3]\s*)?(?:in\s+)?(thousands|millions|billions|tausend|tsd|mio|millionen|mrd|milliarden|milliers|milliards|miles|millones)\b",
    re.IGNORECASE,
)
_NOTES = re.compile(r"\([^)]*\)|\[[^\]]*\]|[*\u2020\u2021]")
_FILLER = frozenset(
    """value amount figure number stand reach equal come year fiscal end cell row column table report record minus
    negative wert betrag valeur montant valor importe""".split()
)
"""Words by which a sentence frames a cell; they add nothing to it."""
_VERBS = frozenset("is are was were be been has have had do does did amounted came stood reached equalled".split())


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its label, its other cells by column, the labels of the sections above it, and where it stands."""

    label: str
    cells: tuple[str, ...]
    section: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the header path of each column after the label's, its rows, and the words around it."""

    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    context: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Where the row that bears a claim stands in the passage, or the reasons why none does."""

    place: tuple[int, int] | None
    reasons: tuple[str, ...] = ()


_Line = tuple[list[str], int, int, bool]
"""The cells of a line or row, where it begins and ends in the passage, and whether all of its cells are headers."""


@lru_cache(maxsize=4096)
def tables_of(passage: str) -> tuple[Table, ...]:
    """The tables of a passage."""
    spans = [m.span() for m in _TABLE.finditer(passage)]
    found = [_table(list(_html_rows(passage, a, b)), _words_around(passage, a, b)) for a, b in spans]
    outside = passage
    for a, b in reversed(spans):
        outside = outside[:a] + re.sub(r"[^\n]", " ", outside[a:b]) + outside[b:]
    for lines, context in _line_tables(outside):
        found.append(_table(lines, context))
    return tuple(t for t in found if t is not None)


def _words_around(passage: str, a: int, b: int) -> str:
    captions = " ".join(_TAG.sub(" ", m[1]) for m in _CAPTION.finditer(passage, a, b))
    return html.unescape(f"{passage[:a][-600:]} {captions}")


def _html_rows(passage: str, a: int, b: int) -> Iterator[_Line]:
    held: dict[int, tuple[int, str]] = {}
    for row in _ROW.finditer(passage, a, b):
        cells: list[str] = []
        names = []
        for m in _CELL.finditer(row[1]):
            _fill(cells, held)
            spans = {k.lower(): int(n) for k, n in _SPAN.findall(m[2])}
            text = " ".join(html.unescape(_TAG.sub(" ", m[3])).split())
            names.append(m[1].lower())
            for _ in range(min(spans.get("col", 1), 60)):
                if spans.get("row", 1) > 1:
                    held[len(cells)] = (spans["row"] - 1, text)
                cells.append(text)
        _fill(cells, held)
        if cells:
            yield cells, row.start(), row.end(), bool(names) and all(n == "th" for n in names)


def _fill(cells: list[str], held: dict[int, tuple[int, str]]) -> None:
    """Put the texts of cells that span rows at their places."""
    while len(cells) in held:
        left, text = held.pop(len(cells))
        if left > 1:
            held[len(cells)] = (left - 1, text)
        cells.append(text)


def _line_tables(passage: str) -> Iterator[tuple[list[_Line], str]]:
    """Runs of lines with columns, each with the text before it."""
    if not any(mark in passage for mark in ("|", "\t", "  ", "\u00a0\u00a0")):
        return
    lines: list[_Line] = []
    before: list[str] = []
    at = 0
    for line in [*passage.split("\n"), ""]:
        cells = _cells(line)
        if _RULE.match(line) and "-" in line:
            lines = [(c, a, b, True) for c, a, b, _ in lines]
        elif len(cells) > 1:
            lines.append((cells, at, at + len(line), False))
        elif line.strip() and lines and not line.rstrip().endswith(".") and len(line) < 90:
            lines.append(([line.strip()], at, at + len(line), False))
        else:
            if sum(len(c) > 1 for c, *_ in lines) > 1:
                yield lines, "\n".join(before)
            lines = []
            before = [*before[-6:], line]
        at += len(line) + 1


def _cells(line: str) -> list[str]:
    if line.count("|") > 1 or " | " in line:
        body = line.strip()
        body = body[1:] if body.startswith("|") else body
        return [c.strip() for c in body.removesuffix("|").split("|")]
    cells = [c for c in _GAP.split(line.strip()) if c]
    return cells if len(cells) > 1 else [c for c in [line.strip()] if c]


def _is_numeric(cell: str) -> bool:
    return _NUMERIC.match(cell.strip()) is not None


def _table(lines: Sequence[_Line], context: str) -> Table | None:
    """The table that lines make; ``None`` where they are none."""
    width = max((len(cells) for cells, *_ in lines), default=0)
    if width < 2:
        return None
    head, body = _split_head(lines)
    around = [context, *(" ".join(cells) for cells, *_ in head if len([c for c in cells if c]) < 2)]
    headers = ["" for _ in range(width - 1)]
    for cells, *_ in head:
        if len([c for c in cells if c]) < 2 and len(cells) < 2:
            continue
        own = cells[1:] if len(cells) == width else cells
        if len(own) != width - 1:
            around.append(" ".join(cells))
            continue
        headers = [f"{h} {c}".strip() for h, c in zip(headers, own, strict=True)]
        around += cells[:1] if len(cells) == width else []
    rows = tuple(_rows(body, width))
    return Table(tuple(headers), rows, " ".join(around), lines[0][1], lines[-1][2]) if rows else None


def _split_head(lines: Sequence[_Line]) -> tuple[list[_Line], list[_Line]]:
    for n, (cells, _, _, marked) in enumerate(lines):
        label, values = cells[0], [c for c in cells[1:] if c]
        years = all(_YEAR.match(c) for c in values) if values else False
        labelled = bool(label) and not _is_numeric(label)
        if not marked and labelled and values and any(map(_is_numeric, values)) and not years:
            return list(lines[:n]), list(lines[n:])
    marked_rows = [n for n, line in enumerate(lines) if line[3]]
    n = marked_rows[-1] + 1 if marked_rows else 1
    return list(lines[:n]), list(lines[n:])


def _rows(body: Sequence[_Line], width: int) -> Iterator[Row]:
    section = ""
    for cells, start, end, _ in body:
        values = [c for c in cells[1:] if c]
        if not values:
            section = cells[0]
            continue
        padded = (*cells[1:], *[""] * (width - len(cells)))
        yield Row(cells[0], padded, section, start, end, " ".join(c for c in cells if c))


# --- a claim beside a table -----------------------------------------------------------------------


def check_table(claim: Sequence[Token], table: Table) -> Found:
    """Whether a row of the table, under the headers that a claim names, holds what it says."""
    written = [t.exact for t in claim]
    for row in table.rows:
        if [t.exact for t in _cell_words(row.text)] == written:
            return Found((row.start, row.end))
    ranked = [(score, row) for row in table.rows if (score := _label_score(claim, row.label))]
    if not ranked:
        return Found(None, ("no row of the table is named so",))
    most = max(score for score, _ in ranked)
    reasons: list[str] = []
    for score, row in ranked:
        if score == most:
            reason = _check_row(claim, row, table)
            if reason is None:
                return Found((row.start, row.end))
            reasons.append(reason)
    return Found(None, tuple(dict.fromkeys(reasons))[:3])


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[Token, ...]:
    return read_text(text, language="en").tokens


@lru_cache(maxsize=4096)
def _cell_words(text: str) -> tuple[Token, ...]:
    return read_text(text, in_table=True, language="en").tokens


def _label_score(claim: Sequence[Token], label: str) -> float:
    """How many words of a label a claim names; 0 unless it names all but its notes, in their order."""
    core = [t for t in _words(_NOTES.sub(" ", label)) if not t.free] or list(_words(label))
    if not core:
        return 0
    keys = iter([t.key for t in claim])
    if not all(t.key in keys for t in core):
        return 0
    own = {t.key for t in claim}
    return len(core) + sum(t.key in own for t in _words(label)) / 100


def _check_row(claim: Sequence[Token], row: Row, table: Table) -> str | None:
    """``None`` where the row bears the claim out, else the reason."""
    rest = _without(claim, _words(row.label))
    named = [_named(rest, header) for header in table.headers]
    most = max(named, default=0)
    reason = f"the row \u201c{row.label}\u201d does not say this"
    for header, cell, count in zip(table.headers, row.cells, named, strict=True):
        if cell and (count == most or count == len(_words(header))):
            left = _without(rest, _words(header))
            value = _check_cell(left, cell, row, table)
            if value is None:
                return None
            reason = value
    return reason


def _named(rest: Sequence[Token], header: str) -> int:
    own = {t.key for t in rest}
    return sum(t.key in own for t in _words(header))


def _without(claim: Sequence[Token], taken: Sequence[Token]) -> list[Token]:
    """A claim's tokens less those of a label, each once."""
    left = list(claim)
    for token in taken:
        place = next((n for n, t in enumerate(left) if t.key == token.key), None)
        if place is not None:
            del left[place]
    return left


def _check_cell(left: Sequence[Token], cell: str, row: Row, table: Table) -> str | None:
    """``None`` where what is left of a claim is the cell's value and words that frame it, else the reason."""
    said = _cell_words(cell)
    value = next((t for t in said if t.value is not None), None)
    known = {t.key for t in _words(f"{table.context} {row.section}")}
    if value is None or value.value is None:
        left = _without(left, said) if said and {t.key for t in said} <= {t.key for t in left} else [*left, *said]
    else:
        n = next((n for n, t in enumerate(left) if t.value is not None and _same_amount(t, value, row, table)), None)
        if n is None:
            claimed = ", ".join(t.word for t in left if t.value is not None)
            return f"\u201c{row.label}\u201d: the table says \u201c{cell}\u201d there, not \u201c{claimed}\u201d"
        left = [*left[:n], *left[n + 1 :]]
    over = [t for t in left if not (t.free or t.key in _FILLER or t.word in _FILLER or t.key in known)]
    if len(over) == 1 and _is_verb(over[0], left):
        return None
    return (
        f"\u201c{' '.join(t.word for t in over)}\u201d is not what the row \u201c{row.label}\u201d says"
        if over
        else None
    )


def _is_verb(token: Token, left: Sequence[Token]) -> bool:
    """Whether a word may be the verb that a row has not: the only one of its sentence, and no word that decides."""
    plain = not (token.capital or token.figure) and kind_of(token.word) == "word"
    return plain and not any(t.word in _VERBS or t.word in _FILLER for t in left)


def _same_amount(claimed: Token, cell: Token, row: Row, table: Table) -> bool:
    """Whether a claimed amount is a cell's, as it stands there or in the table's unit."""
    ours, theirs = claimed.value, cell.value
    if ours is None or theirs is None:
        return False
    around = f"{table.context} {row.section} {row.label} {' '.join(table.headers)}"
    if not _same_unit(ours.unit, theirs.unit, table, around):
        return False
    if ours.amount == theirs.amount and (not ours.scaled or theirs.scaled):
        return True
    m = _SCALE.search(around)
    power = SCALES.get(m[1].lower().removesuffix("s"), SCALES.get(m[1].lower(), 0)) if m else 0
    return bool(power) and ours.amount == theirs.amount * Decimal(10) ** power and theirs.unit not in ("%", "pp", "bp")


def _same_unit(ours: str, theirs: str, table: Table, around: str) -> bool:
    if ours == theirs or not ours:
        return True
    if ours == "%":
        return not theirs and "%" in around
    if ours in ("pp", "bp") or theirs:
        return False
    cells = " ".join(cell for each in table.rows for cell in each.cells)
    units = {t.value.unit for t in _words(f"{around} {cells}") if t.value is not None and t.value.unit.isupper()}
    return ours in units or (not units and ours == "USD" and "$" in around)


@lru_cache(maxsize=4096)
def without_tables(passage: str) -> str:
    """The passage with spaces in place of its tables, so that places in it stay what they are."""
    spans = [m.span() for m in _TABLE.finditer(passage)] + [(t.start, t.end) for t in tables_of(passage)]
    for a, b in spans:
        passage = passage[:a] + re.sub(r"[^\n]", " ", passage[a:b]) + passage[b:]
    return passage
