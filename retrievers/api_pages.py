"""Pictures of whole pages with the quoted words marked: drawn in a limited worker, a bounded number kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from ingest.errors import EncryptedError, UsageError
from ingest.library import Library
from ingest.render import draw_pages, mark, open_picture, png_bytes
from ingest.types import BoundingBox
from ingest.workers import WorkerPool, result_of
from retrievers.show import DRAW_SECONDS, find_place, original_of

KEPT_BYTES = 48 * 2**20
"""Bytes of drawn pages that are kept, at most."""


class PagePictures:
    """Draws pages of a library's documents. Safe for many threads; the worker starts with the first page."""

    def __init__(self, library: Library, password: str | None = None, *, kept_bytes: int = KEPT_BYTES) -> None:
        self.library, self.password, self.kept_bytes = library, password, kept_bytes
        self._pool = WorkerPool(1)
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes of the pictures that are kept."""
        return self._size

    def png(self, source_id: str, page: int, highlight: str | None = None) -> bytes:
        """A page (from 1) as PNG, with the boxes of a citation, chunk or element marked where it has some there.

        Raises:
            UsageError: there is no such page, or ``highlight`` is of another document.
            SourceError: the original is gone, has changed, is locked, or has no pages to draw.
        """
        if self.library.page(source_id, page) is None:
            raise UsageError("there is no such page")
        boxes = self._boxes(source_id, page, highlight) if highlight else ()
        key = (source_id, page, tuple(boxes))
        return self._known(key) or self._keep(key, self._draw(source_id, page, boxes))

    def _boxes(self, source_id: str, page: int, highlight: str) -> Sequence[BoundingBox]:
        owner, boxes, _, _ = find_place(self.library, highlight)
        if owner != source_id:
            raise UsageError("what is to be marked stands in another document")
        return [b.box for b in boxes if b.page == page]

    def _draw(self, source_id: str, page: int, boxes: Sequence[BoundingBox]) -> bytes:
        original = original_of(self.library, source_id)
        with self._lock:  # the pool is started by its first task
            drawn = self._pool.submit(
                _drawn, original.path, original.format, page, boxes, self.password, timeout=DRAW_SECONDS
            )
        try:
            return result_of(drawn)
        except EncryptedError as exc:
            raise EncryptedError(f"{original.name} is {exc.reason}") from exc

    def _known(self, key: tuple[object, ...]) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: tuple[object, ...], png: bytes) -> bytes:
        with self._lock:
            self._size += len(png) - len(self._kept.get(key, b""))
            self._kept[key] = png
            self._kept.move_to_end(key)
            while self._size > self.kept_bytes:
                self._size -= len(self._kept.popitem(last=False)[1])
        return png

    def close(self) -> None:
        """End the worker."""
        self._pool.close()


def _drawn(path: Path, kind: str, page: int, boxes: Sequence[BoundingBox], password: str | None) -> bytes:
    if kind != "pdf":
        return png_bytes(mark(open_picture(path, page), boxes, scale=1.0))
    return png_bytes(mark(draw_pages(path, [page], password=password)[page], boxes))
