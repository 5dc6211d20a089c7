"""What no path holds any more leaves the library, to the last byte."""

from __future__ import annotations

import sqlite3

from ingest.errors import LibraryError
from ingest.library_database import Database

_REPEAT = "bytes of what was removed may still be in it until the next `pincite remove` or `ingest`"
HELD = """
WITH RECURSIVE held(id) AS (
  SELECT source_id FROM paths WHERE source_id IS NOT NULL
  UNION SELECT s.id FROM sources s JOIN held ON s.parent_id = held.id)
SELECT id FROM held
"""
"""The sources that a path holds, and their members, theirs, and so on."""


class Sweep(Database):
    """The deletion of what is not held."""

    @property
    def purging(self) -> bool:
        """Whether a path left whose bytes may still be in the database: ``sweep`` was not finished."""
        return self._meta("purge") is not None

    @property
    def purging_index(self) -> bool:
        """Whether a path left whose vectors may still be in Chroma's files, which keep what is deleted from them."""
        return self._meta("purge_index") is not None

    def sweep(self, *, keep_summaries: bool = False) -> int:
        """Delete sources that no path holds, unused vectors and unreferenced images. Returns the sources deleted.

        What models said and OCR read goes with the last document that holds its picture or table, unless
        ``keep_summaries``. After a path has left, the database is written afresh: deleting zeroes rows where they lie,
        but not the copies that SQLite left behind when it moved them between pages.
        """
        with self._transaction() as db:
            gone = db.execute(f"DELETE FROM sources WHERE id NOT IN ({HELD})").rowcount
            held = {row[0] for row in db.execute("SELECT id FROM sources")}
            db.execute("DELETE FROM embeddings WHERE text_hash NOT IN (SELECT text_hash FROM vectors)")
            used = {r[0] for r in db.execute("SELECT DISTINCT image_path FROM elements WHERE image_path IS NOT NULL")}
            if not keep_summaries:
                db.execute(
                    "DELETE FROM summaries WHERE image_path NOT IN"
                    " (SELECT image_path FROM elements WHERE image_path IS NOT NULL)"
                    " AND image_path NOT IN (SELECT element_id FROM elements)"
                )
            if gone:
                # Merging all segments rewrites them without the deleted words.
                db.execute("INSERT INTO keywords(keywords) VALUES ('optimize')")
                self.places.optimize()
                self._bump(db)
        for image in (self.folder / "images").glob("*"):
            if f"images/{image.name}" not in used:
                image.unlink()
        for member in (self.folder / "members").glob("*"):
            if member.stem not in held:
                member.unlink()
        if self.purging:
            self._write_afresh()
        elif gone:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def _write_afresh(self) -> None:
        """Leave no byte in the database but those of its rows.

        Raises:
            LibraryError: it cannot be done now; the next sweep does it.
        """
        try:
            with self._transaction() as db:
                db.execute("INSERT INTO keywords(keywords) VALUES ('optimize')")
            self._db.execute("VACUUM")
            busy, *_ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                self._db.execute("DELETE FROM meta WHERE key = 'purge'")
        except sqlite3.Error as exc:
            raise LibraryError(f"{self.folder}: the database cannot be written afresh ({exc}); {_REPEAT}") from exc
        if busy:
            raise LibraryError(f"{self.folder} is being read without end by another process; {_REPEAT}")
