"""The picture behind an id: a page crop with the words, cells or element marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import EncryptedError, SourceError, UsageError
from ingest.library import Library
from ingest.remote import is_remote, undrawn
from ingest.render import check_original, crop, draw_pages, mark, open_picture, png_bytes
from ingest.types import BoundingBox, PageBox, union_box
from ingest.urls import is_url
from ingest.workers import WorkerPool, result_of
from retrievers.citations import locate, parse_citation_id
from retrievers.links import text_fragment

DRAWN = ("pdf", "image")
"""Formats whose pages can be drawn."""
DRAW_SECONDS = 60.0
SHOWN_WORDS = 12
"""Words of a quote by which it can be looked for."""
MARGIN = 36.0
"""Points shown around what is marked."""


def show(library: Library, wanted: str, *, password: str | None = None) -> bytes:
    """PNG of where a chunk, element or citation stands, its boxes marked; a picture of a file without pages itself.

    Raises:
        UsageError: no chunk, element or citation has this id.
        SourceError: the original is gone, has changed, is locked (``password`` opens it), or has no pages to draw.
    """
    source_id, boxes, page, image = find_place(library, wanted)
    record = library.source(source_id)
    if image and record is not None and (not boxes or record.format not in DRAWN):
        return library.image(image)
    if not boxes or (record is not None and record.format not in DRAWN):
        raise SourceError(_where_instead(library, wanted, source_id))
    original = original_of(library, source_id)
    marked = [b.box for b in boxes if b.page == page]
    with WorkerPool(1) as pool:
        drawn = pool.submit(_drawn, original.path, original.format, page, marked, password, timeout=DRAW_SECONDS)
        try:
            return result_of(drawn)
        except EncryptedError as exc:
            raise EncryptedError(f"{original.name} is {exc.reason}") from exc


def _where_instead(library: Library, wanted: str, source_id: str) -> str:
    """Where to look for what an id names in a document that has no pages to draw."""
    path = library.paths_of([source_id]).get(source_id, "")
    cited = parse_citation_id(wanted)
    chunk = library.chunk(cited[0] if cited else wanted)
    text = chunk.text if chunk else "".join(element.text for element in library.elements([wanted]))
    start, end = cited[1:] if cited else (0, len(text))
    words = text[start:end].split()
    quote = " ".join(words[:SHOWN_WORDS]) + (" \u2026" if len(words) > SHOWN_WORDS else "")
    titles = " \u203a ".join(chunk.title_path) if chunk else ""
    under = f" under {titles}" if titles else ""
    name = Path(path).name or "its document"
    link = text_fragment(path, text, start, end)
    place = f"open {link}" if link else f'open it and look for "{quote}"{under}'
    return f"{name} has no pages to draw: {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A source's file as it was ingested: the name that it is known by, where its bytes are, and their format."""

    name: str
    path: Path
    format: str


def original_of(library: Library, source_id: str) -> Original:
    """The file of a source whose pages can be drawn.

    Raises:
        SourceError: the source has left the library, its file is gone or has changed, or it has no pages to draw.
    """
    path = library.paths_of([source_id]).get(source_id)
    record = library.source(source_id)
    if path is None or record is None:
        raise SourceError(f"{source_id}: its document is no longer in the library")
    if record.format not in DRAWN:
        raise SourceError(f"{Path(path).name} has no pages to draw; its text is in `pincite search --json`")
    if is_remote(path) and record.parent_id is None:
        raise SourceError(undrawn(path))
    is_kept = record.parent_id is not None or is_url(path)
    original = library.member_path(source_id, record.format) if is_kept else Path(path)
    if record.parent_id is None:
        check_original(original, source_id)
    return Original(name=Path(path).name, path=original, format=record.format)


def find_place(library: Library, wanted: str) -> tuple[str, Sequence[PageBox], int, str | None]:
    """The source of an id, its boxes, the page to draw (that of most of a quote, else the first), and its picture.

    Raises:
        UsageError: no chunk, element or citation has this id.
    """
    cited = parse_citation_id(wanted)
    chunk = library.chunk(cited[0] if cited else wanted)
    if chunk is not None and cited is not None:
        quote = chunk.text[cited[1] : cited[2]]
        place = locate(library, chunk, library.elements(chunk.element_ids), quote, cited[1])
        return chunk.source_id, place.boxes, place.page or 1, chunk.image_path
    if chunk is not None:
        return chunk.source_id, chunk.boxes, chunk.boxes[0].page if chunk.boxes else 1, chunk.image_path
    source_id = library.element_source(wanted)
    found = library.elements([wanted])
    if source_id is None or not found:
        raise UsageError(f"no chunk, element or citation has the id {wanted}")
    return source_id, found[0].boxes, found[0].boxes[0].page if found[0].boxes else 1, found[0].image_path


def _drawn(path: Path, kind: str, page: int, boxes: Sequence[BoundingBox], password: str | None) -> bytes:
    if kind != "pdf":
        return png_bytes(mark(open_picture(path, page), boxes, scale=1.0))
    picture = mark(draw_pages(path, [page], password=password)[page], boxes)
    x0, y0, x1, y1 = union_box(list(boxes))
    return png_bytes(crop(picture, (x0, y0, x1, y1), margin=MARGIN))
