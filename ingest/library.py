"""The library: SQLite is the truth, and this is the only SQL. Images lie beside it, by the hash of their bytes."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingest.errors import (
    EmbedderMismatchError,
    LibraryError,
    LibraryLockedError,
    LibraryMissingError,
)
from ingest.fetch import is_url
from ingest.library_index import Seal, SealedFile
from ingest.library_schema import (
    DATABASE,
    SCHEMA_VERSION,
    SCRATCH,
    check_schema,
    create_schema,
    make_folder,
    run_script,
    schema_version,
    sync_folder,
    upgrade_schema,
)
from ingest.library_search import PLACES_SCHEMA, Places
from ingest.rows import (
    chunk_of,
    chunk_row,
    element_of,
    element_row,
    page_of,
    page_row,
    path_text,
    shown_path,
    stored_path,
)
from ingest.types import Chunk, Element, Page, Partition, State, VectorText, stable_id

if TYPE_CHECKING:
    import numpy as np
    from filelock import FileLock
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

_LISTED = "(SELECT value FROM json_each(?))"
"""Any number of values as one parameter, a JSON list."""
_REPEAT = "bytes of what was removed may still be in it until the next `pincite remove` or `ingest`"
_HELD = """
WITH RECURSIVE held(id) AS (
  SELECT source_id FROM paths WHERE source_id IS NOT NULL
  UNION SELECT s.id FROM sources s JOIN held ON s.parent_id = held.id)
SELECT id FROM held
"""
"""The sources that a path holds, and their members, theirs, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRecord:
    """One known path: the source it holds, how its last ingest went, and its size and time when it was read."""

    path: str
    source_id: str | None
    state: State
    reason: str | None
    size: int | None
    mtime_ns: int | None
    failed_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """One stored source without its contents."""

    id: str
    format: str
    size: int
    partition_key: str
    chunk_key: str
    pages: int | None
    elements: Mapping[str, int]
    warnings: tuple[str, ...]
    seconds: float
    chunks: int = 0
    parent_id: str | None = None
    member: str | None = None
    enrich_key: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderRecord:
    """The embedder whose vectors a library holds."""

    name: str
    dimension: int


class Library:
    """A library folder. Safe for use by many threads; one process at a time may hold ``writing()``."""

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

    # --- connections and schema -----------------------------------------------------------------

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

    # --- meta -----------------------------------------------------------------------------------

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

    # --- paths and roots ------------------------------------------------------------------------

    def paths(self, root: str | None = None) -> dict[str, PathRecord]:
        """Known paths by path; of one root when given."""
        inside = "path IN (SELECT path FROM path_roots WHERE root = ?)"
        args = [] if root is None else [stored_path(root)]
        rows = self._db.execute(f"SELECT * FROM paths WHERE {inside if args else '1'} ORDER BY path", args)
        return {record.path: record for record in map(_path_record, rows)}

    def path(self, path: str) -> PathRecord | None:
        """One known path."""
        row = self._db.execute("SELECT * FROM paths WHERE path = ?", (stored_path(path),)).fetchone()
        return _path_record(row) if row else None

    def failure(self, failed_key: str) -> PathRecord | None:
        """A path whose content and options, by this key, gave no source before."""
        row = self._db.execute("SELECT * FROM paths WHERE failed_key = ?", (failed_key,)).fetchone()
        return _path_record(row) if row else None

    def roots(self) -> list[str]:
        """Every root that sources came from."""
        return [path_text(r[0]) for r in self._db.execute("SELECT DISTINCT root FROM path_roots ORDER BY root")]

    def mounts(self, root: str) -> tuple[str, ...]:
        """The folders below a root on which something was mounted when its sources were last listed."""
        return tuple(json.loads(self._meta(f"mounts {stable_id(root)}") or "[]"))

    def put_mounts(self, root: str, mounts: Sequence[str]) -> None:
        """Remember the mounted folders below a root."""
        if tuple(mounts) == self.mounts(root):
            return
        key = f"mounts {stable_id(root)}"
        with self._transaction() as db:
            db.execute("DELETE FROM meta WHERE key = ?", (key,))
            if mounts:
                db.execute("INSERT INTO meta VALUES (?, ?)", (key, json.dumps(mounts)))

    def put_path(self, record: PathRecord, root: str) -> None:
        """Record a path under a root, with its source or the reason why there is none; nothing is written twice."""
        path, under = stored_path(record.path), stored_path(root)
        known = self._db.execute("SELECT 1 FROM path_roots WHERE path = ? AND root = ?", (path, under)).fetchone()
        before = self.path(record.path)
        if known and before == record:
            return
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO paths VALUES (?, ?, ?, ?, ?, ?, ?)",
                (path, record.source_id, record.state, record.reason, record.size, record.mtime_ns, record.failed_key),
            )
            db.execute("INSERT OR IGNORE INTO path_roots VALUES (?, ?)", (path, under))
            if before is None or before.source_id != record.source_id:
                self._bump(db)

    def drop_paths(self, paths: Iterable[str], root: str | None = None) -> list[str]:
        """Take paths out of a root, or of all roots; those that no root holds any more are gone. Returns these."""
        gone: list[str] = []
        dropped = list(paths)
        if not dropped:
            return gone
        with self._transaction() as db:
            for path in dropped:
                stored = stored_path(path)
                if root is None:
                    db.execute("DELETE FROM path_roots WHERE path = ?", (stored,))
                else:
                    db.execute("DELETE FROM path_roots WHERE path = ? AND root = ?", (stored, stored_path(root)))
                if not db.execute("SELECT 1 FROM path_roots WHERE path = ?", (stored,)).fetchone():
                    db.execute("DELETE FROM paths WHERE path = ?", (stored,))
                    gone.append(path)
            if gone:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('purge', '1'), ('purge_index', '1')")
                self._forget_mounts(db)
            self._bump(db)
        return gone

    def _forget_mounts(self, db: sqlite3.Connection) -> None:
        """Forget the mounted folders in which no path is known any more: their names may tell of what left."""
        known = list(self.paths())
        for key, value in db.execute("SELECT key, value FROM meta WHERE key LIKE 'mounts %'").fetchall():
            kept = [m for m in json.loads(value) if any(path.startswith(f"{m}{os.sep}") for path in known)]
            db.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(kept), key))

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
            gone = db.execute(f"DELETE FROM sources WHERE id NOT IN ({_HELD})").rowcount
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

    # --- sources --------------------------------------------------------------------------------

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
            for chunk in chunks:
                self._insert_chunk(db, chunk, hashes)
            if self.places.exist():
                self.places.derive(record.id)
            self._bump(db)

    @staticmethod
    def _insert_chunk(db: sqlite3.Connection, chunk: Chunk, hashes: Mapping[str, str]) -> None:
        key = db.execute(f"INSERT INTO chunks VALUES (NULL, {_marks(11)})", chunk_row(chunk)).lastrowid
        searched = "\n".join(v.text for v in chunk.vectors if v.name in ("context", "summary", "ocr"))
        db.execute(
            "INSERT INTO keywords(rowid, title, body) VALUES (?, ?, ?)",
            (key, " ".join(chunk.title_path), f"{chunk.text}\n{searched}"),
        )
        db.executemany(
            "INSERT INTO vectors(chunk, name, text, text_hash) VALUES (?, ?, ?, ?)",
            ((key, v.name, v.text, hashes[v.text]) for v in chunk.vectors),
        )

    @staticmethod
    def _bump(db: sqlite3.Connection) -> None:
        db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'")

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
            db.execute(
                f"DELETE FROM sources WHERE parent_id = ? AND id NOT IN {_LISTED}", (parent_id, json.dumps(kept))
            )
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

    def paths_of(self, source_ids: Iterable[str]) -> dict[str, str]:
        """The path (absolute, first by name) of each source; a member's is ``parent path!/member``."""
        found = {source_id: self._path_of(source_id) for source_id in dict.fromkeys(source_ids)}
        return {source_id: path for source_id, path in found.items() if path is not None}

    def documents(self) -> list[tuple[str, str]]:
        """(source id, path) of every path that holds a source, and of every part of a container."""
        found = [(row[1], path_text(row[0])) for row in self._db.execute("SELECT path, source_id FROM paths")]
        found = [(source_id, path) for source_id, path in found if source_id is not None]
        parts: dict[str, list[tuple[str, str]]] = {}
        for row in self._db.execute("SELECT id, parent_id, member FROM sources WHERE parent_id IS NOT NULL"):
            parts.setdefault(row["parent_id"], []).append((row["id"], row["member"]))
        for source_id, path in found:  # grows while parts of parts are found
            found += [(part, f"{path}!/{member}") for part, member in parts.get(source_id, ())]
        return found

    def vector_ids(self, source_ids: Sequence[str]) -> set[int]:
        """The ids of some sources' vectors."""
        query = f"SELECT v.id FROM vectors v JOIN chunks c ON c.id = v.chunk WHERE c.source_id IN {_LISTED}"
        return {row[0] for row in self._db.execute(query, (json.dumps(source_ids),))}

    def _path_of(self, source_id: str) -> str | None:
        path = self._db.execute("SELECT min(path) FROM paths WHERE source_id = ?", (source_id,)).fetchone()[0]
        if path is not None:
            return path_text(path)
        row = self._db.execute("SELECT parent_id, member FROM sources WHERE id = ?", (source_id,)).fetchone()
        container = self._path_of(row["parent_id"]) if row and row["parent_id"] else None
        return f"{container}!/{row['member']}" if container else None

    # --- contents -------------------------------------------------------------------------------

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

    def _in(self, query: str, values: Sequence[Any]) -> Iterator[sqlite3.Row]:
        yield from self._db.execute(f"{query} {_LISTED}", (json.dumps(list(values)),))

    # --- search ---------------------------------------------------------------------------------

    def keyword_search(self, match: str, k: int, source_ids: Sequence[str] | None = None) -> list[tuple[int, float]]:
        """(chunk key, BM25 score, higher is better) of the best chunks for an FTS5 query."""
        where, args = "", [match]
        if source_ids is not None:
            where = f"AND +rowid IN (SELECT id FROM chunks WHERE source_id IN {_LISTED})"  # +: one scan, not one a row
            args.append(json.dumps(list(source_ids)))
        query = (
            f"SELECT rowid, -bm25(keywords, 0.6, 1.0) AS score FROM keywords WHERE keywords MATCH ? {where}"
            " ORDER BY score DESC, rowid LIMIT ?"
        )
        return [(row[0], row[1]) for row in self._db.execute(query, (*args, k))]

    @property
    def places(self) -> Places:
        """The search over pages."""
        return Places(self._db)

    def document_frequency(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each FTS5 query occurs."""
        query = "SELECT count(*) FROM keywords WHERE keywords MATCH ?"
        return {term: self._db.execute(query, (term,)).fetchone()[0] for term in terms}

    def vector_count(self) -> int:
        """How many vectors are stored."""
        return int(self._db.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def vector_counts(self, source_ids: Sequence[str]) -> dict[str, int]:
        """How many vectors each of these sources has; those that have none are left out."""
        query = (
            "SELECT c.source_id, count(*) FROM vectors v JOIN chunks c ON c.id = v.chunk"
            f" WHERE c.source_id IN {_LISTED} GROUP BY c.source_id"
        )
        return {row[0]: row[1] for row in self._db.execute(query, (json.dumps(source_ids),))}

    def vector_owners(self, ids: Sequence[int]) -> dict[int, tuple[int, str]]:
        """(chunk key, vector name) of vectors that exist; orphans of the index are left out."""
        rows = self._in("SELECT id, chunk, name FROM vectors WHERE id IN", ids)
        return {row["id"]: (row["chunk"], row["name"]) for row in rows}

    def matrix(
        self, *, dirty_only: bool = False, source_ids: Sequence[str] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Vector ids and their float32 rows: all, of sources not yet indexed, or of some sources."""
        import numpy as np

        conditions, args = list[str](), list[Any]()
        if dirty_only:
            conditions.append("c.source_id IN (SELECT id FROM sources WHERE dirty)")
        if source_ids is not None:
            conditions.append(f"c.source_id IN {_LISTED}")
            args.append(json.dumps(list(source_ids)))
        query = (
            "SELECT v.id, e.vector FROM vectors v JOIN embeddings e USING (text_hash) JOIN chunks c ON c.id = v.chunk"
            f" WHERE {' AND '.join(conditions)}"
            if conditions
            # Of all, in the order of the hashes: both are read from end to end, without a seek a row.
            else "SELECT v.id, e.vector FROM embeddings e CROSS JOIN vectors v ON v.text_hash = e.text_hash"
        )
        rows = sorted(self._db.execute(query, args), key=itemgetter(0))
        ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
        width = self.embedder.dimension if self.embedder else 0
        flat = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32)
        return ids, flat.reshape(len(rows), width)

    def known_hashes(self, hashes: Sequence[str]) -> set[str]:
        """Which of these vector hashes are stored."""
        return {row[0] for row in self._in("SELECT text_hash FROM embeddings WHERE text_hash IN", hashes)}

    # --- the index ------------------------------------------------------------------------------

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

    def vector_texts(self) -> Iterator[tuple[str, str]]:
        """(hash, text) of every distinct vector text."""
        yield from self._db.execute("SELECT text_hash, min(text) FROM vectors GROUP BY text_hash").fetchall()

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

    # --- summaries, runs -------------------------------------------------------------

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

    def put_run(self, started: float, summary: Mapping[str, Any]) -> None:
        """Record a finished ingest; ``started`` in seconds since the epoch."""
        with self._transaction() as db:
            db.execute("INSERT INTO runs(started, summary) VALUES (?, ?)", (started, json.dumps(summary)))


def _path_record(row: sqlite3.Row) -> PathRecord:
    return PathRecord(
        path=path_text(row["path"]),
        source_id=row["source_id"],
        state=row["state"],
        reason=row["reason"],
        size=row["size"],
        mtime_ns=row["mtime_ns"],
        failed_key=row["failed_key"],
    )


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
