"""Which lines of a PDF are headings, judged by how they are set against the running text around them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from ingest.partition.pdf_boxes import shares_column
from ingest.partition.pdf_words import PageText, PageWord, join_texts, join_words, lines, page_element, squeezed
from ingest.types import Element, union_box

if TYPE_CHECKING:
    from liteparse.types import ParsedPage

RUNNING_LINE = 40
"""Characters from which on a line is running text: cells, labels and headings are mostly shorter."""
PARAGRAPH_WORDS = 25
"""Words of a paragraph that is running text even if its lines come in pieces, as justified ones do."""
SHORT_LINE = 20
"""The same on a leaflet whose columns are narrow."""
SHORT_LINES = 15
"""Such lines that a page needs: a few are labels."""
RUNNING_LINES = 5
"""Lines of running text that a page needs for its own to be known."""
LARGER = 1.1
"""A heading that is neither bold nor coloured is larger than the running text by this factor, at least."""
TITLE_SIZE = 1.5
"""A line that was left over is a heading when it is larger than the running text by this factor."""
NEARLY = 0.98
"""Share of the running text's size from which on a line is as large as it."""
SMALLER = 0.9
"""Letters below this share of another size are of a smaller size; above it, type of one size is merely uneven."""
SAME_SIZE = 0.03
"""Share by which sizes of one heading's lines differ in files that were scaled."""
SET_FAST = 0.08
"""Share of a letter's height: pieces of a heading nearer than this are of one word, which its kerning cut.

Not in italics, whose letters hang over the space after them."""
GUTTER = 1.5
"""Heights of a letter between headings that stand side by side, at least: no space between words is so wide."""
LEADING = 0.8
"""Heights of a letter between lines of one heading or paragraph, at most."""
BLANK_LINE = 0.75
"""Heights of a letter between lines from which on one line is left out between them."""
WRAP_LEADING = 0.5
"""Heights of a letter between two headings that are one, at most."""
LONG_HEADING = 15
"""A full sentence of so many words is a paragraph, however large it is set."""
SUBTITLE_WORDS = 8
"""Lines in another font under a heading, no smaller and no longer than this, are part of it."""
BYLINE_NAMES = 3
"""A list of so many names is a byline, and so are two names with footnote marks."""
BOLD_WEIGHT = 600
"""A font's weight that is bold, where its name says nothing; many files state weights that are wrong."""
RUNNING_HEAD = 0.07
"""Share of the page height at its top where a line that stands alone, smaller than the text, is a running head."""
FEW_WORDS = 5
"""A piece of text with fewer words is a label: no heading stands over it."""
SHORT_ROWS = 2
"""Lines of a heading that is found by its bold type alone, at most."""
FOUND_REACH = 2.5
"""Heights of a letter (times ``LEADING``) between such a heading and its text, at most."""
FOUND_LEVEL = 1
"""Level, from 0, of a heading that only its bold type shows."""
STYLES = 3
"""Levels that one size of headings may have, by its style: bold, bold italic, italic."""
_BOLD_FONT = re.compile(r"bold|black|heavy|demi|(?:^|[-_])(?:cm|sf)bx|[-_]bd|medi$|medi(?:um)?ital", re.IGNORECASE)
_PLAIN_FONT = re.compile(r"regu|roman|light|book|thin|ital|obl|medium|normal", re.IGNORECASE)
_ITALIC_FONT = re.compile(r"ital|obl|slant", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?:chapter|part|section|article|item|note|appendix|annex|exhibit|schedule|step|unit|lesson|figure|table)\b"
    r"|\(?(?:\d{1,2}(?:\.\d{1,2})*|[IVX]{1,5}|[A-Za-z])[.):]?(?:\s|$)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?:[^\W\d_]+\s+)?\(?(?:\d{1,2}(?:\.\d{1,2})*[A-Za-z]?|[IVXL]{1,6}|[A-Za-z])[.):]?")
_HEADING_NUMBER = re.compile(r"^\d{1,2}(?:\.\d{1,2})+\.?\s+(?=[^\W\d_]{3})")
_BARE_NUMBER = re.compile(r"(?:\d{1,2}|[IVX]{1,5})\s?[.:]?")
_BULLET = re.compile(r"[•▪■●◦‣∙·➢✓]\s*")
_CONTENTS_ENTRY = re.compile(r"[^\W\d_]{3,}\W*\s\d{1,3}$")
_CAPTION_LABEL = re.compile(r"(?:table|figure|chart|graph|map|photo)\s*:\s", re.IGNORECASE)
_MARKED_NAME = re.compile(r"[^\W\d_]{2,}[.,]?(?:[∗*†‡§¶]|\d(?:,\d)*\b)")
_NAME = re.compile(r"(?:and |& )?(?:[^\W\d_a-z][\w.'’-]*[∗*†‡§¶\d]*\s*){2,4}")
_NEXT_SENTENCE = re.compile(r"[a-z)][.!?]\s+[A-Z]")
_RUN_IN = re.compile(r"\w{2,}[.:]\s+\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How letters are set: ``size`` in points, style, ``colour`` (ARGB) and font; 0 and "" where it is unknown."""

    size: float = 0.0
    bold: bool = False
    italic: bool = False
    colour: str = ""
    font: str = ""


def setting_of(words: Iterable[PageWord]) -> Setting:
    """The setting of most letters of some words; an unknown one where there are none."""
    letters = Counter[Setting]()
    for word in words:
        letters[_setting(word.size, word.weight, word.colour, word.font)] += len(word.text)
    return letters.most_common(1)[0][0] if letters else Setting()


def running_text(
    pages: Iterable[ParsedPage], *, line: int = RUNNING_LINE, least: int = RUNNING_LINES
) -> Setting | None:
    """The setting of most running text of pages, by lines of ``line`` characters; None without ``least`` of them."""
    letters = Counter[Setting]()
    count = 0
    for page in pages:
        for item in page.text_items:
            if len(item.text) >= line and item.font_height and round(item.rotation) == 0:
                count += 1
                font = (item.font_name or "").rpartition("+")[2]
                own = _setting(item.font_height, item.font_weight or 0, item.fill_color or "", font)
                letters[own] += len(item.text)
    return letters.most_common(1)[0][0] if count >= least else None


@lru_cache(maxsize=1000)
def _setting(size: float, weight: int, colour: str, font: str) -> Setting:
    bold = _BOLD_FONT.search(font) is not None or (weight >= BOLD_WEIGHT and not _PLAIN_FONT.search(font))
    italic = _ITALIC_FONT.search(font) is not None
    return Setting(size=round(size, 2), bold=bold, italic=italic, colour=colour, font=font)


def page_headings(work: PageText, elements: Sequence[Element], document: Setting | None = None) -> list[Element]:
    """The elements of a page with its headings told from what only looks like one; ``document`` has its running text.

    Every word stays in an element. Where the words' settings are unknown (OCR), only the texts are judged.
    """
    body = _body(work, elements, document)
    out = [part for e in elements for part in _over_each_other(work, e)]
    out = [part for e in out for part in _beside_each_other(work, e, body)]
    out = [part for e in out for part in _headed_paragraph(work, e, body)]
    out = _with_found_titles(work, out, body)
    out = [_found(work, e, out, body) for e in out]
    out = _with_run_ins(work, out, body)
    out = _without_running_heads(work, out, body)
    out = [_demoted(work, e, out, body) for e in out]
    out = _without_kickers(work, out)
    out = _with_numbers(work, out)
    out = _with_whole_paragraphs(work, _rejoined(work, out))
    return [_with_style_level(work, _with_whole_words(work, e)) for e in out]


def with_left_titles(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements of a page with titles among the words that a new reading of its tables left over."""
    return _with_found_titles(work, elements, _body(work, elements, None))


def _body(work: PageText, elements: Sequence[Element], document: Setting | None) -> Setting:
    """The setting of a page's running text, else the document's; an unknown one where neither has any."""
    page = [work.parsed]
    long = [e for e in elements if e.category == "NarrativeText" and len(e.text.split()) >= PARAGRAPH_WORDS]
    paragraphs = setting_of(w for e in long for w in _words(work, e)) if long else None
    narrow = running_text(page, line=SHORT_LINE, least=SHORT_LINES)
    return running_text(page) or document or paragraphs or narrow or Setting()


def rows_of(work: PageText, element: Element) -> list[list[PageWord]]:
    """The lines of an element; none where those in its box, from the top, are not exactly its text."""
    rows = lines([w for w in work.at(work.words_in(element.boxes[0].box)) if w.angle == 0])
    wanted, said = squeezed(element.text), ""
    for count, row in enumerate(rows, 1):
        said += squeezed("".join(word.text for word in row))
        if len(said) >= len(wanted):
            return rows[:count] if said == wanted else []
    return []


def height_of(words: Sequence[PageWord]) -> float:
    """The mean height of words, in points."""
    return sum(w.box[3] - w.box[1] for w in words) / max(1, len(words))


def _words(work: PageText, element: Element) -> list[PageWord]:
    return [w for w in work.at(work.words_in(element.boxes[0].box)) if w.angle == 0]


def _own_rows(work: PageText, element: Element) -> list[list[PageWord]]:
    """The lines of a heading, also where it was read across columns: the words of one size that have its letters."""
    rows = rows_of(work, element)
    if rows:
        return rows
    words = _words(work, element)
    size = setting_of(words).size
    own = [w for w in words if abs(w.size - size) <= SAME_SIZE * size]
    return lines(own) if Counter(squeezed(join_words(own))) == Counter(squeezed(element.text)) else []


# --- one heading into its parts ------------------------------------------------------------------


def _over_each_other(work: PageText, element: Element) -> Iterator[Element]:
    """Two headings with a blank line between them that were read as one, apart if their type or place differs."""
    rows = rows_of(work, element) if element.category == "Title" else []
    cut = next((i for i, (upper, lower) in enumerate(pairwise(rows), 1) if _is_blank_between(upper, lower)), 0)
    if not cut:
        yield element
        return
    for part in (rows[:cut], rows[cut:]):
        words = [w for row in part for w in row]
        box = union_box([w.box for w in words])
        yield page_element(work.number, "Title", join_words(words), box, element.category_depth)


def _is_blank_between(upper: Sequence[PageWord], lower: Sequence[PageWord]) -> bool:
    a, b = union_box([w.box for w in upper]), union_box([w.box for w in lower])
    height = min(height_of(upper), height_of(lower))
    first, second = setting_of(upper), setting_of(lower)
    aligned = min(abs(a[0] - b[0]), abs(a[0] + a[2] - b[0] - b[2]) / 2) < height
    same = (first.size, first.bold, first.italic) == (second.size, second.bold, second.italic)
    return b[1] - a[3] >= BLANK_LINE * height and not (same and aligned)


def _beside_each_other(work: PageText, element: Element, body: Setting) -> Iterator[Element]:
    """Headings of neighbouring columns that were read as one line, apart; a table's column heads are no headings."""
    rows = _own_rows(work, element) if element.category == "Title" else []
    cut = _gutter(rows)
    if cut is None or _LABEL.fullmatch(" ".join(w.text for w in rows[0] if w.box[2] <= cut)):
        yield element
        return
    words = [w for row in rows for w in row]
    heads = max(_count_gutters(row) for row in rows) > 1
    if setting_of(words).size < body.size * (TITLE_SIZE if heads else LARGER):
        yield replace(element, category="UncategorizedText", category_depth=None)
        return
    for part in ([w for w in words if w.box[2] <= cut], [w for w in words if w.box[2] > cut]):
        box = union_box([w.box for w in part])
        heading = page_element(work.number, "Title", join_words(part), box, element.category_depth)
        yield from _beside_each_other(work, heading, body)


def _gutter(rows: Sequence[Sequence[PageWord]]) -> float | None:
    """The left edge of the widest upright strip that parts the words of lines, if it is wider than any space."""
    words = sorted((w for row in rows for w in row), key=lambda w: w.box[0])
    reach, widest, place = (words[0].box[2] if words else 0.0), GUTTER * height_of(words), None
    for word in words[1:]:
        if word.box[0] - reach > widest:
            widest, place = word.box[0] - reach, reach
        reach = max(reach, word.box[2])
    return place


def _count_gutters(row: Sequence[PageWord]) -> int:
    return sum(b.box[0] - a.box[2] > GUTTER * (a.box[3] - a.box[1]) for a, b in pairwise(row))


def parted_heading(work: PageText, element: Element) -> Iterator[Element]:
    """A heading whose later lines are running text in another font: the heading, and that text as a paragraph."""
    rows = rows_of(work, element) if element.category == "Title" else []
    fonts = [setting_of(row).font for row in rows]
    cut = next((i for i, font in enumerate(fonts) if font != fonts[0]), 0)
    head, rest = [w for row in rows[:cut] for w in row], [w for row in rows[cut:] for w in row]
    if not cut or fonts[0] in fonts[cut:] or _is_subtitle(head, rest):
        yield element
        return
    yield page_element(work.number, "Title", join_words(head), union_box([w.box for w in head]), element.category_depth)
    yield page_element(work.number, "NarrativeText", join_words(rest), union_box([w.box for w in rest]))


def _is_subtitle(head: Sequence[PageWord], rest: Sequence[PageWord]) -> bool:
    return len(rest) <= SUBTITLE_WORDS and height_of(rest) >= SMALLER * height_of(head)


def _headed_paragraph(work: PageText, element: Element, body: Setting) -> Iterator[Element]:
    """A paragraph in which whole lines are set as headings: those headings, and what stands between them."""
    rows = rows_of(work, element) if element.category == "NarrativeText" else []
    heads = [_is_heading_line(rows, i, body) for i in range(len(rows))]
    if not any(heads):
        yield element
        return
    for is_head, part in groupby(zip(heads, rows, strict=True), key=lambda pair: pair[0]):
        words = [w for _, row in part for w in row]
        category, depth = ("Title", FOUND_LEVEL) if is_head else (element.category, None)
        yield page_element(work.number, category, join_words(words), union_box([w.box for w in words]), depth)


def _is_heading_line(rows: Sequence[Sequence[PageWord]], index: int, body: Setting) -> bool:
    """Whether a line alone is bold, and the next word would have found room on it: its end is meant, no line break."""
    if index + 1 >= len(rows) or not body.size:
        return False
    row, following = rows[index], rows[index + 1]
    own, beside = setting_of(row), [*rows[max(0, index - 1) : index], following]
    room = max(w.box[2] for r in rows for w in r) - row[-1].box[2]
    return (
        own.bold
        and not any(setting_of(r).bold for r in beside)
        and own.size >= body.size * SMALLER
        and room > following[0].box[2] - following[0].box[0] + height_of(row)
        and _is_heading_text(row)
    )


def _is_heading_text(words: Sequence[PageWord]) -> bool:
    text = join_words(words)
    return text[-1:] not in ".,;" and not text[:1].islower() and not _has_no_word(text)


def _with_found_titles(work: PageText, elements: Sequence[Element], body: Setting) -> list[Element]:
    """The elements with titles found in what was left over on the page, each before what stands under it."""
    out: list[Element] = []
    for element in elements:
        parts = list(_found_in_rest(work, element, body))
        place = len(out)
        while len(parts) > 1 or parts[0] is not element:
            above = out[place - 1].boxes[0].box if place else None
            if above is None or above[1] < parts[0].boxes[0].box[3]:
                break
            place -= 1
        out[place:place] = parts
    return out


def _found_in_rest(work: PageText, element: Element, body: Setting) -> Iterator[Element]:
    """What is left over on a page, a line of it that is set larger than all else there as a heading of its own."""
    rest = element.category in ("Header", "UncategorizedText", "NarrativeText")
    rows = rows_of(work, element) if rest and body.size else []
    top = max((w.size for w in work.words if not w.angle), default=0.0)
    cut = [i for i, row in enumerate(rows) if setting_of(row).size > max(top * SMALLER, body.size * TITLE_SIZE)]
    if not cut or cut != list(range(cut[0], cut[-1] + 1)) or not _is_heading_text(rows[cut[0]]):
        yield element
        return
    for category, part in (
        (element.category, rows[: cut[0]]),
        ("Title", rows[cut[0] : cut[-1] + 1]),
        (element.category, rows[cut[-1] + 1 :]),
    ):
        if words := [w for row in part for w in row]:
            depth = 0 if category == "Title" else None
            yield page_element(work.number, category, join_words(words), union_box([w.box for w in words]), depth)


def _found(work: PageText, element: Element, elements: Sequence[Element], body: Setting) -> Element:
    """A short bold line right over running text that is not bold, as the heading it is."""
    if element.category not in ("NarrativeText", "ListItem", "UncategorizedText") or not body.size or body.bold:
        return element
    rows = rows_of(work, element)
    settings = {setting_of(row) for row in rows}
    own = next(iter(settings), Setting())
    below = _next_below(element, elements)
    if len(settings) != 1 or len(rows) > SHORT_ROWS or not own.bold or below is None or below.category == "Title":
        return element
    words = [w for row in rows for w in row]
    near = follows(element, below, FOUND_REACH * height_of(words)) and not below.text[:1].islower()
    heads = own.size >= body.size * NEARLY and len(words) < LONG_HEADING and _is_heading_text(words)
    item = _BULLET.match(words[0].text) or _CONTENTS_ENTRY.search(element.text)
    if near and heads and not item and not _is_text(element.text) and _heads_smaller_text(work, own, below, body):
        return replace(element, category="Title", category_depth=FOUND_LEVEL)
    return element


# --- what is no heading --------------------------------------------------------------------------


def _with_run_ins(work: PageText, elements: Sequence[Element], body: Setting) -> list[Element]:
    """The elements with first or further lines of a paragraph that were taken for headings, back in it."""
    out: list[Element] = []
    for element in elements:
        last = out[-1] if out else None
        if last is not None and (_is_run_in(work, last, element) or _goes_on(work, last, element, body)):
            category = last.category if last.category != "Title" else "NarrativeText"
            depth = last.category_depth if category == "ListItem" else None
            out[-1] = replace(run_on(last, element), category=category, category_depth=depth)
        else:
            out.append(element)
    return out


def _is_run_in(work: PageText, heading: Element, below: Element) -> bool:
    """Whether a heading's line goes on in a sentence, and that goes on in the paragraph below."""
    return (
        heading.category == "Title"
        and below.category == "NarrativeText"
        and below.text[:1].islower()
        and (_RUN_IN.search(heading.text) is not None or heading.text[-1:] in ",-")
        and follows(heading, below, height_of(_words(work, below)))
    )


def _goes_on(work: PageText, above: Element, below: Element, body: Setting) -> bool:
    """Whether a "heading" is the next line of a paragraph: set just as it is, and the paragraph has no end yet."""
    if above.category not in ("NarrativeText", "ListItem") or below.category != "Title" or not body.size:
        return False
    upper, lower = _words(work, above), _words(work, below)
    return (
        setting_of(upper) == setting_of(lower)
        and above.text[-1:] not in ".!?:;"
        and follows(above, below, height_of(lower))
    )


def _without_running_heads(work: PageText, elements: Sequence[Element], body: Setting) -> list[Element]:
    """The elements with a line alone at the very top of the page, smaller than the text, as its running head."""
    tops = [e.boxes[0].box[1] for e in elements]
    out = list(elements)
    for i, element in enumerate(elements):
        foot = element.boxes[0].box[3]
        if element.category != "Title" or foot > work.parsed.height * RUNNING_HEAD or not body.size:
            continue
        words = _words(work, element)
        below = min((top for top in tops if top > foot), default=foot)
        if setting_of(words).size < body.size * NEARLY and below - foot > 2 * height_of(words):
            out[i] = replace(element, category="Header", category_depth=None)
    return out


def _demoted(work: PageText, element: Element, elements: Sequence[Element], body: Setting) -> Element:
    """A heading that is none as what it is: an item of a list, a caption, or text."""
    if element.category != "Title":
        return element
    if _BULLET.match(element.text):
        return replace(element, category="ListItem", category_depth=0)
    if _CAPTION_LABEL.match(element.text):
        return replace(element, category="FigureCaption", category_depth=None)
    below = _next_below(element, elements)
    if _is_text(element.text) or _is_set_as_text(work, element, below, body):
        return replace(element, category="NarrativeText", category_depth=None)
    return element


def _next_below(element: Element, elements: Sequence[Element]) -> Element | None:
    """The nearest element under another one, in its column."""
    box = element.boxes[0].box
    below = [e for e in elements if e.category != "Image" and shares_column(e.boxes[0].box, box)]
    below = [e for e in below if e.boxes[0].box[1] > (box[1] + box[3]) / 2]
    return min(below, key=lambda e: e.boxes[0].box[1], default=None)


def _is_text(text: str) -> bool:
    """Whether a text by its words is no heading: without any word, a byline, or several sentences."""
    long = len(text.split()) >= LONG_HEADING
    ends = text[-1:] == "."
    return (
        _has_no_word(text)
        or _is_byline(text)
        or (ends and text[:1].islower())
        or (long and (ends or bool(_NEXT_SENTENCE.search(text))))
    )


def _has_no_word(text: str) -> bool:
    """Whether a text has more figures and signs than letters: a value of a chart, a cell of a table.

    The number before a heading does not count.
    """
    own = _HEADING_NUMBER.sub("", text)
    letters = sum(ch.isalpha() for ch in own)
    return 2 * letters < len("".join(own.split())) and not _BARE_NUMBER.fullmatch(text)


def _is_byline(text: str) -> bool:
    if len(_MARKED_NAME.findall(text)) >= 2 and "." not in text:
        return True
    names = [part.strip() for part in text.split(",") if part.strip()]
    return len(names) >= BYLINE_NAMES and all(_NAME.fullmatch(name) for name in names)


def _is_set_as_text(work: PageText, element: Element, below: Element | None, body: Setting) -> bool:
    """Whether a line does not stand out from the running text: smaller, or no larger, bolder nor in another colour."""
    own, text = setting_of(_words(work, element)), element.text
    if not body.size or not own.size or own.size >= body.size * LARGER:
        return False
    if text[:1].islower() and not _NUMBERED.match(text):
        return True
    if own.size < body.size * NEARLY:
        return not _heads_smaller_text(work, own, below, body)
    plain = own.bold <= body.bold and own.colour == body.colour
    apart = own.italic > body.italic or text.isupper() or _NUMBERED.match(text)
    return plain and not (apart and below is not None)


def _heads_smaller_text(work: PageText, own: Setting, below: Element | None, body: Setting) -> bool:
    """Whether a bold line stands right over text that is hardly larger: in a box or column set smaller than the rest.

    Such a line over a table is one of its column heads, over a drawing one of its labels.
    """
    if below is None or not own.bold:
        return False
    if below.category == "Title":
        return own.size >= body.size * SMALLER
    text = setting_of(_words(work, below))
    runs = below.category in ("NarrativeText", "ListItem") and len(below.text.split()) >= FEW_WORDS
    return runs and not text.bold and text.size <= own.size / SMALLER


def _without_kickers(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with short lines over a larger title, in smaller type, as text: they have nothing under them."""
    out = list(elements)
    for i, (upper, lower) in enumerate(pairwise(elements)):
        if upper.category != "Title" or lower.category != "Title" or _NUMBERED.match(upper.text):
            continue
        above, below = _words(work, upper), _words(work, lower)
        if setting_of(above).size < SMALLER * setting_of(below).size and follows(upper, lower, height_of(below)):
            out[i] = replace(upper, category="NarrativeText", category_depth=None)
    return out


# --- one heading from its parts ------------------------------------------------------------------


def _with_numbers(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with a chapter's number, alone on the line over its title, in the title."""
    out: list[Element] = []
    for element in elements:
        last = out[-1] if out else None
        if (
            last is not None
            and element.category == "Title"
            and last.category in ("Title", "NarrativeText", "UncategorizedText")
            and _BARE_NUMBER.fullmatch(last.text)
            and not _NUMBERED.match(element.text)
            and height_of(_words(work, last)) >= SMALLER * height_of(_words(work, element))
            and follows(last, element, 2 * height_of(_words(work, element)))
        ):
            out[-1] = replace(run_on(last, element), category="Title", category_depth=element.category_depth)
        else:
            out.append(element)
    return out


def _rejoined(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with headings that run over several lines in one."""
    out: list[Element] = []
    for element in elements:
        last = out[-1] if out else None
        if last is not None and last.category == element.category == "Title" and _is_wrapped(work, last, element):
            out[-1] = run_on(last, element)
        else:
            out.append(element)
    return out


def _is_wrapped(work: PageText, first: Element, second: Element) -> bool:
    upper, lower = _words(work, first), _words(work, second)
    a, b = setting_of(upper), setting_of(lower)
    return (
        a.size > 0
        and abs(a.size - b.size) <= SAME_SIZE * a.size
        and (a.font, a.colour) == (b.font, b.colour)
        and first.text[-1:] not in ".:!?"
        and not _NUMBERED.match(second.text)
        and follows(first, second, height_of(lower) * WRAP_LEADING / LEADING)
    )


def _with_whole_paragraphs(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements with paragraphs joined to what was cut from a heading above them."""
    out: list[Element] = []
    for element in elements:
        last = out[-1] if out else None
        if (
            last is not None
            and last.category == element.category == "NarrativeText"
            and element.text[:1].islower()
            and last.text[-1:] not in ".!?:"
            and setting_of(_words(work, last)).size == setting_of(_words(work, element)).size
            and follows(last, element, height_of(_words(work, element)))
        ):
            out[-1] = run_on(last, element)
        else:
            out.append(element)
    return out


def _with_whole_words(work: PageText, element: Element) -> Element:
    """A heading without the spaces that kerning made inside its words."""
    rows = rows_of(work, element) if element.category == "Title" else []
    text = ""
    for row in rows:
        text = join_texts(text, _unbroken(row))
    return replace(element, text=text) if text and squeezed(text) == squeezed(element.text) else element


def _unbroken(row: Sequence[PageWord]) -> str:
    text = row[0].text
    for before, word in pairwise(row):
        near = abs(word.box[0] - before.box[2]) < SET_FAST * (word.box[3] - word.box[1])
        slanted = _ITALIC_FONT.search(before.font) is not None
        text += word.text if near and not slanted else f" {word.text}"
    return text


def _with_style_level(work: PageText, element: Element) -> Element:
    """A heading with its level by size made finer by its style: italics stand under bold type of their size."""
    own = setting_of(_words(work, element)) if element.category == "Title" else Setting()
    if not own.size:
        return element
    style = own.italic * (1 if own.bold else 2)
    return replace(element, category_depth=(element.category_depth or 0) * STYLES + style)


def follows(above: Element, below: Element, height: float) -> bool:
    """Whether an element is the next line of another: close below it, in its column; ``height`` is a letter's."""
    a, b = above.boxes[0].box, below.boxes[0].box
    return shares_column(a, b) and -height < b[1] - a[3] <= height * LEADING


def run_on(first: Element, second: Element) -> Element:
    """The first element with the second's text after its own."""
    box = union_box([first.boxes[0].box, second.boxes[0].box])
    return replace(first, text=join_texts(first.text, second.text), boxes=(replace(first.boxes[0], box=box),))
