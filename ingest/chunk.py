"""Chunk: ``Partition -> list[Chunk]``, by title, by page or by similarity.

Texts are filled into chunks as unstructured's ``chunk_by_title`` does it, with its option names, save that

- sections are never merged across a title unless ``combine_text_under_n_chars`` asks for it;
- headings that would be a chunk alone are left out where a chunk follows below them, as its title path has them;
- page headers, footers, page numbers and page breaks are left out, and elements without text start no section;
- tables and pictures, with their captions, are chunks of their own, and pictures do not interrupt the text;
- a part that would hold nothing but its overlap is left out, and lengths are those of texts with spaces collapsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Literal

from ingest.chunk_outline import Heading, Item, bind_captions, read_items
from ingest.chunk_tables import TablePart, table_parts
from ingest.chunk_text import PARAGRAPH_BREAK, boxes_of, pages_of, split_text, windows
from ingest.errors import UsageError
from ingest.surroundings import Surroundings, nearby_text, read_surroundings
from ingest.types import Chunk, Kind, PageBox, Partition, VectorText, stable_id

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Similarity = Callable[[Sequence[str]], NDArray[np.float32]]

VECTOR_CHARACTERS = 1000
"""Longest text of a vector, title path aside."""
HEADING_CHARACTERS = 200
"""How much of a heading is taken into vectors: a paragraph taken for a heading must not drown what is below it."""
ROW_VECTOR_CHARACTERS = 600
"""Longest text of a vector of table rows: few rows, so that one value still weighs in it."""

MANY_ROWS_CHARACTERS = 3000
"""The same in a table of thousands of rows, of which no vector tells one from the others: their words find them."""

_PATH_SEPARATOR = " › "


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkOptions:
    """How elements become chunks; lengths in characters. Part of the key under which chunks are cached.

    ``max_characters`` is the hard maximum of a text chunk, ``new_after_n_chars`` the length beyond which it takes
    no further element (``None``: the hard maximum). ``combine_text_under_n_chars`` lets ``by_title`` merge a
    shorter chunk with the section after it (0: never). Without ``multipage_sections`` a section ends with its page.
    ``overlap`` repeats the end of one part of a split element in the next, with ``overlap_all`` also the end of
    one chunk in the next. ``max_table_characters`` is the length beyond which a table is split between its rows,
    ``similarity_threshold`` the cosine below which ``similarity`` starts a chunk.
    """

    chunking: Literal["by_title", "by_page", "similarity"] = "by_title"
    max_characters: int = 1000
    new_after_n_chars: int | None = None
    combine_text_under_n_chars: int = 0
    multipage_sections: bool = True
    overlap: int = 0
    overlap_all: bool = False
    max_table_characters: int = 4000
    similarity_threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.chunking not in {"by_title", "by_page", "similarity"}:
            raise UsageError(f"chunking must be by_title, by_page or similarity, not {self.chunking!r}")
        if self.max_characters < 1 or self.max_table_characters < 1:
            raise UsageError("max_characters and max_table_characters must be above 0")
        if self.new_after_n_chars is not None and self.new_after_n_chars < 0:
            raise UsageError("new_after_n_chars must be 0 or more")
        if not 0 <= self.combine_text_under_n_chars <= self.max_characters:
            raise UsageError("combine_text_under_n_chars must be between 0 and max_characters")
        if not 0 <= self.overlap < self.max_characters:
            raise UsageError("overlap must be 0 or more and below max_characters")
        if not -1 <= self.similarity_threshold <= 1:
            raise UsageError("similarity_threshold must be between -1 and 1")

    @property
    def soft_max(self) -> int:
        """Length beyond which a chunk takes no further element."""
        return self.max_characters if self.new_after_n_chars is None else self.new_after_n_chars


def chunk(
    partition: Partition,
    source_id: str,
    options: ChunkOptions,
    *,
    similarity: Similarity | None = None,
    doc: str = "",
) -> list[Chunk]:
    """Cut a partition into chunks, in the order of their first elements.

    Args:
        partition: what was read from the source; its elements in reading order.
        source_id: the source that the chunks belong to.
        options: how to cut.
        similarity: embeds texts, a unit vector a row; needed for ``chunking="similarity"`` alone.
        doc: name of the document, for error messages.

    Raises:
        UsageError: chunking by similarity without a ``similarity`` function.
    """
    if options.chunking == "similarity" and similarity is None:
        raise UsageError(f"chunking by similarity needs an embedder{f' ({doc})' if doc else ''}")
    items = read_items(partition.elements)
    captions = bind_captions(items)
    bound = {caption.place for found in captions.values() for caption in found}
    flow = [item for item in items if item.element.category != "Image" and item.place not in bound]
    drafts = [draft for piece in _pieces(flow, options, similarity) for draft in _drafts(piece, captions, options)]
    drafts += _picture_drafts(items, captions)
    return _number(_without_covered_headings(sorted(drafts, key=lambda draft: draft.place)), source_id)


# The elements that fill a chunk together.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Elements that form one chunk, or more if a single one is too long, after ``prefix``, the end of the last one."""

    items: tuple[Item, ...]
    prefix: str = ""

    @property
    def is_table(self) -> bool:
        return self.items[0].is_table

    @property
    def text(self) -> str:
        return PARAGRAPH_BREAK.join(filter(None, (self.prefix, *(item.text for item in self.items))))


def _pieces(flow: Sequence[Item], options: ChunkOptions, similarity: Similarity | None) -> list[_Piece]:
    if options.chunking == "by_page":
        return _fill(flow, _page_starts(flow), options)
    if similarity is not None and options.chunking == "similarity":
        return _fill(flow, _dissimilar(flow, similarity, options.similarity_threshold), options)
    starts = {item.place for item in flow if item.is_title}
    if not options.multipage_sections:
        starts |= _page_starts(flow)
    return _combine(_fill(flow, starts, options), options)


def _page_starts(flow: Sequence[Item]) -> set[int]:
    """The places where the page changes; an element that does not know its page stands on that of the last one."""
    starts: set[int] = set()
    page = (flow[0].element.page_number or 1) if flow else 1
    for item in flow:
        if item.element.page_number not in {None, page}:
            page = item.element.page_number or 1
            starts.add(item.place)
    return starts


def _dissimilar(flow: Sequence[Item], similarity: Similarity, threshold: float) -> set[int]:
    """The places of titles and of the elements that are unlike the sum of those since the last such place."""
    texts = [item for item in flow if not item.is_table and not item.is_title]
    vectors = dict(zip((item.place for item in texts), similarity([item.text for item in texts]), strict=True))
    starts: set[int] = set()
    running: NDArray[np.float32] | None = None
    for item in flow:
        vector = vectors.get(item.place)
        if vector is None:  # a title or a table: what follows starts afresh
            running = None
            starts.add(item.place)
        elif running is None or float(running @ vector) >= threshold * sqrt(float(running @ running)):
            running = vector if running is None else running + vector
        else:
            running = vector
            starts.add(item.place)
    return starts


def _fill(flow: Iterable[Item], starts: set[int], options: ChunkOptions) -> list[_Piece]:
    """Pieces as large as the limits allow, a new one at each of ``starts``; a table is one by itself."""
    pieces: list[_Piece] = []
    piece: _Piece | None = None
    length = 0
    for item in flow:
        grown = length + len(PARAGRAPH_BREAK) + len(item.text)
        full = length > options.soft_max or grown > options.max_characters
        if piece is None or full or item.is_table or piece.is_table or item.place in starts:
            piece = _Piece(items=(item,), prefix=_tail(piece, options))
            pieces.append(piece)
            length = len(piece.text)
        else:
            piece = pieces[-1] = replace(piece, items=(*piece.items, item))
            length = grown
    return pieces


def _tail(piece: _Piece | None, options: ChunkOptions) -> str:
    """The end of a piece that is repeated in the next one; nothing of a table is."""
    if not options.overlap_all or not options.overlap or piece is None or piece.is_table:
        return ""
    return piece.text[-options.overlap :].strip()


def _combine(pieces: Iterable[_Piece], options: ChunkOptions) -> list[_Piece]:
    """Pieces that are too short merged with the next ones, as far as these fit; never a table."""
    combined: list[_Piece] = []
    for piece in pieces:
        last = combined[-1] if combined else None
        if last is not None and not (last.is_table or piece.is_table):
            both = replace(last, items=(*last.items, *piece.items))
            short = len(last.text) < options.combine_text_under_n_chars
            if short and len(both.text) <= options.max_characters:
                combined[-1] = both
                continue
        combined.append(piece)
    return combined


# Chunks.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A chunk before it has its number and its id. ``headings`` holds its places if it has headings alone."""

    place: int
    kind: Kind
    text: str
    path: tuple[Heading, ...]
    element_ids: tuple[str, ...]
    page_numbers: tuple[int, ...]
    boxes: tuple[PageBox, ...]
    vectors: tuple[VectorText, ...]
    text_as_html: str | None = None
    image_path: str | None = None
    headings: frozenset[int] = frozenset()


def _drafts(piece: _Piece, captions: dict[int, list[Item]], options: ChunkOptions) -> list[_Draft]:
    if not piece.is_table:
        return _text_drafts(piece, options)
    table = piece.items[0]
    return _table_drafts(table, captions.get(table.place, []), options)


def _text_drafts(piece: _Piece, options: ChunkOptions) -> list[_Draft]:
    leading = _leading_titles(piece.items)
    path = (leading or piece.items)[-1 if leading else 0].path
    titles = tuple(heading.text for heading in path)
    elements = [item.element for item in piece.items]
    parts = split_text(piece.text, options.max_characters, options.overlap)
    if len(parts) > 1 and parts[0] == piece.prefix:
        del parts[0]
    alone = len(leading) == len(piece.items)
    return [
        _Draft(
            place=piece.items[0].place,
            kind="text",
            text=text,
            path=path,
            element_ids=tuple(element.element_id for element in elements),
            page_numbers=pages_of(elements),
            boxes=boxes_of(elements),
            vectors=tuple(VectorText(name="text", text=window) for window in _text_windows(titles, text)),
            headings=frozenset(item.place for item in leading) if alone else frozenset(),
        )
        for text in parts
    ]


def _leading_titles(items: Sequence[Item]) -> Sequence[Item]:
    count = next((n for n, item in enumerate(items) if not item.is_title), len(items))
    return items[:count]


def _text_windows(titles: Sequence[str], text: str) -> Iterator[str]:
    """The texts under which a text is found; headings that begin it are not said twice."""
    for window in split_text(text, VECTOR_CHARACTERS):
        begins = [PARAGRAPH_BREAK.join((*titles[n:], "")) for n in range(len(titles))]
        said = next((n for n, begin in enumerate(begins) if (window + PARAGRAPH_BREAK).startswith(begin)), len(titles))
        yield _lines(_path_line(titles[:said]), window)


def _table_drafts(table: Item, captions: Sequence[Item], options: ChunkOptions) -> list[_Draft]:
    caption = "\n".join(item.text for item in captions)
    notes = [item.element for item in captions]
    parts = table_parts(table.element, caption, options.max_table_characters)
    return [
        _Draft(
            place=table.place,
            kind="table",
            text=part.text,
            path=_part_path(table, part),
            element_ids=(table.element.element_id, *(element.element_id for element in notes)),
            page_numbers=tuple(sorted({*part.page_numbers, *(() if n else pages_of(notes))})),
            boxes=(*(() if n else boxes_of(notes)), *part.boxes),
            vectors=_table_vectors(table, "" if n else caption, part, "" if n else table.element.summary or ""),
            text_as_html=part.text_as_html,
            image_path=table.element.image_path,
        )
        for n, part in enumerate(parts)
    ]


def _part_path(table: Item, part: TablePart) -> tuple[Heading, ...]:
    """The headings above a table, and below them what names the one row that a part is."""
    named = Heading(place=table.place, level=len(table.path), text=part.title, has_depth=True)
    return (*table.path, named) if part.title else table.path


def _table_vectors(table: Item, caption: str, part: TablePart, summary: str) -> tuple[VectorText, ...]:
    path = _path_line([heading.text for heading in _part_path(table, part)])
    shown = part.header or part.text
    found = [("text", _lines(path, caption, shown[:VECTOR_CHARACTERS]))]
    limit = MANY_ROWS_CHARACTERS if part.many else ROW_VECTOR_CHARACTERS
    found += [("rows", window) for window in windows(part.rows, limit)]
    found += [("caption", caption), *(("summary", window) for window in split_text(summary, VECTOR_CHARACTERS))]
    return _vectors(found)


def _picture_drafts(items: Sequence[Item], captions: dict[int, list[Item]]) -> Iterator[_Draft]:
    surroundings = read_surroundings([item.element for item in items])
    for item in items:
        if item.element.category == "Image":
            notes = captions.get(item.place, [])
            vectors = _picture_vectors(item, notes, surroundings)
            if vectors:
                yield _picture_draft(item, notes, vectors)


def _picture_draft(picture: Item, captions: Sequence[Item], vectors: tuple[VectorText, ...]) -> _Draft:
    elements = [picture.element, *(item.element for item in captions)]
    pages = pages_of(elements)
    said = _lines(*dict.fromkeys([*(item.text for item in captions), picture.text]))
    return _Draft(
        place=picture.place,
        kind="image",
        text=said or _path_text(picture) or (f"Picture on page {pages[0]}" if pages else "Picture"),
        path=picture.path,
        element_ids=tuple(element.element_id for element in elements),
        page_numbers=pages,
        boxes=boxes_of(elements),
        vectors=vectors,
        text_as_html=picture.element.text_as_html,
        image_path=picture.element.image_path,
    )


def _picture_vectors(picture: Item, captions: Sequence[Item], surroundings: Surroundings) -> tuple[VectorText, ...]:
    """Nothing if the document says nothing of the picture: there is no word to find it by."""
    caption = _lines(*(item.text for item in captions))
    context = _lines(_path_text(picture), nearby_text(surroundings, picture.place, caption))
    own = split_text(picture.text, VECTOR_CHARACTERS)
    shown = split_text(picture.element.summary or "", VECTOR_CHARACTERS)
    found = [("caption", caption), ("context", context)]
    return _vectors([*found, *(("text", window) for window in own), *(("summary", window) for window in shown)])


def _path_text(item: Item) -> str:
    return _path_line([heading.text for heading in item.path])


def _path_line(titles: Iterable[str]) -> str:
    return _PATH_SEPARATOR.join(title[:HEADING_CHARACTERS] for title in titles)


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _vectors(found: Iterable[tuple[str, str]]) -> tuple[VectorText, ...]:
    return tuple(VectorText(name=name, text=text) for name, text in found if text)


def _without_covered_headings(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Drafts of headings alone are kept only where no other draft has all of these headings in its title path."""
    covered = {heading.place for draft in drafts if not draft.headings for heading in draft.path}
    kept: list[_Draft] = []
    for draft in reversed(drafts):  # from the innermost headings outwards, as a kept one covers those above it
        if not draft.headings or not draft.headings <= covered:
            kept.append(draft)
            covered |= {heading.place for heading in draft.path} - draft.headings
    return kept[::-1]


def _number(drafts: Iterable[_Draft], source_id: str) -> list[Chunk]:
    """Chunks with ids that depend on what each holds and on how many equal ones stand before it, not on its place."""
    seen: dict[str, int] = {}
    chunks: list[Chunk] = []
    for index, draft in enumerate(drafts):
        titles = tuple(heading.text for heading in draft.path)
        content = stable_id(source_id, draft.kind, draft.text, draft.image_path or "", *titles)
        seen[content] = seen.get(content, 0) + 1
        chunks.append(
            Chunk(
                chunk_id=content if seen[content] == 1 else stable_id(content, seen[content]),
                source_id=source_id,
                index=index,
                kind=draft.kind,
                text=draft.text,
                title_path=titles,
                page_numbers=draft.page_numbers,
                element_ids=draft.element_ids,
                boxes=draft.boxes,
                text_as_html=draft.text_as_html,
                image_path=draft.image_path,
                vectors=draft.vectors,
            )
        )
    return chunks
