"""The shape of the library: its folder and its tables, and how those of an earlier version become the present ones."""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

from ingest.errors import LibraryError, NewerSchemaError
from ingest.library_search import PLACES_SCHEMA

log = logging.getLogger(__name__)

SCHEMA_VERSION = 3
DATABASE = "library.sqlite"
HISTORY = "history.sqlite"
"""What was asked and answered, in a file of its own: a question is kept while an ingest writes."""
SCRATCH = "scratch"
"""The folder of temporary files, empty while nobody writes."""
_OWN_NAMES = {
    ".gitignore",
    "images",
    "members",
    "chroma",
    "lock",
    "lock.pid",
    SCRATCH,
    DATABASE,
    f"{DATABASE}-wal",
    f"{DATABASE}-shm",
    HISTORY,
    f"{HISTORY}-journal",
}
_INDEX_FILES = """
CREATE TABLE index_files(
  name TEXT PRIMARY KEY, size INTEGER NOT NULL, changed_ns INTEGER NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
"""
# With a rowid: in a table without one, a vector of a thousand bytes takes a page of four thousand of its own.
_EMBEDDINGS = """
CREATE TABLE embeddings(text_hash TEXT PRIMARY KEY, vector BLOB NOT NULL);
"""
_EMBEDDINGS_AGAIN = f"""
ALTER TABLE embeddings RENAME TO embeddings_before;
{_EMBEDDINGS}
INSERT INTO embeddings SELECT text_hash, vector FROM embeddings_before;
DROP TABLE embeddings_before;
"""
_LIBRARY = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sources(
  id TEXT PRIMARY KEY, format TEXT NOT NULL, size INTEGER NOT NULL, parent_id TEXT, member TEXT,
  partition_key TEXT NOT NULL, chunk_key TEXT NOT NULL, pages INTEGER, elements TEXT NOT NULL,
  warnings TEXT NOT NULL, seconds REAL NOT NULL, dirty INTEGER NOT NULL, enrich_key TEXT NOT NULL,
  members TEXT NOT NULL);
CREATE TABLE paths(
  path PRIMARY KEY, source_id TEXT, state TEXT NOT NULL, reason TEXT, size INTEGER, mtime_ns INTEGER,
  failed_key TEXT) WITHOUT ROWID;
CREATE INDEX paths_source ON paths(source_id);
CREATE INDEX paths_failed ON paths(failed_key) WHERE failed_key IS NOT NULL;
CREATE TABLE path_roots(path, root, PRIMARY KEY(path, root)) WITHOUT ROWID;
CREATE TABLE pages(
  source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, page INTEGER NOT NULL, width REAL, height REAL,
  rotation INTEGER, tier TEXT, reasons TEXT, ms REAL, text_kept REAL, words BLOB, PRIMARY KEY(source_id, page));
CREATE TABLE elements(
  source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, idx INTEGER NOT NULL, element_id TEXT NOT NULL,
  category TEXT NOT NULL, text TEXT NOT NULL, page_number INTEGER, boxes TEXT NOT NULL, parent_id TEXT,
  category_depth INTEGER, text_as_html TEXT, image_path TEXT, confidence REAL, cells TEXT, summary TEXT,
  PRIMARY KEY(source_id, idx)) WITHOUT ROWID;
CREATE INDEX elements_id ON elements(element_id);
CREATE INDEX elements_image ON elements(image_path) WHERE image_path IS NOT NULL;
CREATE TABLE chunks(
  id INTEGER PRIMARY KEY, chunk_id TEXT NOT NULL UNIQUE,
  source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, idx INTEGER NOT NULL, kind TEXT NOT NULL,
  text TEXT NOT NULL, title_path TEXT NOT NULL, page_numbers TEXT NOT NULL, element_ids TEXT NOT NULL,
  boxes TEXT NOT NULL, text_as_html TEXT, image_path TEXT);
CREATE INDEX chunks_source ON chunks(source_id, idx);
CREATE TABLE vectors(
  id INTEGER PRIMARY KEY AUTOINCREMENT, chunk INTEGER NOT NULL REFERENCES chunks(id) ON DELETE CASCADE,
  name TEXT NOT NULL, text TEXT NOT NULL, text_hash TEXT NOT NULL);
CREATE INDEX vectors_chunk ON vectors(chunk);
CREATE INDEX vectors_hash ON vectors(text_hash);
CREATE TABLE tombstones(vector INTEGER PRIMARY KEY);
CREATE TABLE summaries(key TEXT PRIMARY KEY, image_path TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs(id INTEGER PRIMARY KEY, started REAL NOT NULL, summary TEXT NOT NULL);
CREATE VIRTUAL TABLE keywords USING fts5(title, body, tokenize = "porter unicode61 remove_diacritics 2");
CREATE TRIGGER chunks_gone AFTER DELETE ON chunks BEGIN DELETE FROM keywords WHERE rowid = old.id; END;
CREATE TRIGGER vectors_gone AFTER DELETE ON vectors BEGIN INSERT OR IGNORE INTO tombstones VALUES (old.id); END;
"""
_UPGRADES = {
    1: (_INDEX_FILES, "the search index is made anew by the next ingest"),
    2: (_EMBEDDINGS_AGAIN, "its vectors take less room"),
}
"""By schema: what brings it to the next one, and what follows from it for the user."""


def create_schema(db: sqlite3.Connection) -> None:
    """Make all tables, inside the open transaction."""
    run_script(db, _LIBRARY + _EMBEDDINGS + _INDEX_FILES + PLACES_SCHEMA)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("INSERT INTO meta VALUES ('generation', '0')")


def schema_version(db: sqlite3.Connection) -> int:
    """The schema of a database, 0 of an empty one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check_schema(folder: Path, version: int) -> None:
    """Make sure that a schema is not of a later version than this one.

    Raises:
        NewerSchemaError: it is.
    """
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"{folder} was written by a newer pincite (schema {version}, this one knows {SCHEMA_VERSION}):"
            " upgrade pincite, or name another library with --library"
        )


def upgrade_schema(db: sqlite3.Connection, folder: Path) -> None:
    """Bring an earlier schema to the present one, inside the open transaction, and say so."""
    before = schema_version(db)
    for version in range(before, SCHEMA_VERSION):
        script, consequence = _UPGRADES[version]
        run_script(db, script)
        log.warning("%s: brought from schema %d to %d; %s", folder, version, version + 1, consequence)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def run_script(db: sqlite3.Connection, script: str) -> None:
    """Run statements inside the open transaction (``executescript`` would commit it)."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


def make_folder(folder: Path) -> None:
    """Make the folder of a new library, private and ignored by git.

    Raises:
        LibraryError: it cannot be made, or holds something else.
    """
    try:
        # The folder becomes private and ignored by git: never do that to one that holds something else.
        if folder.exists() and not {entry.name for entry in folder.iterdir()} <= _OWN_NAMES:
            raise LibraryError(f"{folder} holds other files and is no library; name a new or an empty folder")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        (folder / "images").mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n")
        sync_folder(folder)
        sync_folder(folder.parent)
    except OSError as exc:
        raise LibraryError(f"cannot make a library at {folder}: {exc.strerror}") from exc


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file that was renamed into it is then found after a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
