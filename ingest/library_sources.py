"""The sources in a library: written in one transaction each, with the files that lie beside the database."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest.errors import LibraryError
from ingest.library_database import Database
from ingest.library_records import SourceRecord
from ingest.library_schema import sync_folder
from ingest.library_search import LISTED
from ingest.rows import chunk_row, element_row, page_row
from ingest.types import Chunk, Partition


class StoredSources(Database):
    """Sources, their members and their pictures."""

    def put_source(
        self,
        record: SourceRecord,
        partition: Partition,
        chunks: Sequence[Chunk],
        hashes: Mapping[str, str],
        embeddings: Mapping[str, bytes],
    ) -> None:
        """Replace all of a source's rows in one transaction and mark it as not yet indexed.

        ``hashes`` maps each vector text to its hash, ``embeddings`` hashes to float32 bytes that are new.
        Images are on disk, by temporary file, fsync and rename, before the transaction.
        """
        self._write_images(partition.images)
        with self._transaction() as db:
            # Deleting, also of nothing, makes FTS5 write out what it gathered of the document before.
            if db.execute("SELECT 1 FROM sources WHERE id = ?", (record.id,)).fetchone():
                db.execute("DELETE FROM sources WHERE id = ?", (record.id,))
            db.execute(
                "INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
                (
                    record.id,
                    record.format,
                    record.size,
                    record.parent_id,
                    record.member,
                    record.partition_key,
                    record.chunk_key,
                    record.pages,
                    json.dumps(record.elements),
                    json.dumps(record.warnings, ensure_ascii=False),
                    record.seconds,
                    record.enrich_key,
                    json.dumps(record.members, ensure_ascii=False),
                ),
            )
            db.executemany(
                f"INSERT INTO pages VALUES ({_marks(10)})", (page_row(record.id, page) for page in partition.pages)
            )
            db.executemany(
                f"INSERT INTO elements VALUES ({_marks(14)})",
                (element_row(record.id, i, e) for i, e in enumerate(partition.elements)),
            )
            db.executemany("INSERT OR IGNORE INTO embeddings VALUES (?, ?)", embeddings.items())
            self._insert_chunks(db, chunks, hashes)
            if self.places.exist():
                self.places.derive(record.id)
            self._bump(db)

    @staticmethod
    def _insert_chunks(db: sqlite3.Connection, chunks: Sequence[Chunk], hashes: Mapping[str, str]) -> None:
        first = int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM chunks").fetchone()[0])
        keyed = list(enumerate(chunks, first))
        db.executemany(f"INSERT INTO chunks VALUES ({_marks(12)})", ((key, *chunk_row(chunk)) for key, chunk in keyed))
        db.executemany(
            "INSERT INTO keywords(rowid, title, body) VALUES (?, ?, ?)",
            ((key, " ".join(chunk.title_path), _searched(chunk)) for key, chunk in keyed),
        )
        db.executemany(
            "INSERT INTO vectors(chunk, name, text, text_hash) VALUES (?, ?, ?, ?)",
            ((key, v.name, v.text, hashes[v.text]) for key, chunk in keyed for v in chunk.vectors),
        )

    def _write_images(self, images: Mapping[str, bytes]) -> None:
        for name, data in images.items():
            if not (self.folder / name).exists():
                _write_durably(self.folder / name, data)
        if images:
            sync_folder(self.folder / "images")

    def source(self, source_id: str) -> SourceRecord | None:
        """A stored source."""
        found = self._source_rows("WHERE id = ?", (source_id,))
        return found[0] if found else None

    def sources(self) -> list[SourceRecord]:
        """Every stored source."""
        return self._source_rows("", ())

    def derivations(self) -> list[tuple[str, str, int]]:
        """The keys by which sources were partitioned and chunked, and how many sources have them."""
        query = "SELECT partition_key, chunk_key, count(*) FROM sources GROUP BY partition_key, chunk_key"
        return [(row[0], row[1], row[2]) for row in self._db.execute(query)]

    def members(self, parent_id: str) -> list[SourceRecord]:
        """The sources that were parts of another."""
        return self._source_rows("WHERE parent_id = ? ORDER BY member", (parent_id,))

    def _source_rows(self, where: str, args: tuple[Any, ...]) -> list[SourceRecord]:
        query = "SELECT *, (SELECT count(*) FROM chunks WHERE source_id = sources.id) AS chunks FROM sources "
        return [
            SourceRecord(
                id=r["id"],
                format=r["format"],
                size=r["size"],
                partition_key=r["partition_key"],
                chunk_key=r["chunk_key"],
                pages=r["pages"],
                elements=json.loads(r["elements"]),
                warnings=tuple(json.loads(r["warnings"])),
                seconds=r["seconds"],
                chunks=r["chunks"],
                parent_id=r["parent_id"],
                member=r["member"],
                enrich_key=r["enrich_key"],
                members=tuple(json.loads(r["members"])),
            )
            for r in self._db.execute(query + where, args)
        ]

    def member_path(self, source_id: str, form: str) -> Path:
        """Where the bytes of a container's part are kept, so that citations in it can be shown."""
        return self.folder / "members" / f"{source_id}.{form}"

    def put_member(self, source_id: str, form: str, data: bytes) -> Path:
        """Keep the bytes of a container's part; durable before the transaction that names it."""
        path = self.member_path(source_id, form)
        if not path.exists():
            if not path.parent.exists():
                path.parent.mkdir(exist_ok=True)
                sync_folder(self.folder)
            _write_durably(path, data)
            sync_folder(path.parent)
        return path

    def keep_members(self, parent_id: str, kept: Sequence[str]) -> None:
        """Delete a container's stored parts but these."""
        with self._transaction() as db:
            db.execute(f"DELETE FROM sources WHERE parent_id = ? AND id NOT IN {LISTED}", (parent_id, json.dumps(kept)))
            self._bump(db)

    def add_warning(self, source_id: str, warning: str) -> None:
        """Add a warning to a stored source, once."""
        with self._transaction() as db:
            row = db.execute("SELECT warnings FROM sources WHERE id = ?", (source_id,)).fetchone()
            known = json.loads(row[0]) if row else []
            if row and warning not in known:
                said = json.dumps([*known, warning], ensure_ascii=False)
                db.execute("UPDATE sources SET warnings = ? WHERE id = ?", (said, source_id))

    def put_warnings(self, source_id: str, warnings: Sequence[str]) -> None:
        """Replace the warnings of a stored source."""
        with self._transaction() as db:
            said = json.dumps(list(warnings), ensure_ascii=False)
            db.execute("UPDATE sources SET warnings = ? WHERE id = ?", (said, source_id))

    def image(self, image_path: str) -> bytes:
        """A stored picture's PNG bytes.

        Raises:
            LibraryError: the file is gone.
        """
        try:
            return (self.folder / image_path).read_bytes()
        except OSError as exc:
            raise LibraryError(
                f"{self.folder / image_path} is gone: run `pincite remove` and `pincite ingest`"
            ) from exc

    def put_run(self, started: float, summary: Mapping[str, Any]) -> None:
        """Record a finished ingest; ``started`` in seconds since the epoch."""
        with self._transaction() as db:
            db.execute("INSERT INTO runs(started, summary) VALUES (?, ?)", (started, json.dumps(summary)))


def _searched(chunk: Chunk) -> str:
    """The text of a chunk, and what stands beside a picture or was read in it."""
    beside = (v.text for v in chunk.vectors if v.name in ("context", "summary", "ocr"))
    return "\n".join((chunk.text, *beside))


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _write_durably(target: Path, data: bytes) -> None:
    """A file that is there whole or not at all, also after a power loss."""
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
