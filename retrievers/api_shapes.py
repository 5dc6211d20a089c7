"""What the server says, in the JSON shapes of the command line, with what a page needs to show it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from starlette.responses import Response

from ingest.errors import (
    HistoryError,
    LibraryError,
    ModelError,
    ModelMissingError,
    ModelTimeoutError,
    PinciteError,
    SourceError,
    UsageError,
)
from ingest.library import Library
from ingest.pipeline import library_status
from ingest.tables import safe_html
from ingest.types import Answer, Chunk, Hit
from retrievers.history import Session, Turn
from retrievers.multi_vector import doc_name
from retrievers.shapes import answer_json, boxes_json, hit_json, result_json
from retrievers.show import DRAWN

JSON = dict[str, Any]


class Reply(Response):
    """A JSON response; lone surrogates, which broken files hold, are escaped."""

    media_type = "application/json"

    def __init__(
        self, content: object = None, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(content, status_code, headers)

    def render(self, content: object) -> bytes:
        """The bytes of the body."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def problem(exc: PinciteError) -> tuple[JSON, int]:
    """An error as JSON, and its HTTP status."""
    kinds = (
        (UsageError, 400),
        (SourceError, 409),
        (ModelTimeoutError, 504),
        (ModelMissingError, 502),
        (ModelError, 502),
        (LibraryError, 503),
        (HistoryError, 503),
    )
    status = next((status for kind, status in kinds if isinstance(exc, kind)), 500)
    return {"error": str(exc)}, status


def served_answer(found: Answer, library: Library, session: str | None = None) -> JSON:
    """An answer as ``ask --json`` gives it, with what ``completed`` adds; its HTML is made safe once more."""
    return {**completed(answer_json(found, session), library), "results": [served_hit(hit) for hit in found.hits]}


def completed(shape: JSON, library: Library) -> JSON:
    """An answer's JSON with what a page needs to show it.

    Citations have their ``source``, ``page_url`` (where the page can be drawn, the words marked) and ``image_url``,
    records the ``icon_image`` that is in the library.
    """
    chunks = [library.chunk(c["chunk_id"]) for c in shape["citations"]]
    formats = _formats(library, (c.source_id for c in chunks if c is not None))
    citations = [
        {
            **citation,
            "source": chunk.source_id if chunk else None,
            "page_url": _page_url(chunk, citation, formats) if chunk else None,
            "image_url": image_url(citation["image"]),
        }
        for citation, chunk in zip(shape["citations"], chunks, strict=True)
    ]
    records = [{**r, "icon_image": image_url(_icon_of(library, r["path"]))} for r in shape["records"]]
    return {**shape, "citations": citations, "records": records}


def served_session(session: Session, turns: Iterable[Turn], library: Library) -> JSON:
    """A session with its turns, oldest first."""
    return {
        "session": session.session_id,
        "user_id": session.user_id,
        "started": session.started,
        "turns": [
            {
                "question": turn.question,
                "full_question": turn.full_question,
                "asked": turn.asked,
                "answer": completed(dict(turn.answer), library),
            }
            for turn in turns
        ],
    }


def served_hit(hit: Hit) -> JSON:
    """A hit of ``search --json``, its HTML made safe once more, with its ``source``."""
    return {**hit_json(hit), "source": hit.chunk.source_id, "text_as_html": _safe(hit.chunk.text_as_html)}


def served_chunk(chunk: Chunk, library: Library) -> JSON:
    """A chunk with its document and the sizes of its pages in points; ``url`` of a page that can be drawn."""
    path = library.paths_of([chunk.source_id]).get(chunk.source_id, "")
    can_draw = _formats(library, [chunk.source_id]).get(chunk.source_id) in DRAWN
    pages = [library.page(chunk.source_id, number) for number in chunk.page_numbers]
    described = [e.summary for e in library.elements(chunk.element_ids) if e.summary and chunk.kind == "image"]
    return {
        "chunk_id": chunk.chunk_id,
        "source": chunk.source_id,
        "doc": doc_name(path),
        "path": library.shown(path) if path else None,
        "kind": chunk.kind,
        "title_path": list(chunk.title_path),
        "text": chunk.text,
        "text_as_html": _safe(chunk.text_as_html),
        "image_url": image_url(chunk.image_path),
        "described_by_model": described[0] if described else None,
        "boxes": boxes_json(chunk.boxes),
        "pages": [
            {
                "page": p.page,
                "width": round(p.width, 2),
                "height": round(p.height, 2),
                "url": page_url(chunk.source_id, p.page) if can_draw else None,
            }
            for p in pages
            if p is not None
        ],
    }


def served_sources(library: Library, wanted: str, offset: int, limit: int) -> JSON:
    """The sources as ``status --json`` has them with their ids, those whose path holds ``wanted``, and the totals."""
    ids = {library.shown(path): source_id for source_id, path in library.documents()}
    results = [r for r in library_status(library) if wanted.casefold() in r.path.casefold()]
    states: dict[str, int] = {}
    for result in results:
        states[result.state] = states.get(result.state, 0) + 1
    shown = [{**result_json(r), "source": ids.get(r.path)} for r in results[offset : offset + limit]]
    return {"sources": shown, "total": len(results), "states": states, "offset": offset}


def page_url(source_id: str, page: int, highlight: str | None = None) -> str:
    """The address of a page's picture."""
    return f"/api/pages/{source_id}/{page}.png" + (f"?highlight={highlight}" if highlight else "")


def image_url(image_path: str | None) -> str | None:
    """The address of a stored picture."""
    return f"/api/images/{Path(image_path).name}" if image_path else None


def _page_url(chunk: Chunk, citation: JSON, formats: Mapping[str, str]) -> str | None:
    if citation["page"] is None or formats.get(chunk.source_id) not in DRAWN:
        return None
    return page_url(chunk.source_id, citation["page"], citation["citation_id"])


def _formats(library: Library, source_ids: Iterable[str]) -> dict[str, str]:
    records = (library.source(source_id) for source_id in set(source_ids))
    return {record.id: record.format for record in records if record is not None}


def _safe(html: str | None) -> str | None:
    return safe_html(html) if html else None


def _icon_of(library: Library, path: str) -> str | None:
    """The stored picture of an add-on's icon."""
    source_id = next((s for s, known in library.documents() if library.shown(known) == path), None)
    elements = library.partition(source_id).elements if source_id else ()
    return next((e.image_path for e in elements if e.category == "Image" and e.text.startswith("Icon of ")), None)


@cache
def page_files() -> dict[str, bytes]:
    """The files of the chat page, which are part of the package, by name; beside them are those of the report."""
    folder = Path(__file__).parent / "page"
    found = (path for path in sorted(folder.iterdir()) if path.is_file() and path.stem != "report")
    return {path.name: path.read_bytes() for path in found}
