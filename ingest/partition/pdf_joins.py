"""Tables that a page break cut in two: found by what stands between the parts and by their columns, and joined.

A part that is not joined keeps its own header, if it has one; parts of two tables that were joined would lend one
table's header to the other's numbers. In doubt, tables stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.images import caption_kind
from ingest.partition.pdf_boxes import holds
from ingest.partition.pdf_words import join_texts
from ingest.tables import cells_to_html, header_rows, is_number, table_text
from ingest.types import BoundingBox, Cell, Element, Page

ALIGNED = 4.0
"""Points by which the edges of a column may differ on two pages."""
MARGIN_SHIFT = 40.0
"""Points by which pages of a bound book may be moved sideways against each other."""
SAME_SIZE = 2.0
"""Points by which the sizes of two pages may differ."""
SAME_PLACE = 4.0
"""Points by which a running header may move from page to page."""
RUNNING_BAND = 0.15
"""Share of a page's height, at its top and bottom, in which text that other pages have in the same place runs."""
TOP = 0.3
"""A table continues within this share of the page height from its top."""
BOTTOM = 0.75
"""A table is cut below this share of the page height..."""
BOTTOM_NAMED = 0.6
"""... or below this one, where the next page says by caption or header that it goes on."""
FOOTNOTES_FROM = 0.5
"""Footnotes stand below this share of the page height."""
CLOSE = 12.0
"""Points between a heading and its table, at most."""
COLUMN = 100.0
"""Points that a column of text is wide, at least."""
NOTE_LENGTH = 80
"""Characters of a text that says no more than that a table goes on."""
MOST_HEADER_ROWS = 4
DIGITS = 0.8
"""Share of texts with digits in a column of numbers or codes."""

_FURNITURE = frozenset({"Header", "Footer", "PageNumber", "PageBreak"})
_CONTINUED = re.compile(
    r"[\s,;:.\-\u2013\u2014]*[(\[]?\b(?:continued|cont['\u2019]?d|cont\.|concluded)(?!\w)[)\].]?", re.IGNORECASE
)
_GOES_ON = re.compile(
    r"\W*(?:table\s+)?(?:continue[sd]|see)\b.{0,20}\b(?:next|following|overleaf)\b.{0,20}", re.IGNORECASE
)
_NUMBERED = re.compile(r"\W*table\s+((?:[a-z]\W?)?\d+(?:[.\-\u2013]\d+)*[a-z]?|[ivxlc]+)\b", re.IGNORECASE)
_FOOTNOTE = re.compile(
    r"(?:[*\u2020\u2021\u00a7\u00b6]+|\(?\d{1,2}\)|\d{1,2}(?![\d.,])|[\u00b9\u00b2\u00b3\u2070-\u2079]+)\s*\S"
)
_PAGE_NUMBER = re.compile(r"\W*(?:page\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.IGNORECASE)
_GRAND_TOTAL = re.compile(r"\W*(?:grand\s+|overall\s+)?(?:total|totals|sum)\W*", re.IGNORECASE)
_TOTAL = re.compile(r"\W*(?:grand\s+|overall\s+)?(?:total|totals|sum)\b", re.IGNORECASE)
_BLANK = re.compile(r"[\W_]*|n/?a", re.IGNORECASE)
_YEAR = re.compile(r"(?:FY)?\s?(?:19|20)\d\d\D{0,4}")

_Rows = list[list[Cell]]
_Column = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A table that goes on: the places of its parts among the elements, and those that only say so."""

    first: int
    second: int
    repeats: tuple[int, ...]
    said: bool


def join_tables(elements: Sequence[Element], pages: Sequence[Page]) -> list[Element]:
    """The elements with each table that continues on the next page as one, in its first part's place.

    Cells keep their pages and boxes; a header that the next page repeats is dropped, and so is a caption that says no
    more than that the table continues. A row that the page break cut is one row again, on the page where it begins.
    The order of the other elements stays; what was joined before stays joined.
    """
    out = list(elements)
    sizes = {page.page: page for page in pages}
    grids = [e for e in elements if _is_grid(e)]
    ends, starts = {_last_page(e) for e in grids}, {e.page_number for e in grids}
    for number in (n for n in sorted(sizes) if n in ends and n + 1 in starts):
        link = _link(out, sizes, number)
        joined = _joined(out[link.first], out[link.second], said=link.said) if link else None
        if link is None or joined is None:
            continue
        gone = {link.second, *link.repeats, *_loose_headers(out, link)}
        out[link.first] = joined
        out = [element for place, element in enumerate(out) if place not in gone]
    return out


# --- what stands between ------------------------------------------------------------------------


def _link(elements: Sequence[Element], sizes: Mapping[int, Page], number: int) -> _Link | None:
    """The last table of a page and the first of the next one, if nothing but page furniture is between them."""
    page, after = sizes[number], sizes.get(number + 1)
    if after is None or not _same_size(page, after):
        return None
    here = [i for i, e in enumerate(elements) if _last_page(e) == number and not _is_furniture(elements, i, page)]
    while here and _is_aside(elements[here[-1]], page):
        here.pop()
    there = [i for i, e in enumerate(elements) if e.page_number == number + 1 and not _is_furniture(elements, i, after)]
    if not here or not there:
        return None
    first, repeats = here[-1], list[int]()
    said = False
    while there and (kind := _continuation(elements, first, there[0])):
        said = said or kind != "header"
        repeats += [there[0]] if kind != "more" else []
        there.pop(0)
    if not there or not (_is_grid(elements[first]) and _is_grid(elements[there[0]])):
        return None
    apart = _has_beside(elements, here, first, below=True) or _has_beside(elements, there, there[0], below=False)
    if apart:
        return None
    return _placed(_Link(first=first, second=there[0], repeats=tuple(repeats), said=said), elements, page)


def _loose_headers(elements: Sequence[Element], link: _Link) -> list[int]:
    """Header texts loose in the second part: LiteParse takes a header on many pages for page furniture."""
    second, names = elements[link.second].boxes[0], _header_texts(elements[link.first])
    return [
        place
        for place, element in enumerate(elements)
        if element.category == "UncategorizedText"
        and element.boxes[0].page == second.page
        and holds(second.box, element.boxes[0].box)
        and _folded(element.text) in names
    ]


def _header_texts(table: Element) -> set[str]:
    """The texts of a table's header cells, each alone and all together."""
    texts = [_folded(cell.text) for cell in table.cells if cell.row < header_rows(table.cells) and cell.text.strip()]
    return {*texts, "".join(texts)} if texts else set()


def _placed(link: _Link, elements: Sequence[Element], page: Page) -> _Link | None:
    """The link, if its parts stand at the bottom of the one page and at the top of the other."""
    first, second = elements[link.first], elements[link.second]
    named = link.said or _count_repeated(_rows(first.cells), _rows(_trimmed(second.cells))) > 0
    low = first.boxes[-1].box[3] >= page.height * (BOTTOM_NAMED if named else BOTTOM)
    high = second.boxes[0].box[1] <= page.height * TOP
    return link if low and high else None


def _same_size(a: Page, b: Page) -> bool:
    return abs(a.width - b.width) <= SAME_SIZE and abs(a.height - b.height) <= SAME_SIZE


def _last_page(element: Element) -> int | None:
    return element.boxes[-1].page if element.boxes else element.page_number


def _is_grid(element: Element) -> bool:
    return element.category == "Table" and bool(element.boxes) and _width(element.cells) > 1


def _is_furniture(elements: Sequence[Element], place: int, page: Page) -> bool:
    """Whether an element runs along on many pages: a header, a footer, a page number, a logo."""
    element = elements[place]
    if element.category in _FURNITURE:
        return not _names_table(elements, place)
    if element.category in {"Table", "FigureCaption"} or not element.boxes:
        return False
    box = element.boxes[0].box
    if RUNNING_BAND * page.height < box[3] and box[1] < (1 - RUNNING_BAND) * page.height:
        return False
    if element.category == "Image" or _PAGE_NUMBER.fullmatch(element.text.strip()):
        return True
    return any(_runs(element, other) for other in elements)


def _names_table(elements: Sequence[Element], place: int) -> bool:
    """Whether what LiteParse takes for a running header is a caption, or a heading close above one page's table."""
    header = elements[place]
    if header.category != "Header" or not header.boxes:
        return False
    if caption_kind(header.text) == "table":
        return True
    own = header.boxes[0]
    tables = (e.boxes[0] for e in elements if e.category == "Table" and e.page_number == own.page and e.boxes)
    if not any(0 <= table.box[1] - own.box[3] <= CLOSE for table in tables):
        return False
    return not any(e.text == header.text for e in elements if e.category == "Header" and e is not header)


def _runs(element: Element, other: Element) -> bool:
    """Whether two elements are the same text in the same place of two pages, but for the page's number in it."""
    if other.category != element.category or other.page_number == element.page_number or not other.boxes:
        return False
    if abs(element.boxes[0].box[1] - other.boxes[0].box[1]) > SAME_PLACE:
        return False
    pages = (other.page_number or 0) - (element.page_number or 0)
    one, two = re.split(r"(\d+)", element.text), re.split(r"(\d+)", other.text)
    turned = element.category != "Title" and len(one) == len(two)
    return one == two or (turned and all(a == b or _differ_by(a, b, pages) for a, b in zip(one, two, strict=True)))


def _differ_by(a: str, b: str, pages: int) -> bool:
    return a.isdecimal() and b.isdecimal() and int(b) - int(a) == pages


def _is_aside(element: Element, page: Page) -> bool:
    """Whether a text at the bottom of a page is a footnote, or says that a table goes on."""
    text = element.text.strip()
    if element.category in {"Table", "Title", "FigureCaption", "Image"} or not element.boxes:
        return False
    if len(text) <= NOTE_LENGTH and (_GOES_ON.fullmatch(text) or _says_only_continued(text)):
        return True
    return bool(_FOOTNOTE.match(text)) and element.boxes[0].box[1] >= page.height * FOOTNOTES_FROM


def _says_only_continued(text: str) -> bool:
    stripped, found = _CONTINUED.subn("", text)
    return found > 0 and not stripped.strip("()[]. ")


def _continuation(elements: Sequence[Element], first: int, place: int) -> str | None:
    """How a text leads on to the rest of the table before it.

    ``"header"`` if it is that table's header, ``"repeat"`` if it says only that the table continues, ``"more"`` if it
    says that and more; nothing if it parts two tables.
    """
    element = elements[place]
    if element.category in {"Table", "Image"} or len(element.text) > 2 * NOTE_LENGTH:
        return None
    if _says_only_continued(element.text):
        return "repeat"
    if _folded(element.text) in _header_texts(elements[first]):
        return "header"
    bare, marked = _CONTINUED.subn("", element.text)
    caption = _caption_above(elements, first)
    if caption_kind(element.text) == "table" or (marked and _NUMBERED.match(bare)):
        return _same_caption(caption, element.text, marked=marked > 0)
    headings = [e.text for e in elements[max(0, first - 6) : first] if e.category in {"Title", "FigureCaption"}]
    if marked and bare.strip() and any(_folded(text).startswith(_folded(bare)) for text in headings):
        return "more" if element.category == "Title" else "repeat"
    return None


def _same_caption(caption: str | None, text: str, *, marked: bool) -> str | None:
    bare = _CONTINUED.sub("", text)
    if caption is None:
        return None
    a, b = _NUMBERED.match(_CONTINUED.sub("", caption)), _NUMBERED.match(bare)
    if (a or b) and not (a and b and a[1].lower() == b[1].lower()):
        return None
    repeats = _folded(caption).startswith(_folded(bare))
    if not (repeats or marked):
        return None
    return "repeat" if repeats else "more"


def _caption_above(elements: Sequence[Element], place: int) -> str | None:
    """The caption of a table: that which stands before it, with at most a text between them."""
    start = elements[place].page_number
    for element in reversed(elements[max(0, place - 2) : place]):
        if element.category == "Table" or element.page_number != start:
            return None
        if caption_kind(element.text) == "table":
            return element.text
    return None


def _has_beside(elements: Sequence[Element], places: Sequence[int], table: int, *, below: bool) -> bool:
    """Whether other text of the page stands below the foot of a table, or above its head: it is in a column then."""
    own = elements[table].boxes[-1 if below else 0]
    for place in places:
        for other in elements[place].boxes if place != table else ():
            if other.page != own.page:
                continue
            if (other.box[1] >= own.box[3] - ALIGNED) if below else (other.box[3] <= own.box[1] + ALIGNED):
                return True
            if _stands_beside(other.box, own.box):
                return True
    return False


def _stands_beside(a: BoundingBox, b: BoundingBox) -> bool:
    """Whether text stands to the left or right of a table, or in another column of the page above or below it."""
    apart = a[2] <= b[0] + ALIGNED or b[2] <= a[0] + ALIGNED
    return apart and (a[2] - a[0] >= COLUMN or (a[1] < b[3] - ALIGNED and b[1] < a[3] - ALIGNED))


# --- the rows -----------------------------------------------------------------------------------


def _joined(first: Element, second: Element, *, said: bool) -> Element | None:
    """Both parts as one table, or nothing if they are two tables. ``said``: a caption names the continuation."""
    above, below = _rows(_trimmed(first.cells)), _rows(_trimmed(second.cells))
    repeated = _count_repeated(above, below)
    if not _same_columns(first, second) or len(below) <= repeated:
        return None
    if not repeated and not _reads_as_body(above, below, header_rows(_trimmed(second.cells))):
        return None
    body = max(header_rows(first.cells), repeated)
    if not said and _is_new_table(above[body:], below[repeated:], repeated=repeated > 0):
        return None
    named = [replace(c, header=c.header or c.row < repeated) for c in _trimmed(first.cells)]
    cells = _joined_cells(named, _cut_above(_trimmed(second.cells), repeated))
    return replace(
        first,
        text=table_text(cells),
        text_as_html=cells_to_html(cells),
        cells=cells,
        boxes=(*first.boxes, *second.boxes),
    )


def _width(cells: Sequence[Cell]) -> int:
    return max((cell.column + cell.colspan for cell in cells), default=0)


def _rows(cells: Sequence[Cell]) -> _Rows:
    """The cells that begin in each row."""
    rows: _Rows = [[] for _ in range(max((cell.row + cell.rowspan for cell in cells), default=0))]
    for cell in sorted(cells, key=lambda c: c.column):
        rows[cell.row].append(cell)
    return rows


def _trimmed(cells: Sequence[Cell]) -> list[Cell]:
    """The cells without the empty rows at the top and the bottom: what is left of a header that was taken away."""
    filled = [cell for cell in cells if cell.text.strip()]
    top = min((cell.row for cell in filled), default=0)
    bottom = max((cell.row + cell.rowspan for cell in filled), default=0)
    return [replace(cell, row=cell.row - top) for cell in cells if top <= cell.row < bottom]


def _count_repeated(above: _Rows, below: _Rows) -> int:
    """How many leading rows of the second part repeat those of the first."""
    count = 0
    for a, b in zip(above[:MOST_HEADER_ROWS], below, strict=False):
        if _row_key(a) != _row_key(b) or not any(_row_key(a)):
            break
        count += 1
    return count


def _row_key(row: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(_folded(_CONTINUED.sub("", cell.text)) for cell in row if cell.text.strip())


def _folded(text: str) -> str:
    return "".join(ch for ch in text.casefold() if ch.isalnum())


def _same_columns(first: Element, second: Element) -> bool:
    """Whether both have as many columns, each of them at the same left, right or middle."""
    width = _width(first.cells)
    if width != _width(second.cells):
        return False
    a = _columns([c for c in first.cells if c.page == first.boxes[-1].page])
    b = _columns([c for c in second.cells if c.page == second.boxes[0].page])
    shared = sorted(a.keys() & b.keys())
    if len(shared) < max(2, (width + 1) // 2):
        return False
    moved = second.boxes[0].box[0] - first.boxes[-1].box[0]
    shifts = [0.0, moved] if abs(moved) <= MARGIN_SHIFT else [0.0]
    return any(all(_is_aligned(a[n], b[n], shift) for n in shared) for shift in shifts)


def _columns(cells: Sequence[Cell]) -> dict[int, _Column]:
    """The left edge, right edge and middle of each column, in points."""
    boxes: dict[int, list[BoundingBox]] = {}
    for cell in cells:
        if cell.box is not None and cell.colspan == 1 and cell.text.strip():
            boxes.setdefault(cell.column, []).append(cell.box)
    edges = {n: (min(b[0] for b in own), max(b[2] for b in own)) for n, own in boxes.items()}
    return {n: (left, right, (left + right) / 2) for n, (left, right) in edges.items()}


def _is_aligned(a: _Column, b: _Column, shift: float) -> bool:
    return any(abs(there - shift - here) <= ALIGNED for here, there in zip(a, b, strict=True))


def _reads_as_body(above: _Rows, below: _Rows, heads: int) -> bool:
    """Whether the first rows of a part without the header are such rows as the part before it has: numbers in place.

    Where LiteParse sees a header (``heads`` rows), words alone are one.
    """
    body = [cell for row in above for cell in row if not cell.header]
    leading = [cell for row in below[: max(1, heads)] for cell in row]
    numeric = {n for n in range(_width(body)) if _holds_digits([c for c in body if c.column == n])}
    years = {c.column for c in body if _YEAR.fullmatch(c.text.strip())}
    told = [c for c in leading if c.column in numeric and not _BLANK.fullmatch(c.text.strip())]
    if heads and not told:
        return False
    return all(
        any(ch.isdigit() for ch in cell.text) and (cell.column in years or not _YEAR.fullmatch(cell.text.strip()))
        for cell in told
    )


def _holds_digits(cells: Sequence[Cell]) -> bool:
    texts = [cell.text for cell in cells if not _BLANK.fullmatch(cell.text.strip())]
    return bool(texts) and sum(any(ch.isdigit() for ch in text) for text in texts) >= DIGITS * len(texts)


def _is_new_table(above: _Rows, below: _Rows, *, repeated: bool) -> bool:
    """Whether the rows before a page break end a table, or those behind it begin another one of the same kind."""
    last = next((cell.text for cell in above[-1] if cell.text.strip()), "") if above else ""
    if _GRAND_TOTAL.fullmatch(last) or (repeated and _TOTAL.match(last)):
        return True
    return _restarts(_labels(above), _labels(below))


def _restarts(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether row names begin anew."""
    if not above or not below or not above[0] or above[0] != below[0]:
        return False
    again = [a == b for a, b in zip(above[:3], below[:3], strict=False)]
    return all(again) and len(set(above[:3])) > 1


def _labels(rows: _Rows) -> list[str]:
    return [next((_folded(cell.text) for cell in row if cell.column == 0), "") for row in rows]


def _cut_above(cells: Sequence[Cell], count: int) -> list[Cell]:
    """The cells below the first rows, as body cells; those that reach out of these rows begin below."""
    tops = [(cell, max(cell.row, count)) for cell in cells if cell.row + cell.rowspan > count]
    return [replace(c, row=top - count, rowspan=c.row + c.rowspan - top, header=False) for c, top in tops]


def _joined_cells(above: Sequence[Cell], below: Sequence[Cell]) -> tuple[Cell, ...]:
    rows, more = _rows(above), _rows(below)
    start = len(rows)
    if rows and more and _is_rest_of_row(rows, more):
        rest = {cell.column: cell.text for cell in more[0] if cell.text.strip()}
        mended = [
            replace(c, text=join_texts(c.text, rest[c.column])) if c.row == start - 1 and c.column in rest else c
            for c in above
        ]
        return (*mended, *(replace(c, row=c.row - 1 + start) for c in below if c.row > 0))
    return (*above, *(replace(c, row=c.row + start) for c in below))


def _is_rest_of_row(rows: _Rows, more: _Rows) -> bool:
    """Whether the first row behind the page break is what was left of the last one before it.

    Its name stands on the page before, and so do its numbers: nothing but text runs over. Where other rows lack a
    name as well (a group's rows under one name), the text must show that it began elsewhere.
    """
    if any(cell.rowspan > 1 for cell in (*rows[-1], *more[0])):
        return False
    last = {cell.column: cell.text.strip() for cell in rows[-1] if cell.text.strip()}
    rest = {cell.column: cell.text.strip() for cell in more[0] if cell.text.strip()}
    if not rest or len(rest) >= len(last) or any(is_number(t) or not last.get(n) for n, t in rest.items()):
        return False
    if any(is_number(last[n]) for n in rest):
        return False
    runs_on = all(text[0].islower() for text in rest.values())
    if 0 in rest:
        return runs_on and len(rest) > 1
    nameless = any(_is_nameless(row) for row in (*rows, *more[1:]) if not row or not row[0].header)
    return runs_on or not nameless


def _is_nameless(row: Sequence[Cell]) -> bool:
    texts = {cell.column for cell in row if cell.text.strip()}
    return bool(texts) and 0 not in texts
