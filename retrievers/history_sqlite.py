"""Sessions in a SQLite file of their own in the library's folder.

Not in the library's own database: an ingest holds that for as long as a document takes to be written, and a removal
while all of it is written afresh, but a question must be kept at once. A rollback journal, as it leaves no second file
with what was deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from ingest.errors import HistoryError
from ingest.library_schema import HISTORY, run_script
from retrievers.history import Session, Turn, said_in, turn_of

SCHEMA_VERSION = 1
PATIENCE = 30.0
"""Seconds to wait for another process's write, which takes milliseconds."""
_SCHEMA = """
CREATE TABLE sessions(
  id TEXT PRIMARY KEY, started REAL NOT NULL, user_id TEXT, secret_sha256 TEXT) WITHOUT ROWID;
CREATE TABLE turns(
  id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
  asked REAL NOT NULL, said TEXT NOT NULL);
CREATE INDEX turns_session ON turns(session_id, id);
CREATE TABLE turn_sources(
  source_id TEXT NOT NULL, turn INTEGER NOT NULL REFERENCES turns(id) ON DELETE CASCADE,
  PRIMARY KEY(source_id, turn)) WITHOUT ROWID;
CREATE INDEX turn_sources_turn ON turn_sources(turn);
"""
_CITING = "id IN (SELECT turn FROM turn_sources WHERE source_id IN (SELECT value FROM json_each(?)))"


class SQLiteHistory:
    """The seat ``retrievers.history.History`` over a file that only its owner can read; made by the first write."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / HISTORY
        self._lock = threading.RLock()
        self._open: sqlite3.Connection | None = None

    def start(self, session: Session) -> bool:
        """Keep a new session; false where there is one with this id."""
        row = (session.session_id, session.started, session.user_id, session.secret_sha256)
        with self._writing() as db:
            return db.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?)", row).rowcount == 1

    def session(self, session_id: str) -> Session | None:
        """A session by its id."""
        return next(map(_session, self._rows("SELECT * FROM sessions WHERE id = ?", (session_id,))), None)

    def sessions(self, user_id: str | None = None) -> list[Session]:
        """All sessions, or those with this label; the one that began last comes first."""
        query = "SELECT * FROM sessions WHERE ?1 IS NULL OR user_id = ?1 ORDER BY started DESC, id"
        return list(map(_session, self._rows(query, (user_id,))))

    def append(self, session_id: str, turn: Turn) -> bool:
        """Add a turn; false where the session is gone."""
        query = "INSERT INTO turns(session_id, asked, said) SELECT id, ?, ? FROM sessions WHERE id = ?"
        with self._writing() as db:
            added = db.execute(query, (turn.asked, said_in(turn), session_id))
            if added.rowcount != 1:
                return False
            rows = [(source_id, added.lastrowid) for source_id in turn.source_ids]
            db.executemany("INSERT OR IGNORE INTO turn_sources VALUES (?, ?)", rows)
        return True

    def turns(self, session_id: str, last: int | None = None) -> list[Turn]:
        """A session's turns, oldest first: all, or the ``last`` ones."""
        query = (
            "SELECT asked, said, (SELECT json_group_array(source_id) FROM turn_sources WHERE turn = turns.id) AS cited"
            " FROM turns WHERE session_id = ? ORDER BY id DESC LIMIT ?"
        )
        rows = self._rows(query, (session_id, -1 if last is None else last))
        return [turn_of(row["said"], row["asked"], json.loads(row["cited"])) for row in reversed(rows)]

    def delete(self, session_id: str) -> bool:
        """Delete a session with its turns, and their bytes."""
        if not self.path.is_file():
            return False
        with self._writing() as db:
            deleted = db.execute("DELETE FROM sessions WHERE id = ?", (session_id,)).rowcount
        self._write_afresh()
        return deleted == 1

    def source_ids(self) -> set[str]:
        """The sources whose words stand in any turn."""
        return {row[0] for row in self._rows("SELECT DISTINCT source_id FROM turn_sources")}

    def count_citing(self, source_ids: Collection[str]) -> int:
        """How many turns hold words of any of these sources."""
        rows = self._rows(f"SELECT count(*) FROM turns WHERE {_CITING}", (json.dumps(list(source_ids)),))
        return int(rows[0][0]) if rows else 0

    def purge(self, source_ids: Collection[str]) -> int:
        """Delete every turn that holds words of any of these sources, and its bytes; returns how many."""
        if not self.path.is_file():
            return 0
        with self._writing() as db:
            purged = db.execute(f"DELETE FROM turns WHERE {_CITING}", (json.dumps(list(source_ids)),)).rowcount
        self._write_afresh()
        return purged

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    # --- the file -------------------------------------------------------------------------------

    def _rows(self, query: str, args: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows at once, so that no reading holds up a write; none where there is no file yet."""
        if not self.path.is_file():
            return []
        with self._lock, self._errors():
            return self._db().execute(query, args).fetchall()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors():
            db = self._db()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def _write_afresh(self) -> None:
        """Leave no byte in the file but those of its rows: deleting does not reach copies that were moved."""
        with self._lock, self._errors():
            self._db().execute("VACUUM")

    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = self._connected()
        return self._open

    def _connected(self) -> sqlite3.Connection:
        # SQLite would make it as readable as the umask allows.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=PATIENCE)
        try:
            db.row_factory = sqlite3.Row
            for pragma in ("secure_delete=ON", "foreign_keys=ON", "temp_store=MEMORY"):
                db.execute(f"PRAGMA {pragma}")
            self._check_schema(db)
        except BaseException:
            db.close()
            raise
        return db

    def _check_schema(self, db: sqlite3.Connection) -> None:
        if _version(db) == 0:
            db.execute("BEGIN IMMEDIATE")
            if _version(db) == 0:
                run_script(db, _SCHEMA)
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("COMMIT")
        if _version(db) > SCHEMA_VERSION:
            raise HistoryError(f"{self.path} was written by a newer pincite: upgrade pincite")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as exc:
            raise HistoryError(f"{self.path}: the history cannot be used ({exc})") from exc
        except OSError as exc:
            raise HistoryError(f"{self.path}: the history cannot be used ({exc.strerror})") from exc


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _session(row: sqlite3.Row) -> Session:
    return Session(
        session_id=row["id"], started=row["started"], user_id=row["user_id"], secret_sha256=row["secret_sha256"]
    )
