"""The vectors and keywords of a library, and how far Chroma's copy of the vectors is behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ingest.errors import EmbedderMismatchError
from ingest.library_database import Database
from ingest.library_index import Seal, SealedFile
from ingest.library_records import EmbedderRecord
from ingest.library_search import LISTED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


ROWS_AT_ONCE = 2_000
"""Vectors that are read at a time."""


class Vectors(Database):
    """What is searched, by nearness and by words, and what the index of it lacks."""

    @property
    def embedder(self) -> EmbedderRecord | None:
        """The embedder whose vectors are stored; ``None`` in a new library."""
        name, dimension = self._meta("embedder"), self._meta("dimension")
        return EmbedderRecord(name=name, dimension=int(dimension)) if name and dimension else None

    def claim_embedder(self, name: str, dimension: int) -> None:
        """Bind a new library to an embedder, or make sure that it is bound to this one.

        Raises:
            EmbedderMismatchError: the library holds another embedder's vectors.
        """
        found = self.embedder
        if found is None:
            with self._transaction() as db:
                db.executemany(
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)", [("embedder", name), ("dimension", str(dimension))]
                )
        elif (found.name, found.dimension) != (name, dimension):
            raise EmbedderMismatchError(
                f"{self.folder} holds vectors of {found.name} ({found.dimension} numbers), not of {name}"
                f" ({dimension}): ask with {found.name}, or run `pincite reindex --embedder {name}`"
            )

    def replace_embeddings(self, embedder: EmbedderRecord, renamed: Mapping[str, tuple[str, bytes]]) -> None:
        """Swap all vectors for another embedder's in one transaction: old hash to (new hash, float32 bytes)."""
        with self._transaction() as db:
            db.execute("DELETE FROM embeddings")
            db.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?)", renamed.values())
            db.executemany(
                "UPDATE vectors SET text_hash = ? WHERE text_hash = ?",
                ((new, old) for old, (new, _) in renamed.items()),
            )
            db.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                [("embedder", embedder.name), ("dimension", str(embedder.dimension))],
            )
            db.execute("DELETE FROM index_files")
            db.execute("UPDATE sources SET dirty = 1")
            self._bump(db)

    def keyword_search(self, match: str, k: int, source_ids: Sequence[str] | None = None) -> list[tuple[int, float]]:
        """(chunk key, BM25 score, higher is better) of the best chunks for an FTS5 query."""
        where, args = "", [match]
        if source_ids is not None:
            where = f"AND +rowid IN (SELECT id FROM chunks WHERE source_id IN {LISTED})"  # +: one scan, not one a row
            args.append(json.dumps(list(source_ids)))
        query = (
            f"SELECT rowid, -bm25(keywords, 0.6, 1.0) AS score FROM keywords WHERE keywords MATCH ? {where}"
            " ORDER BY score DESC, rowid LIMIT ?"
        )
        return [(row[0], row[1]) for row in self._db.execute(query, (*args, k))]

    def document_frequency(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each FTS5 query occurs."""
        query = "SELECT count(*) FROM keywords WHERE keywords MATCH ?"
        return {term: self._db.execute(query, (term,)).fetchone()[0] for term in terms}

    def vector_ids(self, source_ids: Sequence[str]) -> set[int]:
        """The ids of some sources' vectors."""
        query = f"SELECT v.id FROM vectors v JOIN chunks c ON c.id = v.chunk WHERE c.source_id IN {LISTED}"
        return {row[0] for row in self._db.execute(query, (json.dumps(source_ids),))}

    def vector_count(self) -> int:
        """How many vectors are stored."""
        return int(self._db.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def vector_counts(self, source_ids: Sequence[str]) -> dict[str, int]:
        """How many vectors each of these sources has; those that have none are left out."""
        query = (
            "SELECT c.source_id, count(*) FROM vectors v JOIN chunks c ON c.id = v.chunk"
            f" WHERE c.source_id IN {LISTED} GROUP BY c.source_id"
        )
        return {row[0]: row[1] for row in self._db.execute(query, (json.dumps(source_ids),))}

    def vector_owners(self, ids: Sequence[int]) -> dict[int, tuple[int, str]]:
        """(chunk key, vector name) of vectors that exist; orphans of the index are left out."""
        rows = self._in("SELECT id, chunk, name FROM vectors WHERE id IN", ids)
        return {row["id"]: (row["chunk"], row["name"]) for row in rows}

    def vector_texts(self) -> Iterator[tuple[str, str]]:
        """(hash, text) of every distinct vector text."""
        yield from self._db.execute("SELECT text_hash, min(text) FROM vectors GROUP BY text_hash").fetchall()

    def matrix(
        self, *, dirty_only: bool = False, source_ids: Sequence[str] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Vector ids and their float32 rows: all, in no order; or of sources not yet indexed, or of some, by id."""
        import numpy as np

        conditions, args = list[str](), list[Any]()
        if dirty_only:
            conditions.append("c.source_id IN (SELECT id FROM sources WHERE dirty)")
        if source_ids is not None:
            conditions.append(f"c.source_id IN {LISTED}")
            args.append(json.dumps(list(source_ids)))
        query = (
            "SELECT v.id, e.vector FROM vectors v JOIN embeddings e USING (text_hash) JOIN chunks c ON c.id = v.chunk"
            f" WHERE {' AND '.join(conditions)}"
            if conditions
            # Of all, as they are stored: sorted, they would lie in memory twice.
            else "SELECT v.id, e.vector FROM embeddings e CROSS JOIN vectors v ON v.text_hash = e.text_hash"
        )
        rows = self._db.cursor()
        rows.row_factory = None
        rows.execute(query, args)
        width = self.embedder.dimension if self.embedder else 0
        # Filled in parts: all rows at once, beside the matrix, would take its memory twice.
        ids = np.empty(0 if conditions else self.vector_count(), dtype=np.int64)
        matrix = np.empty((len(ids), width), dtype=np.float32)
        count = 0
        while part := rows.fetchmany(ROWS_AT_ONCE):
            if (end := count + len(part)) > len(ids):
                ids = np.resize(ids, max(end, 2 * count))
                matrix = np.resize(matrix, (len(ids), width))
            keys, vectors = zip(*part, strict=True)
            ids[count:end] = keys
            matrix[count:end] = np.frombuffer(b"".join(vectors), dtype=np.float32).reshape(len(part), width)
            count = end
        ids, matrix = ids[:count], matrix[:count]
        order = np.argsort(ids) if conditions else slice(None)
        return ids[order], matrix[order]

    def known_hashes(self, hashes: Sequence[str]) -> set[str]:
        """Which of these vector hashes are stored."""
        return {row[0] for row in self._in("SELECT text_hash FROM embeddings WHERE text_hash IN", hashes)}

    def index_work(self) -> tuple[list[str], list[int]]:
        """What Chroma lacks: sources to upsert, and vectors to delete."""
        dirty = [row[0] for row in self._db.execute("SELECT id FROM sources WHERE dirty ORDER BY id")]
        return dirty, [row[0] for row in self._db.execute("SELECT vector FROM tombstones ORDER BY vector")]

    def mark_indexed(self, source_ids: Sequence[str], deleted: Sequence[int], seal: Seal | None = None) -> None:
        """Record that Chroma holds these sources' vectors and no longer those deleted, and the seal of its files."""
        with self._transaction() as db:
            db.execute("DELETE FROM index_files")
            db.executemany(
                "INSERT INTO index_files VALUES (?, ?, ?, ?)",
                ((name, file.size, file.changed_ns, file.digest) for name, file in (seal or {}).items()),
            )
            db.executemany("UPDATE sources SET dirty = 0 WHERE id = ?", ((s,) for s in source_ids))
            db.executemany("DELETE FROM tombstones WHERE vector = ?", ((d,) for d in deleted))

    def mark_all_dirty(self) -> None:
        """Make the next index update write every vector: Chroma's copy was lost or is thrown away now."""
        with self._transaction() as db:
            db.execute("DELETE FROM meta WHERE key = 'purge_index'")
            db.execute("DELETE FROM index_files")
            db.execute("UPDATE sources SET dirty = 1")
            db.execute("DELETE FROM tombstones")

    def index_seal(self) -> dict[str, SealedFile]:
        """The seal of Chroma's files; empty while they are being written, or when that was never finished."""
        return {
            row["name"]: SealedFile(size=row["size"], changed_ns=row["changed_ns"], digest=row["digest"])
            for row in self._db.execute("SELECT * FROM index_files ORDER BY name")
        }

    def unseal_index(self) -> None:
        """Take the seal off Chroma's files before they are written."""
        with self._transaction() as db:
            db.execute("DELETE FROM index_files")
