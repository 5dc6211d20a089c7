"""The reading order of a PDF page: LiteParse's, put right where the page itself says that it is wrong.

Four signs are trusted. A column of page numbers belongs to the lines of a table of contents at whose height they stand.
A paragraph with a straight white gutter through all of its lines is two columns. Notes in small type at the foot of
a column are read after the text of the page, which runs on in the next column. And what stands in the margin above
or below everything else is read first or last.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from ingest.partition.pdf_boxes import middle_y, shares_column
from ingest.partition.pdf_words import PageText, PageWord, join_words, lines, page_element, squeezed
from ingest.types import BoundingBox, Element, union_box

FEW_ENTRIES = 3
"""A column of page numbers has as many, at least."""
EDGE = 4.0
"""Points between the right edges of the numbers of one such column, at most."""
GUTTER = 7.0
"""Points between two columns of text, at least."""
GUTTER_LINES = 4
"""Lines that show the gutter, at least: fewer may have a gap at one place by chance."""
SMALL = 0.93
"""Notes are set smaller than the page's text by this factor, at least."""
FOOT = 0.5
"""Share of the page's height below which notes begin."""
MARGIN = 0.12
"""Share of the page's height at its top and bottom that a running header or a page number may take."""
HEADER_LINES = 2.5
"""Heights of its letters that a running header may be high."""
RUNNING = frozenset({"NarrativeText", "ListItem", "UncategorizedText"})
TEXTS = RUNNING | {"Title", "FigureCaption"}
_NUMBER = re.compile(r"\d{1,4}|[ivxlc]{1,7}")
_LEADER = re.compile(r"[.\u00b7\u2024\u2026_]+")
_LEADERS = re.compile(r"\s*(?:[.\u00b7\u2024\u2026] ?){5,}\s*")
_NOTE = re.compile(r"(?:\d{1,3}|[*\u2020\u2021\u00a7]|[a-z](?=\s))[.)]?(?=\s|[A-Z\u201c(]|$)")


def in_reading_order(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """A page's elements in the order in which it is read; no word is added or dropped but for leader dots' spaces."""
    parted = [part for element in elements for part in _parted_columns(work, element)]
    listed = _with_page_numbers(work, [_with_tight_leaders(e) for e in parted])
    return _with_margins_outside(work, _with_notes_last(work, listed))


def _box(element: Element) -> BoundingBox:
    return element.boxes[0].box


def _with_tight_leaders(element: Element) -> Element:
    """The element with the dots that lead to a page number as one run, whether or not they are drawn apart."""
    if element.category not in TEXTS or not _LEADERS.search(element.text):
        return element
    tight = _LEADERS.sub(lambda m: f" {''.join(m[0].split())} ", element.text)
    return replace(element, text=tight.strip())


# --- tables of contents --------------------------------------------------------------------------


def _with_page_numbers(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with the numbers that stand in a column of their own moved to the ends of their lines."""
    loose = [e for e in elements if e.category in TEXTS and _is_numbers(e.text)]
    words = [w for e in loose for w in work.at(work.words_in(_box(e))) if _is_numbers(w.text)]
    numbers = _column_of_numbers([w for w in words if _NUMBER.fullmatch(w.text)])
    hosts = {id(e): _entries(work, e, words) for e in elements if e.category in RUNNING | {"Title"} and e not in loose}
    placed = {id(w) for rows in hosts.values() for _, tail in rows for w in tail}
    if len(numbers) < FEW_ENTRIES or not all(id(w) in placed for w in numbers) or not _reads_on(numbers):
        return list(elements)
    out = [part for e in elements if e not in loose for part in _host(work, e, hosts.get(id(e), []))]
    rest = [w for w in words if id(w) not in placed and squeezed(w.text)]
    return [*out, *(page_element(work.number, "UncategorizedText", w.text, w.box) for w in rest)]


def _is_numbers(text: str) -> bool:
    return bool(text) and all(_NUMBER.fullmatch(part) or _LEADER.fullmatch(part) for part in text.split())


def _column_of_numbers(words: Sequence[PageWord]) -> list[PageWord]:
    """The words that end at one right edge, from top to bottom; none where no edge has enough."""
    best: list[PageWord] = []
    for own in words:
        edge = [w for w in words if abs(w.box[2] - own.box[2]) <= EDGE]
        best = edge if len(edge) > len(best) else best
    return sorted(best, key=lambda w: w.box[1])


def _reads_on(numbers: Sequence[PageWord]) -> bool:
    """Whether the arabic numbers never fall: those of pages do not, those of a table do."""
    values = [int(w.text) for w in numbers if w.text.isdigit()]
    return all(a <= b for a, b in pairwise(values))


def _entries(
    work: PageText, element: Element, words: Sequence[PageWord]
) -> list[tuple[list[PageWord], list[PageWord]]]:
    """An element's lines, each with the leaders and numbers that stand to its right."""
    own = [w for w in work.at(work.words_in(_box(element))) if w.angle == 0 and not any(w is o for o in words)]
    return [(line, _to_the_right(line, words)) for line in lines(own)]


def _to_the_right(line: Sequence[PageWord], words: Sequence[PageWord]) -> list[PageWord]:
    x0, y0, x1, y1 = union_box([w.box for w in line])
    tail = [w for w in words if w.box[0] >= (x0 + x1) / 2 and y0 <= middle_y(w.box) <= y1]
    return sorted(tail, key=lambda w: w.box[0])


def _host(work: PageText, element: Element, rows: Sequence[tuple[list[PageWord], list[PageWord]]]) -> Iterator[Element]:
    """An element with its page number; an element of several entries as one element each."""
    ends = [i for i, (_, tail) in enumerate(rows) if tail]
    if not ends:
        yield element
        return
    if len(ends) == 1 and ends[0] == len(rows) - 1:
        yield _lengthened(element, rows[ends[0]][1])
        return
    start = 0
    for end in dict.fromkeys([*ends, len(rows) - 1]):
        head = [w for line, _ in rows[start : end + 1] for w in line]
        made = page_element(work.number, element.category, join_words(head), union_box([w.box for w in head]))
        yield _lengthened(replace(made, category_depth=element.category_depth), rows[end][1])
        start = end + 1


def _lengthened(element: Element, tail: Sequence[PageWord]) -> Element:
    if not tail:
        return element
    text = re.sub(r"(?<=[.\u2026_]) (?=[.\u2026_])", "", " ".join(w.text for w in tail))
    box = union_box([_box(element), *(w.box for w in tail)])
    return replace(element, text=f"{element.text} {text}", boxes=(replace(element.boxes[0], box=box),))


# --- columns -------------------------------------------------------------------------------------


def _parted_columns(work: PageText, element: Element) -> Iterator[Element]:
    """A paragraph that was read straight across two columns as its two columns."""
    words = [w for w in work.at(work.words_in(_box(element))) if w.angle == 0] if element.category in RUNNING else []
    rows = lines(words)
    gutter = _gutter(rows)
    same = squeezed(element.text) and Counter(squeezed(element.text)) == Counter(
        squeezed("".join(w.text for w in words))
    )
    if gutter is None or not same:
        yield element
        return
    for side in ([w for w in words if w.box[2] <= gutter], [w for w in words if w.box[0] >= gutter]):
        for own in _paragraphs(side):
            yield page_element(work.number, element.category, join_words(own), union_box([w.box for w in own]))


def _gutter(rows: Sequence[Sequence[PageWord]]) -> float | None:
    """Where a straight white gutter parts enough lines of words that nowhere cross it; else None."""
    if len(rows) < GUTTER_LINES:
        return None
    gaps = [(a.box[2], b.box[0]) for row in rows for a, b in pairwise(row) if b.box[0] - a.box[2] >= GUTTER]
    for x0, x1 in gaps:
        middle = (x0 + x1) / 2
        if sum(a <= middle <= b for a, b in gaps) >= GUTTER_LINES and _is_clear(rows, middle):
            return middle
    return None


def _is_clear(rows: Sequence[Sequence[PageWord]], middle: float) -> bool:
    """Whether no word crosses a height, and both sides read as text rather than as a list's labels and values."""
    sides: list[Callable[[PageWord], bool]] = [lambda w: w.box[2] <= middle, lambda w: w.box[0] >= middle]
    if not all(any(side(w) for side in sides) for row in rows for w in row):
        return False
    counts = [[sum(side(w) for w in row) for row in rows] for side in sides]
    return all(sum(n) >= 3 * GUTTER_LINES and sum(n) >= 3 * sum(map(bool, n)) for n in counts)


def _paragraphs(words: Sequence[PageWord]) -> Iterator[list[PageWord]]:
    """Words of one column parted where more than a line's height is empty."""
    held: list[PageWord] = []
    bottom = 0.0
    for line in lines(words):
        box = union_box([w.box for w in line])
        if held and box[1] - bottom > 0.6 * (box[3] - box[1]):
            yield held
            held = []
        held, bottom = [*held, *line], box[3]
    if held:
        yield held


# --- notes and margins ---------------------------------------------------------------------------


def _with_notes_last(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with the notes at the foot of a column moved behind the text that runs on in the next."""
    body = _body_height(work, elements)
    notes = [e for e in elements if _is_note(work, e, elements, body)]
    rest = [e for e in elements if e not in notes]
    last = max((i for i, e in enumerate(rest) if not _in_margin(work, e)), default=-1)
    if not any(_NOTE.match(e.text) for e in notes) or not _cuts_text(notes, elements, rest[: last + 1]):
        return list(elements)
    return [*rest[: last + 1], *notes, *rest[last + 1 :]]


def _cuts_text(notes: Sequence[Element], elements: Sequence[Element], rest: Sequence[Element]) -> bool:
    """Whether text of another column comes after the first of the notes."""
    first = elements.index(notes[0])
    later = [e for e in rest if elements.index(e) > first and e.category in RUNNING]
    return any(not shares_column(_box(e), _box(note)) for e in later for note in notes)


def _is_note(work: PageText, element: Element, elements: Sequence[Element], body: float) -> bool:
    """Whether an element is in small type in the lower half, with only such below it in its column."""
    box = _box(element)
    if element.category not in RUNNING or box[1] < work.parsed.height * FOOT or not _is_small(work, element, body):
        return False
    below = [e for e in elements if shares_column(_box(e), box) and _box(e)[1] > box[1] and not _in_margin(work, e)]
    return all(e.category in RUNNING and _is_small(work, e, body) for e in below)


def _is_small(work: PageText, element: Element, body: float) -> bool:
    return _letter_height(work.at(work.words_in(_box(element)))) <= SMALL * body


def _letter_height(words: Sequence[PageWord]) -> float:
    """The height of the median letter of some words, in points."""
    heights = sorted(w.box[3] - w.box[1] for w in words for _ in w.text)
    return heights[len(heights) // 2] if heights else 0.0


def _body_height(work: PageText, elements: Sequence[Element]) -> float:
    texts = [e for e in elements if e.category in RUNNING and _box(e)[1] < work.parsed.height * FOOT]
    return _letter_height([w for e in texts for w in work.at(work.words_in(_box(e)))])


def _in_margin(work: PageText, element: Element) -> bool:
    height = work.parsed.height
    return _box(element)[3] <= height * MARGIN or _box(element)[1] >= height * (1 - MARGIN)


def _with_margins_outside(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with running headers and page numbers before and behind all that they stand above or below."""
    tops = [e for e in elements if _is_outside(work, e, elements, top=True)]
    feet = [e for e in elements if e not in tops and _is_outside(work, e, elements, top=False)]
    tops.sort(key=lambda e: _box(e)[0])
    return [*tops, *(e for e in elements if e not in tops and e not in feet), *feet]


def _is_outside(work: PageText, element: Element, elements: Sequence[Element], *, top: bool) -> bool:
    """Whether an element is one line in the margin, with nothing on the page beyond or beside it but such lines."""
    box = _box(element)
    if element.category not in RUNNING | {"Header", "Footer"} or not _in_margin(work, element):
        return False
    if (box[1] > work.parsed.height / 2) == top or len(lines(work.at(work.words_in(box)))) != 1:
        return False
    others = [_box(e) for e in elements if e is not element and not (_in_margin(work, e) and e.category in RUNNING)]
    return all(box[3] <= o[1] + 1 if top else box[1] >= o[3] - 1 for o in others)
