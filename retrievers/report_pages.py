"""Pictures of pages for the ingest report, drawn by worker processes, a few pages at a time and in their order."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import EncryptedError, PinciteError
from ingest.render import draw_pages, open_picture
from ingest.workers import WorkerPool, at_border, result_of

if TYPE_CHECKING:
    from PIL.Image import Image

DRAWN_TOGETHER = 8
"""Pages that one task draws: opening a document takes longer than drawing a page."""
SCALE = 1.5
"""Pixels a point: text of 8 points can be read."""
LONG_SIDE = 1800
"""Pixels of the longer side of a page's picture, at most."""
QUALITY = 70
SECONDS = 120.0


def draw(
    pool: WorkerPool, jobs: int, path: Path, form: str, pages: Sequence[int], password: str | None
) -> Iterator[bytes | None]:
    """The pages (from 1) of a file as WebP, in their order; ``None`` for one that cannot be drawn."""
    groups = deque(tuple(pages[i : i + DRAWN_TOGETHER]) for i in range(0, len(pages), DRAWN_TOGETHER))
    running: deque[tuple[int, Future[list[bytes | None]]]] = deque()
    while groups or running:
        while groups and len(running) <= jobs:
            group = groups.popleft()
            task = pool.submit(at_border, draw_group, path, form, group, password, timeout=SECONDS)
            running.append((len(group), task))
        count, task = running.popleft()
        found: list[bytes | None] = [None] * count
        # A page without a picture still shows its boxes and text; the others are drawn on.
        with suppress(PinciteError):
            found = result_of(task)
        yield from found


def draw_group(path: Path, form: str, pages: Sequence[int], password: str | None) -> list[bytes | None]:
    """The pages as WebP; ``None`` for one that cannot be drawn.

    Raises:
        EncryptedError: the file needs a password, or another one.
    """
    return [_drawn(path, form, page, password) for page in pages]


def _drawn(path: Path, form: str, page: int, password: str | None) -> bytes | None:
    try:
        if form != "pdf":
            return webp(open_picture(path, page))
        return webp(draw_pages(path, [page], scale=SCALE, password=password)[page])
    except EncryptedError:
        raise
    except PinciteError:
        return None


def webp(picture: Image) -> bytes:
    """A picture as WebP, its longer side capped."""
    shown = picture.convert("RGB")
    shown.thumbnail((LONG_SIDE, LONG_SIDE))
    out = io.BytesIO()
    shown.save(out, "WEBP", quality=QUALITY, method=2)
    return out.getvalue()
