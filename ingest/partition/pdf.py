"""PDF: LiteParse's blocks on every page, made into elements whose texts are verbatim and whose boxes are known."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import BrokenError, EncryptedError
from ingest.images import caption_kind, is_plain, is_too_small, stored_png
from ingest.partition import PartitionOptions
from ingest.partition.headings import nest_under_headings
from ingest.render import crop, draw_pages
from ingest.tables import cells_to_html, table_text
from ingest.types import BoundingBox, Cell, Element, Page, PageBox, Partition, Source, Word, stable_id, union_box

if TYPE_CHECKING:
    from liteparse import LiteParse
    from liteparse.types import LayoutBlock, LayoutCell, ParsedPage, ParseResult, VectorGraphics

BATCH_PAGES = 100
"""Pages that LiteParse holds at a time; repeated headers and heading levels are judged within them."""
MARGIN_BAND = 0.1
"""Share of the page height at its top and bottom where running headers and footers stand."""
CAPTION_REACH = 90.0
"""Points between a caption and the table or picture that it belongs to, at most."""
FULL_PAGE = 0.85
LEVEL_STEP = 1.2
"""A recognised heading is of a lower level when it is smaller by this factor."""
FEW_CHARACTERS = 20
"""A scanned page with less text than this is a picture as well."""
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|\*|`)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_LINE_END_HYPHEN = re.compile(r"[-\u00ad\u2010]$")


@dataclass(slots=True)
class _PageWork:
    """One page while its elements are made: the parsed page, its words, and which of them blocks have taken."""

    parsed: ParsedPage
    words: list[Word]
    taken: set[int] = field(default_factory=set)

    @property
    def number(self) -> int:
        return self.parsed.page_num

    def words_in(self, box: BoundingBox, *, slack: float = 1.0) -> list[int]:
        """Indices of the words whose centre lies in the box."""
        x0, y0, x1, y1 = box[0] - slack, box[1] - slack, box[2] + slack, box[3] + slack
        return [
            i for i, (_, (a, b, c, d)) in enumerate(self.words) if x0 <= (a + c) / 2 <= x1 and y0 <= (b + d) / 2 <= y1
        ]


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a PDF's pages.

    Raises:
        EncryptedError: the file needs a password.
        BrokenError: the file is damaged or is no PDF.
    """
    elements: list[Element] = []
    pages: list[Page] = []
    images: dict[str, bytes] = {}
    warnings: list[str] = []
    unread: list[int] = []
    for result in _parse(source, options.pages):
        warnings += [f"page {error.page_num}: could not be read ({error.message})" for error in result.page_errors]
        figures = _raster_figures(result)
        for parsed in result.pages:
            started = time.perf_counter()
            work = _PageWork(parsed, _words(parsed))
            if not work.words:
                unread.append(parsed.page_num)
                continue
            found = _page_elements(work, figures.get(parsed.page_num, []))
            if options.images != "off":
                found, crops = _with_crops(source.path, parsed, found)
                images |= crops
            elements += found
            pages.append(_page(work, found, (time.perf_counter() - started) * 1000))
    return Partition(
        elements=_finished(source.id, elements),
        pages=tuple(pages),
        images=images,
        warnings=tuple(warnings),
        unread=tuple(unread),
    )


def read_pages(source: Source, pages: Sequence[int], options: PartitionOptions) -> Partition:
    """Read pages that have no text layer by OCR; a page on which nothing is recognised becomes a picture.

    Raises:
        BrokenError: a page cannot be drawn.
    """
    parts = [_read_scanned(source, page, options) for page in pages]
    return Partition(
        elements=tuple(e for part in parts for e in part.elements),
        pages=tuple(p for part in parts for p in part.pages),
        images={name: data for part in parts for name, data in part.images.items()},
        warnings=tuple(w for part in parts for w in part.warnings),
    )


def _read_scanned(source: Source, page: int, options: PartitionOptions) -> Partition:
    from ingest.ocr import page_scale, read_lines, typeset

    started = time.perf_counter()
    width, height = page_size(source.path, page)
    scale = page_scale(width, height)
    picture = draw_pages(source.path, [page], scale=scale)[page]
    lines = read_lines(picture, scale=scale)
    size = {"page": page, "width": width, "height": height, "tier": "ocr", "reasons": ("no text layer",)}
    elements: list[Element] = []
    images: dict[str, bytes] = {}
    if lines:
        sheet = next(iter(_parse_bytes(typeset(lines, width, height))))
        sheet.page_num = page
        work = _PageWork(sheet, [word for line in lines for word in line.words])
        confidence = round(sum(line.confidence for line in lines) / len(lines), 3)
        elements = [replace(e, confidence=confidence) for e in _page_elements(work, [])]
        said = f"page {page}: no text layer, OCR used"
    else:
        said = f"page {page}: no text layer, and OCR found no text"
    if sum(len(line.text) for line in lines) < FEW_CHARACTERS and options.images != "off" and not is_plain(picture):
        key, data = stored_png(picture)
        images[key] = data
        elements.append(replace(_element(page, "Image", "", [(0.0, 0.0, width, height)]), image_path=key))
    words = tuple(word for line in lines for word in line.words)
    ms = round((time.perf_counter() - started) * 1000, 1)
    return Partition(
        elements=tuple(elements),
        pages=(Page(**size, words=words, ms=ms, text_kept=_share_kept(words, elements)),),  # type: ignore[arg-type]
        images=images,
        warnings=(said,),
    )


def join(source: Source, first: Partition, parts: Sequence[Partition]) -> Partition:
    """A partition with the pages that were read later in their places."""
    every = [first, *parts]
    elements = sorted((e for part in every for e in part.elements), key=lambda e: e.page_number or 0)
    images = {name: data for part in every for name, data in part.images.items()}
    elements = _with_recognised_levels([replace(e, parent_id=None) for e in elements])
    return Partition(
        elements=_finished(source.id, elements),
        pages=tuple(sorted((p for part in every for p in part.pages), key=lambda p: p.page)),
        images=images,
        warnings=tuple(sorted((w for part in every for w in part.warnings), key=_page_of_warning)),
    )


def _with_recognised_levels(elements: Sequence[Element]) -> list[Element]:
    """Recognised headings with levels by their height over the whole document; each page alone cannot know them."""
    heights = {id(e): e.boxes[0].box[3] - e.boxes[0].box[1] for e in elements if _is_read_title(e)}
    levels: dict[float, int] = {}
    top, level = 0.0, -1
    for height in sorted(set(heights.values()), reverse=True):
        if height * LEVEL_STEP < top or level < 0:
            top, level = height, level + 1
        levels[height] = level
    return [replace(e, category_depth=levels[heights[id(e)]]) if _is_read_title(e) else e for e in elements]


def _is_read_title(element: Element) -> bool:
    return element.category == "Title" and element.confidence is not None


def _page_of_warning(warning: str) -> int:
    found = re.match(r"page (\d+)", warning)
    return int(found[1]) if found else 0


def page_size(path: Path, page: int) -> tuple[float, float]:
    """Width and height of a page as displayed, in points."""
    from liteparse import LiteParse

    parsed = LiteParse(ocr_enabled=False, quiet=True, target_pages=str(page)).parse(path).pages[0]
    return parsed.width, parsed.height


def _finished(source_id: str, elements: Sequence[Element]) -> tuple[Element, ...]:
    """Elements with ids, parents and captions: what needs the whole document."""
    return tuple(_bind_captions(nest_under_headings(_identify(source_id, elements))))


def _parse(source: Source, pages: tuple[int, ...] | None) -> Iterator[ParseResult]:
    """LiteParse's results, in batches that bound memory; its errors become ours here."""
    from liteparse import ParseError

    parser = _parser(pages)
    try:
        if pages:
            yield parser.parse(source.path)
            return
        for batch in parser.parse_batches(source.path, BATCH_PAGES):
            yield batch.result
    except FileNotFoundError as exc:
        raise BrokenError("the file vanished while it was read") from exc
    except ParseError as exc:
        raise _mapped(source, exc) from exc


def _parser(pages: tuple[int, ...] | None) -> LiteParse:
    from liteparse import LiteParse

    return LiteParse(
        ocr_enabled=False,
        quiet=True,
        output_format="markdown",
        extract_blocks=True,
        emit_word_boxes=True,
        include_complexity=True,
        extract_images=True,
        extract_vector_graphics=True,
        extract_links=False,
        continue_on_page_error=True,
        target_pages=",".join(map(str, pages)) if pages else None,
    )


def _parse_bytes(data: bytes) -> list[ParsedPage]:
    return list(_parser(None).parse(data).pages)


def _mapped(source: Source, exc: Exception) -> BrokenError | EncryptedError:
    if "password" in str(exc).lower():
        return EncryptedError("encrypted: save a copy without a password and ingest that")
    if source.size == 0:
        return BrokenError("empty file (0 bytes)")
    return BrokenError(f"broken PDF: {exc}")


def _words(parsed: ParsedPage) -> list[Word]:
    """The page's words in content order, text that is drawn twice (shadows) once."""
    words = dict.fromkeys(
        Word(word.text, (word.x, word.y, word.x + word.width, word.y + word.height))
        for item in parsed.text_items
        for word in item.words
        if word.text.strip()
    )
    return list(words)


# --- blocks to elements -------------------------------------------------------------------------


def _page_elements(work: _PageWork, figures: list[BoundingBox]) -> list[Element]:
    blocks = [b for b in work.parsed.blocks or [] if b.kind not in ("rule", "figure") and b.bbox is not None]
    texts = [element for block in blocks for element in _block_elements(work, block)]
    figures = figures + _vector_figures(work, texts)
    placed = _place_figures(work, texts, figures)
    return placed + _left_over(work)


def _block_elements(work: _PageWork, block: LayoutBlock) -> Iterator[Element]:
    box = _box(block.bbox)
    inside = [i for i in work.words_in(box) if i not in work.taken]
    if block.kind == "table":
        work.taken.update(inside)
        yield from _table(work, block, box)
        return
    text = _verbatim(block, [work.words[i] for i in inside])
    if not text:
        return
    work.taken.update(inside)
    category, depth = _category(block, text)
    yield _element(work.number, category, text, [box], depth)


def _category(block: LayoutBlock, text: str) -> tuple[str, int | None]:
    if caption_kind(text) and block.kind in ("paragraph", "heading"):
        return "FigureCaption", None
    if block.kind == "heading":
        return "Title", max(0, (block.level or 1) - 1)
    if block.kind == "list_item":
        return "ListItem", block.level or 0
    if block.kind == "code" and len(block.lines or []) > 1:
        return "CodeSnippet", None
    return "NarrativeText", None


def _element(page: int, category: str, text: str, boxes: Sequence[BoundingBox], depth: int | None = None) -> Element:
    return Element(
        element_id="",
        category=category,
        text=text,
        page_number=page,
        boxes=tuple(PageBox(page=page, box=box) for box in boxes),
        category_depth=depth,
    )


def _verbatim(block: LayoutBlock, words: Sequence[Word]) -> str:
    """The block's text without LiteParse's Markdown marks; from the words where it wrote formulas as LaTeX."""
    if block.kind == "code":
        return "\n".join(block.lines or []).strip("\n")
    text = block.text or ""
    drawn = "".join(word.text for word in words)
    if words and ("\\" in text or "$" in text) and text.count("$") != drawn.count("$"):
        return _join_words(words)
    for _ in range(3):
        text = _EMPHASIS.sub(lambda m: m[2] if drawn.count(m[1]) < 2 else m[0], text)
    return " ".join(text.split())


def _join_words(words: Sequence[Word]) -> str:
    """Words in lines from top to bottom as one text; a word broken at a line end is rejoined."""
    out = ""
    for line in _lines(words):
        text = " ".join(word.text for word in line)
        if _LINE_END_HYPHEN.search(out) and text[:1].islower():
            out = out[:-1] + text
        else:
            out = f"{out} {text}" if out else text
    return out


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    """Words grouped into lines by overlap of their heights, each line from left to right."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda w: ((w.box[1] + w.box[3]) / 2, w.box[0])):
        middle = (word.box[1] + word.box[3]) / 2
        if lines and lines[-1][0].box[1] <= middle <= lines[-1][0].box[3]:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda w: w.box[0]) for line in lines]


def _left_over(work: _PageWork) -> list[Element]:
    """Words that no block kept: running headers and footers, and text that would be lost otherwise."""
    height = work.parsed.height
    rest = [word for i, word in enumerate(work.words) if i not in work.taken]
    groups: dict[str, list[Word]] = {"UncategorizedText": [], "Header": [], "Footer": []}
    for word in rest:
        if word.box[3] <= height * MARGIN_BAND:
            groups["Header"].append(word)
        elif word.box[1] >= height * (1 - MARGIN_BAND):
            groups["Footer"].append(word)
        else:
            groups["UncategorizedText"].append(word)
    return [
        _element(work.number, name, _join_words(words), [union_box([w.box for w in words])])
        for name, words in groups.items()
        if words
    ]


# --- tables -------------------------------------------------------------------------------------


def _table(work: _PageWork, block: LayoutBlock, box: BoundingBox) -> Iterator[Element]:
    rows = [list(block.header or []), *(block.rows or [])] if block.header else list(block.rows or [])
    if rows and _is_caption_row(rows[0]):
        caption = " ".join(cell.text for cell in rows[0] if cell.text.strip())
        yield _element(work.number, "FigureCaption", caption, [_row_box(rows[0]) or box])
        rows = rows[1:]
    if not rows:
        return
    heads = _count_header_rows(rows, given=bool(block.header))
    cells = [
        _cell(work.number, r, c, cell, header=r < heads) for r, row in enumerate(rows) for c, cell in enumerate(row)
    ]
    cells = _with_header_spans(cells, heads)
    text = table_text(cells)
    if not text.strip():
        return
    element = _element(work.number, "Table", text, [box])
    yield replace(element, cells=tuple(cells), text_as_html=cells_to_html(cells))


def _is_caption_row(row: Sequence[LayoutCell]) -> bool:
    """Whether a first row is the caption that was drawn close above the table."""
    texts = [cell.text.strip() for cell in row if cell.text.strip()]
    return bool(texts) and len(texts) < max(3, len(row)) and caption_kind(texts[0]) == "table"


def _row_box(row: Sequence[LayoutCell]) -> BoundingBox | None:
    boxes = [_box(cell.bbox) for cell in row if cell.bbox is not None and cell.text.strip()]
    return union_box(boxes) if boxes else None


def _count_header_rows(rows: Sequence[Sequence[LayoutCell]], *, given: bool) -> int:
    """How many leading rows name columns.

    The first is the one that LiteParse saw, or one of words above numbers; a second one stands under gaps in the
    first and holds names or years alone.
    """
    count = int(given or _reads_as_header(rows))
    if count == 0 or len(rows) < 3:
        return count
    first, second = rows[0], rows[1]
    gaps = any(not cell.text.strip() for cell in first[1:])
    names = [cell.text.strip() for cell in second if cell.text.strip()]
    under = not second[0].text.strip() or not first[0].text.strip()
    if (gaps or not first[0].text.strip()) and names and under and all(_names_column(name) for name in names):
        return 2
    return count


def _names_column(text: str) -> bool:
    return not text[:1].isdigit() or re.fullmatch(r"(?:FY)?\s?(?:19|20)\d\d\D{0,4}", text) is not None


def _with_header_spans(cells: list[Cell], heads: int) -> list[Cell]:
    """Cells with those of an upper header row widened over the columns whose middle they stand nearest to."""
    out = list(cells)
    for row in range(heads - 1):
        named = [c for c in out if c.row == row and c.box is not None]
        if len(named) < 2:
            continue
        owner = {
            column: min(named, key=lambda c: (abs(_middle(c.box) - middle), c.column))
            for column, middle in _column_middles(cells).items()
            if column != named[0].column or column > 0
        }
        for cell in named:
            columns = sorted(column for column, own in owner.items() if own is cell and column > 0) or [cell.column]
            first = 0 if cell.column == 0 and cell is named[0] else columns[0]
            run = [c for i, c in enumerate(columns) if c == columns[0] + i]
            wide = 1 if first == 0 else len(run)
            out = [
                c for c in out if c.row != row or c is cell or not first <= c.column < first + wide or c.box is not None
            ]
            out = [replace(c, column=first, colspan=wide) if c is cell else c for c in out]
    return sorted(out, key=lambda c: (c.row, c.column))


def _column_middles(cells: Sequence[Cell]) -> dict[int, float]:
    """The middle of each column, from the boxes of its cells, in points."""
    middles: dict[int, list[float]] = {}
    for cell in cells:
        if cell.box is not None and not cell.header:
            middles.setdefault(cell.column, []).append(_middle(cell.box))
    return {column: sorted(values)[len(values) // 2] for column, values in middles.items()}


def _middle(box: BoundingBox | None) -> float:
    return (box[0] + box[2]) / 2 if box else 0.0


def _cell(page: int, row: int, column: int, cell: LayoutCell, *, header: bool) -> Cell:
    text = _EMPHASIS.sub(r"\2", cell.text)
    text = " ".join(re.sub(r"<br\s*/?>", " ", text).split())
    box = _box(cell.bbox) if cell.bbox is not None and text else None
    return Cell(row=row, column=column, text=text, header=header, page=page, box=box)


def _reads_as_header(rows: Sequence[Sequence[LayoutCell]]) -> bool:
    """Whether the first row names columns: words (or years) above rows that hold numbers."""
    first, rest = rows[0], rows[1:]
    body = [cell.text for row in rest for cell in row[1:] if cell.text.strip()]
    numeric = sum(any(ch.isdigit() for ch in text) for text in body)
    named = [cell.text.strip() for cell in first[1:] if cell.text.strip()]
    if not named or not body or numeric < len(body) / 2:
        return False
    return all(_names_column(text) for text in named)


# --- figures ------------------------------------------------------------------------------------


def _raster_figures(result: ParseResult) -> dict[int, list[BoundingBox]]:
    """Boxes of raster pictures by page; small ones and those repeated on many pages (logos) left out."""
    digests = Counter(hash(image.bytes) for image in result.images)
    many = max(3, len(result.pages) // 2)
    sizes = {page.page_num: (page.width, page.height) for page in result.pages}
    found: dict[int, list[BoundingBox]] = {}
    for image in result.images:
        box = _clip(_box(image.bbox), sizes[image.page])
        if not is_too_small(box) and digests[hash(image.bytes)] < many:
            found.setdefault(image.page, []).append(box)
    return {page: _merged(boxes) for page, boxes in found.items()}


def _vector_figures(work: _PageWork, elements: Sequence[Element]) -> list[BoundingBox]:
    """Drawings that a figure caption points at: the strokes and fills between it and the text around."""
    graphics = work.parsed.vector_graphics
    if graphics is None:
        return []
    captions = [e.boxes[0].box for e in elements if e.category == "FigureCaption" and caption_kind(e.text) == "figure"]
    tables = [e.boxes[0].box for e in elements if e.category == "Table"]
    strokes = [
        box
        for box in _strokes(graphics)
        if not any(_overlaps(box, table) for table in tables) and box[2] - box[0] < work.parsed.width * 0.95
    ]
    clusters = [box for box in _merged(strokes, gap=24.0) if not is_too_small(box)]
    return [c for c in clusters if any(0 <= _gap(c, caption) <= CAPTION_REACH for caption in captions)]


def _strokes(graphics: VectorGraphics) -> list[BoundingBox]:
    shapes = [shape.bbox for shape in graphics.shapes]
    boxes = [(x, y, x + width, y + height) for x, y, width, height in shapes]
    lines = [(min(s.x1, s.x2), min(s.y1, s.y2), max(s.x1, s.x2), max(s.y1, s.y2)) for s in graphics.lines]
    return boxes + lines


def _place_figures(work: _PageWork, elements: list[Element], figures: Sequence[BoundingBox]) -> list[Element]:
    """The elements with an Image for each figure, before the first element that starts below its top.

    Text drawn inside a figure (labels, legends) becomes the Image's text; a picture behind a whole page takes none.
    """
    page_area = work.parsed.width * work.parsed.height
    captions = [e.boxes[0].box for e in elements if e.category == "FigureCaption"]
    out = list(elements)
    for whole in sorted(figures, key=lambda box: box[1]):
        behind = _area(whole) >= page_area * FULL_PAGE
        if behind and work.words:
            continue
        figure = whole if behind else _beside_captions(whole, captions)
        inside = [] if behind else [e for e in out if _is_label(e, figure)]
        loose = [] if behind else [i for i in work.words_in(figure) if i not in work.taken]
        work.taken.update(loose)
        text = " ".join([*(e.text for e in inside), _join_words([work.words[i] for i in loose])]).strip()
        out = [e for e in out if e not in inside]
        below = (i for i, e in enumerate(out) if e.boxes[0].box[1] >= figure[1] and _same_column(e, figure))
        out.insert(next(below, len(out)), _element(work.number, "Image", text, [figure]))
    return out


def _is_label(element: Element, figure: BoundingBox) -> bool:
    """Whether an element is text drawn inside a figure."""
    return element.category not in ("Image", "FigureCaption", "Table") and all(
        _holds(figure, b.box) for b in element.boxes
    )


def _beside_captions(figure: BoundingBox, captions: Sequence[BoundingBox]) -> BoundingBox:
    """A figure's box without the captions that reach into its top or bottom."""
    x0, y0, x1, y1 = figure
    for caption in (c for c in captions if _overlaps(c, figure)):
        if caption[1] < y0 + (y1 - y0) / 3 and caption[3] < (y0 + y1) / 2:
            y0 = max(y0, caption[3] + 1)
        elif caption[1] > (y0 + y1) / 2:
            y1 = min(y1, caption[1] - 1)
    return x0, y0, x1, y1


def _with_crops(path: Path, parsed: ParsedPage, elements: list[Element]) -> tuple[list[Element], dict[str, bytes]]:
    """The elements with each Image's crop named, and the crops; single-colour pictures are left out."""
    if not any(e.category == "Image" for e in elements):
        return elements, {}
    page = draw_pages(path, [parsed.page_num])[parsed.page_num]
    kept: list[Element] = []
    crops: dict[str, bytes] = {}
    for element in elements:
        if element.category != "Image":
            kept.append(element)
            continue
        picture = crop(page, element.boxes[0].box)
        if is_plain(picture):
            continue
        key, data = stored_png(picture)
        crops[key] = data
        kept.append(replace(element, image_path=key))
    return kept, crops


# --- the whole document -------------------------------------------------------------------------


def _identify(source_id: str, elements: Sequence[Element]) -> list[Element]:
    return [replace(e, element_id=stable_id(source_id, index, e.category, e.text)) for index, e in enumerate(elements)]


def _bind_captions(elements: Sequence[Element]) -> Iterator[Element]:
    """Captions with ``parent_id`` set to the nearest table or picture of their kind on the page."""
    for element in elements:
        if element.category != "FigureCaption":
            yield element
            continue
        wanted = "Table" if caption_kind(element.text) == "table" else "Image"
        box = element.boxes[0].box
        near = [
            (abs(_gap(other.boxes[0].box, box)), other.element_id)
            for other in elements
            if other.category == wanted and other.page_number == element.page_number
        ]
        distance, owner = min(near, default=(CAPTION_REACH + 1, ""))
        yield replace(element, parent_id=owner) if distance <= CAPTION_REACH else element


def _page(work: _PageWork, elements: Sequence[Element], own_ms: float) -> Page:
    parsed = work.parsed
    signals = parsed.complexity
    return Page(
        page=parsed.page_num,
        width=parsed.width,
        height=parsed.height,
        reasons=tuple(signals.reasons) if signals else (),
        ms=round(own_ms, 1),
        text_kept=_share_kept(work.words, elements),
        words=tuple(work.words),
    )


def _share_kept(words: Sequence[Word], elements: Sequence[Element]) -> float | None:
    """Share of the text layer's letters and digits that the elements kept, counted with repeats."""
    want = Counter(ch for word in words for ch in word.text if ch.isalnum())
    if not want:
        return None
    have = Counter(ch for e in elements for ch in e.text if ch.isalnum())
    return round(sum(min(n, have[ch]) for ch, n in want.items()) / want.total(), 3)


# --- boxes --------------------------------------------------------------------------------------


def _box(rect: object) -> BoundingBox:
    x, y = float(rect.x), float(rect.y)  # type: ignore[attr-defined]
    return x, y, x + float(rect.width), y + float(rect.height)  # type: ignore[attr-defined]


def _clip(box: BoundingBox, size: tuple[float, float]) -> BoundingBox:
    return max(0.0, box[0]), max(0.0, box[1]), min(size[0], box[2]), min(size[1], box[3])


def _area(box: BoundingBox) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _overlaps(a: BoundingBox, b: BoundingBox, gap: float = 0.0) -> bool:
    return a[0] <= b[2] + gap and b[0] <= a[2] + gap and a[1] <= b[3] + gap and b[1] <= a[3] + gap


def _holds(outer: BoundingBox, inner: BoundingBox, slack: float = 6.0) -> bool:
    return (
        outer[0] - slack <= inner[0]
        and outer[1] - slack <= inner[1]
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def _gap(a: BoundingBox, b: BoundingBox) -> float:
    """Vertical distance of two boxes; infinite when they share no column, 0 when they overlap."""
    if a[2] < b[0] or b[2] < a[0]:
        return float("inf")
    return max(0.0, b[1] - a[3], a[1] - b[3])


def _same_column(element: Element, box: BoundingBox) -> bool:
    return _gap(element.boxes[0].box, box) != float("inf")


def _merged(boxes: Sequence[BoundingBox], gap: float = 0.0) -> list[BoundingBox]:
    """Boxes with all that touch (within ``gap`` points) made one."""
    groups: list[BoundingBox] = []
    for box in sorted(boxes, key=lambda b: b[1]):
        grown = box
        while touching := [g for g in groups if _overlaps(g, grown, gap)]:
            groups = [g for g in groups if g not in touching]
            grown = union_box([*touching, grown])
        groups.append(grown)
    return groups
