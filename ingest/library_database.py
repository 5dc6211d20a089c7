"""The database of a library: connections, transactions, the lock for writing, and what is known of it as a whole."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingest.errors import LibraryError, LibraryLockedError, LibraryMissingError
from ingest.library_schema import (
    DATABASE,
    SCHEMA_VERSION,
    SCRATCH,
    check_schema,
    create_schema,
    make_folder,
    run_script,
    schema_version,
    upgrade_schema,
)
from ingest.library_search import LISTED, PLACES_SCHEMA, Places
from ingest.rows import shown_path
from ingest.urls import is_url

if TYPE_CHECKING:
    from filelock import FileLock

log = logging.getLogger(__name__)

WRITER_CACHE_KB = 32_768
"""Memory of the one that writes for pages of the database: with SQLite's 2 MB, indexes are read again for each row."""
WAL_PAGES = 4_000
"""Pages of the log (16 MB) after which it is copied into the database: pages that change often are copied once."""


class Database:
    """A library folder and its database. Safe for use by many threads; one process at a time may hold ``writing()``."""

    def __init__(self, folder: str | Path, *, create: bool = False) -> None:
        """Open a library folder, or make one when ``create``.

        Raises:
            LibraryMissingError: there is none and ``create`` is false.
            NewerSchemaError: it was written by a newer pincite.
            LibraryError: the folder or its database cannot be used.
        """
        self.folder = folder = Path(folder).expanduser().absolute()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        if not (folder / DATABASE).is_file():
            if not create:
                raise LibraryMissingError(f"no library at {folder}; make one with `pincite ingest PATH`")
            make_folder(folder)
        try:
            self._open_schema(create=create)
        except LibraryError:
            self.close()
            raise

    def close(self) -> None:
        """Close every connection."""
        while self._connections:
            self._connections.pop().close()
        self._local = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def chroma_folder(self) -> Path:
        """Where Chroma keeps its disposable copy of the vectors."""
        return self.folder / "chroma"

    @property
    def scratch(self) -> Path:
        """Where temporary files lie while the library is written; what a killed run left goes with the next one."""
        return self.folder / SCRATCH

    def shown(self, path: str) -> str:
        """A path as users see it: relative to the library's parent folder; a web page's is its address."""
        if is_url(path):
            return path
        return shown_path(os.path.relpath(path, self.folder.parent))

    @property
    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self.folder / DATABASE, isolation_level=None, check_same_thread=False, timeout=30)
            db.row_factory = sqlite3.Row
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
                db.execute(f"PRAGMA {pragma}")
            self._local.db = db
            self._connections.append(db)
        return db

    def _open_schema(self, *, create: bool) -> None:
        try:
            version = schema_version(self._db)
            if version < SCHEMA_VERSION and (version or create):
                with self._transaction() as db:
                    version = self._current_schema(db)
        except sqlite3.Error as exc:
            raise LibraryError(f"{self.folder}: the library's database cannot be used ({exc})") from exc
        check_schema(self.folder, version)
        if version == 0:
            raise LibraryMissingError(f"no library at {self.folder}; make one with `pincite ingest PATH`")

    def _current_schema(self, db: sqlite3.Connection) -> int:
        """Make the tables or bring them up to date, unless another process has just done so."""
        if schema_version(db) == 0:
            create_schema(db)
        else:
            upgrade_schema(db, self.folder)
        return schema_version(db)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """All that is written inside is written at the end, all or nothing."""
        with self._transaction():
            yield

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._db
        if db.in_transaction:
            yield db
            return
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except sqlite3.Error as exc:
            raise LibraryError(f"{self.folder}: the library's database cannot be written ({exc})") from exc
        finally:
            # A full disk ends the transaction by itself.
            if db.in_transaction:
                db.execute("ROLLBACK")

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one state of the library."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    @contextlib.contextmanager
    def writing(self, *, wait: float = -1) -> Iterator[None]:
        """Hold the library for writing; a lock of a dead process does not count. ``wait`` in seconds, -1 for ever.

        Raises:
            LibraryLockedError: another process holds it, after ``wait`` seconds.
        """
        from filelock import FileLock, Timeout

        lock, holder = FileLock(self.folder / "lock"), self.folder / "lock.pid"
        try:
            self._acquire(lock, wait)
            holder.write_text(str(os.getpid()))
            self._clear_scratch()
            self._make_room()
            self._complete_places()
        except Timeout as exc:
            raise LibraryLockedError(f"{self.folder} is being written by process {self.holder() or '?'}") from exc
        except OSError as exc:
            lock.release()
            raise LibraryError(f"{self.folder} cannot be written: {exc.strerror}") from exc
        try:
            yield
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
            holder.unlink(missing_ok=True)
            lock.release()

    def _clear_scratch(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(mode=0o700, exist_ok=True)
        # What SQLite sorts, or writes afresh, would else lie for a moment in the system's folder.
        quoted = str(self.scratch).replace("'", "''")
        self._db.execute(f"PRAGMA temp_store_directory = '{quoted}'")

    def _make_room(self) -> None:
        """What a document changes is held in memory until it is whole, and goes from the log to the database later."""
        self._db.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KB}")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")

    def _complete_places(self) -> None:
        """Derive the places of a library that was made before they were kept."""
        if self.places.exist() and not self.places.missing():
            return
        with self._transaction() as db:
            run_script(db, PLACES_SCHEMA)
            for source_id in self.places.missing():
                self.places.derive(source_id)

    def _acquire(self, lock: FileLock, wait: float) -> None:
        from filelock import Timeout

        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not wait:
                raise
            log.warning("waiting for process %s, which is writing to %s", self.holder() or "?", self.folder)
            lock.acquire(timeout=wait)

    def holder(self) -> int | None:
        """The process that says it holds the library for writing."""
        try:
            return int((self.folder / "lock.pid").read_text())
        except (OSError, ValueError):
            return None

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    @property
    def identity(self) -> str:
        """A name that no other library has, wherever this one lies; empty until ``identify`` made it."""
        return self._meta("identity") or ""

    def identify(self) -> str:
        """The library's ``identity``, made when there is none."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('identity', ?)", (secrets.token_hex(8),))
        return self.identity

    @property
    def generation(self) -> int:
        """Counts the changes of content; a reader that sees another one reloads what it holds."""
        return int(self._meta("generation") or 0)

    @property
    def places(self) -> Places:
        """The search over pages."""
        return Places(self._db)

    @staticmethod
    def _bump(db: sqlite3.Connection) -> None:
        db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'")

    def _in(self, query: str, values: Sequence[Any]) -> Iterator[sqlite3.Row]:
        yield from self._db.execute(f"{query} {LISTED}", (json.dumps(list(values)),))
