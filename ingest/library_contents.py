"""What stands in the sources of a library: pages, elements, chunks, and what models said of them."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.library_database import Database
from ingest.rows import chunk_of, element_of, page_of
from ingest.types import Chunk, Element, Page, Partition, VectorText


class Contents(Database):
    """Pages, elements, chunks and summaries."""

    def partition(self, source_id: str) -> Partition:
        """A source's stored partition; its images stay on disk."""
        pages = self._db.execute("SELECT * FROM pages WHERE source_id = ? ORDER BY page", (source_id,))
        elements = self._db.execute("SELECT * FROM elements WHERE source_id = ? ORDER BY idx", (source_id,))
        return Partition(elements=tuple(map(element_of, elements)), pages=tuple(map(page_of, pages)))

    def page(self, source_id: str, page: int) -> Page | None:
        """One stored page."""
        row = self._db.execute("SELECT * FROM pages WHERE source_id = ? AND page = ?", (source_id, page)).fetchone()
        return page_of(row) if row else None

    def elements(self, element_ids: Sequence[str]) -> list[Element]:
        """Elements by id, in the order asked for."""
        rows = self._in("SELECT * FROM elements WHERE element_id IN", element_ids)
        found = {row["element_id"]: element_of(row) for row in rows}
        return [found[e] for e in element_ids if e in found]

    def elements_beside(self, element_id: str, before: int, after: int) -> list[Element]:
        """An element with some of those that stand before and after it in its source, in reading order."""
        rows = self._db.execute(
            "SELECT e.* FROM elements e JOIN elements a ON e.source_id = a.source_id WHERE a.element_id = ?"
            " AND e.idx BETWEEN a.idx - ? AND a.idx + ? ORDER BY e.idx",
            (element_id, before, after),
        )
        return [element_of(row) for row in rows]

    def tables_of(self, source_id: str) -> list[Element]:
        """A source's tables in reading order."""
        query = "SELECT * FROM elements WHERE source_id = ? AND category = 'Table' ORDER BY idx"
        return [element_of(row) for row in self._db.execute(query, (source_id,))]

    def element_source(self, element_id: str) -> str | None:
        """The source that an element belongs to."""
        row = self._db.execute("SELECT source_id FROM elements WHERE element_id = ?", (element_id,)).fetchone()
        return row[0] if row else None

    def chunks(self, keys: Sequence[int]) -> dict[int, Chunk]:
        """Chunks by their row keys."""
        return {row["id"]: chunk_of(row) for row in self._in("SELECT * FROM chunks WHERE id IN", keys)}

    def chunk(self, chunk_id: str) -> Chunk | None:
        """A chunk by its id, with its vectors' texts."""
        row = self._db.execute("SELECT * FROM chunks WHERE chunk_id = ?", (chunk_id,)).fetchone()
        if row is None:
            return None
        vectors = self._db.execute("SELECT name, text FROM vectors WHERE chunk = ? ORDER BY id", (row["id"],))
        return chunk_of(row, [VectorText(name=name, text=text) for name, text in vectors])

    def chunks_of(self, source_id: str, limit: int = -1) -> list[Chunk]:
        """A source's chunks in reading order, the first ``limit`` of them when that is not negative."""
        rows = self._db.execute("SELECT * FROM chunks WHERE source_id = ? ORDER BY idx LIMIT ?", (source_id, limit))
        return [chunk_of(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many sources, chunks, vectors and images there are."""
        names = ("sources", "chunks", "vectors")
        out = {n: self._db.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for n in names}
        return out | {"images": sum(1 for _ in (self.folder / "images").glob("*.png"))}

    def summary(self, key: str) -> str | None:
        """What a model said of a picture or table, or OCR read in a picture, by the hash of all that it depends on."""
        row = self._db.execute("SELECT text FROM summaries WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def undescribed(self) -> int:
        """How many pictures no model has described."""
        query = "SELECT count(DISTINCT image_path) FROM elements WHERE category = 'Image' AND summary IS NULL"
        return int(self._db.execute(query).fetchone()[0])

    def put_summary(self, key: str, image_path: str, text: str) -> None:
        """Keep a summary of a picture, or of the table whose element id stands in place of an image path."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)", (key, image_path, text))
