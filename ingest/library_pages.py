"""What the library knows of web pages: under which address, in which version, and what they link to.

A table of its own beside the library's, made when the first page is fetched. Its rows go with the paths and roots
that they belong to, by triggers, so that nothing of a page outlives its removal.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ingest.errors import LibraryError
from ingest.library import Library
from ingest.library_schema import DATABASE

_SCHEMA = """
CREATE TABLE IF NOT EXISTS web_pages(
  root TEXT NOT NULL, asked TEXT NOT NULL, url TEXT NOT NULL, depth INTEGER NOT NULL, etag TEXT NOT NULL,
  modified TEXT NOT NULL, source_id TEXT NOT NULL, format TEXT NOT NULL, size INTEGER NOT NULL,
  canonical TEXT NOT NULL, links TEXT NOT NULL, PRIMARY KEY(root, asked)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS web_roots(
  root TEXT PRIMARY KEY, depth INTEGER NOT NULL, pages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS web_pages_gone AFTER DELETE ON path_roots BEGIN
  DELETE FROM web_pages WHERE root = old.root AND old.path IN (url, asked);
  DELETE FROM web_pages WHERE root = old.root AND NOT EXISTS (SELECT 1 FROM path_roots WHERE root = old.root);
  DELETE FROM web_roots WHERE root = old.root AND NOT EXISTS (SELECT 1 FROM path_roots WHERE root = old.root);
END;
"""
_HELD = "(SELECT root FROM path_roots UNION SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPage:
    """A page as it was fetched last.

    It has the address asked for and its own, its distance from the root, the server's marks of its version, the
    source that its bytes are, its canonical address if it names one, and what it links to.
    A sitemap is kept the same way: ``depth`` -1, no source, further sitemaps in ``canonical``, a line each.
    """

    asked: str
    url: str
    depth: int
    etag: str
    modified: str
    source_id: str
    format: str
    size: int
    canonical: str
    links: tuple[str, ...]


class KnownPages:
    """The pages that a library knows; a context manager."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._db = sqlite3.connect(library.folder / DATABASE, isolation_level=None, timeout=30)
        self._db.row_factory = sqlite3.Row

    def __enter__(self) -> Self:
        with self._errors():
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.executescript(_SCHEMA)
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def forget_unheld(self, roots: Sequence[str]) -> None:
        """Forget what belongs to no root of the library, nor to one of these that are read now."""
        with self._errors():
            self._db.execute(f"DELETE FROM web_pages WHERE root NOT IN {_HELD}", (json.dumps(roots),))
            self._db.execute(f"DELETE FROM web_roots WHERE root NOT IN {_HELD}", (json.dumps(roots),))

    def of_root(self, root: str) -> dict[str, KnownPage]:
        """The pages of a root by the address that was asked for."""
        rows = self._db.execute("SELECT * FROM web_pages WHERE root = ? AND depth >= 0 ORDER BY depth, asked", (root,))
        return {row["asked"]: _page(row) for row in rows}

    def sitemap(self, root: str, url: str) -> KnownPage | None:
        """A sitemap of a root."""
        row = self._db.execute(
            "SELECT * FROM web_pages WHERE root = ? AND asked = ? AND depth < 0", (root, url)
        ).fetchone()
        return _page(row) if row else None

    def put(self, root: str, page: KnownPage) -> None:
        """Remember a page."""
        values = (
            *(root, page.asked, page.url, page.depth, page.etag, page.modified, page.source_id, page.format),
            *(page.size, page.canonical, json.dumps(page.links, ensure_ascii=False)),
        )
        with self._errors():
            self._db.execute("INSERT OR REPLACE INTO web_pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def forget(self, root: str, asked: str) -> None:
        """Forget a page of a root."""
        with self._errors():
            self._db.execute("DELETE FROM web_pages WHERE root = ? AND asked = ?", (root, asked))

    def extent(self, root: str) -> tuple[int | None, int | None]:
        """How far and to how many pages the last crawl of a root went; ``None`` where there was none."""
        row = self._db.execute("SELECT depth, pages FROM web_roots WHERE root = ?", (root,)).fetchone()
        return (row["depth"], row["pages"]) if row else (None, None)

    def put_extent(self, root: str, depth: int, pages: int) -> None:
        """Remember how far a crawl went."""
        with self._errors():
            self._db.execute("INSERT OR REPLACE INTO web_roots VALUES (?, ?, ?)", (root, depth, pages))

    def file_of(self, page: KnownPage) -> Path:
        """Where the bytes of a page are kept."""
        return self._library.member_path(page.source_id, page.format)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise LibraryError(f"{self._library.folder}: the library's database cannot be written ({exc})") from exc


def _page(row: sqlite3.Row) -> KnownPage:
    return KnownPage(
        asked=row["asked"],
        url=row["url"],
        depth=row["depth"],
        etag=row["etag"],
        modified=row["modified"],
        source_id=row["source_id"],
        format=row["format"],
        size=row["size"],
        canonical=row["canonical"],
        links=tuple(json.loads(row["links"])),
    )
