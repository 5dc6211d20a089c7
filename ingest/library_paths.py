"""The paths that a library knows, the roots they came from, and the sources they hold."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence

from ingest.library_database import Database
from ingest.library_records import PathRecord
from ingest.rows import path_text, stored_path
from ingest.types import stable_id


class KnownPaths(Database):
    """Paths and roots."""

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

    def _path_of(self, source_id: str) -> str | None:
        path = self._db.execute("SELECT min(path) FROM paths WHERE source_id = ?", (source_id,)).fetchone()[0]
        if path is not None:
            return path_text(path)
        row = self._db.execute("SELECT parent_id, member FROM sources WHERE id = ?", (source_id,)).fetchone()
        container = self._path_of(row["parent_id"]) if row and row["parent_id"] else None
        return f"{container}!/{row['member']}" if container else None


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
