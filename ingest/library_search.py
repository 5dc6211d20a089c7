"""Search over places: the pages of a document, or runs of chunks where a document has no pages.

A chunk says precisely what stands where, but few of a question's words stand in one; a page has more of them. The
rows of a document's places go with it, by triggers. A library made before places were kept gets them the next time
it is written to, from what is stored.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

PLACES_SCHEMA = """
CREATE TABLE IF NOT EXISTS places(
  id INTEGER PRIMARY KEY, source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, page INTEGER,
  first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS places_source ON places(source_id);
CREATE TABLE IF NOT EXISTS page_labels(
  source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, label INTEGER NOT NULL, page INTEGER NOT NULL,
  PRIMARY KEY(source_id, label, page)) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS place_keywords
  USING fts5(body, tokenize = "porter unicode61 remove_diacritics 2");
CREATE TRIGGER IF NOT EXISTS places_gone AFTER DELETE ON places BEGIN
  DELETE FROM place_keywords WHERE rowid = old.id;
END;
"""
RUN = 4
"""Chunks that make a place where there are no pages: about as much text as a page has."""
_LISTED = "(SELECT value FROM json_each(?))"
_LABEL = re.compile(r"^\W*(?:page\s+)?(\d{1,4})\b|\b(\d{1,4})\W*$", re.IGNORECASE)
"""A number at the beginning or the end of a running title or foot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What ranking needs to know of a chunk: ``index`` is its number in its source."""

    key: int
    source_id: str
    index: int
    kind: str
    pages: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHit:
    """A place that was found, with its BM25 score (higher is better): ``first`` to ``last`` are its chunks."""

    source_id: str
    page: int | None
    first: int
    last: int
    score: float

    def holds(self, chunk: Outline) -> bool:
        """Whether a chunk of the same source stands, at least in part, in this place."""
        return self.page in chunk.pages if self.page is not None else self.first <= chunk.index <= self.last


class Places:
    """The places of a library, over one of its connections. What writes runs inside the caller's transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def exist(self) -> bool:
        """Whether the library keeps places; one that was made before them and not written to since does not."""
        return self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'page_labels'").fetchone() is not None

    def missing(self) -> list[str]:
        """The sources with chunks whose places were never derived."""
        query = (
            "SELECT id FROM sources s WHERE EXISTS (SELECT 1 FROM chunks WHERE source_id = s.id)"
            " AND NOT EXISTS (SELECT 1 FROM places WHERE source_id = s.id)"
        )
        return [row[0] for row in self._db.execute(query)]

    def optimize(self) -> None:
        """Rewrite the index without deleted words."""
        if self.exist():
            self._db.execute("INSERT INTO place_keywords(place_keywords) VALUES ('optimize')")

    def derive(self, source_id: str) -> None:
        """Make a source's places from its stored chunks and elements; it has none yet."""
        rows = self._db.execute(
            "SELECT idx, page_numbers, text FROM chunks WHERE source_id = ? ORDER BY idx", (source_id,)
        )
        spans: dict[int, list[int]] = defaultdict(list)
        loose: list[tuple[int, str]] = []
        for index, numbers, text in rows:
            pages = json.loads(numbers)
            for page in pages:
                spans[page].append(index)
            if not pages:
                loose.append((index, text))
        texts = self._page_texts(source_id)
        for page, indexes in spans.items():
            self._put(source_id, page, indexes, texts.get(page, []))
        for start in range(0, len(loose), RUN):
            run = loose[start : start + RUN]
            self._put(source_id, None, [index for index, _ in run], [text for _, text in run])

    def _put(self, source_id: str, page: int | None, indexes: Sequence[int], texts: Sequence[str]) -> None:
        row = (source_id, page, min(indexes), max(indexes))
        key = self._db.execute("INSERT INTO places(source_id, page, first, last) VALUES (?, ?, ?, ?)", row).lastrowid
        self._db.execute("INSERT INTO place_keywords(rowid, body) VALUES (?, ?)", (key, "\n".join(texts)))

    def _page_texts(self, source_id: str) -> dict[int, list[str]]:
        """The texts of each page in reading order; what is printed as a page's number is kept as its label."""
        texts: dict[int, list[str]] = defaultdict(list)
        rows = self._db.execute(
            "SELECT page_number, category, text, summary FROM elements"
            " WHERE source_id = ? AND page_number IS NOT NULL ORDER BY idx",
            (source_id,),
        )
        for page, category, text, summary in rows.fetchall():
            texts[page] += [text, summary] if summary else [text]
            if category in ("Header", "Footer"):
                self._db.executemany(
                    "INSERT OR IGNORE INTO page_labels VALUES (?, ?, ?)", ((source_id, n, page) for n in _labels(text))
                )
        return texts

    def search(self, match: str, k: int, source_ids: Collection[str] | None = None) -> list[PlaceHit]:
        """The ``k`` best places for an FTS5 query, best first; of some sources when given."""
        if not match or not self.exist():
            return []
        where, args = "", [match]
        if source_ids is not None:
            where = f"AND +place_keywords.rowid IN (SELECT id FROM places WHERE source_id IN {_LISTED})"
            args.append(json.dumps(list(source_ids)))
        best = (
            f"SELECT rowid AS id, -bm25(place_keywords) AS score FROM place_keywords"
            f" WHERE place_keywords MATCH ? {where} ORDER BY score DESC, rowid LIMIT ?"
        )
        query = f"SELECT p.*, b.score FROM ({best}) b JOIN places p USING (id) ORDER BY b.score DESC, p.id"
        return [_place(row, row["score"]) for row in self._db.execute(query, (*args, k))]

    def labelled(self, labels: Collection[int], source_ids: Collection[str] | None = None) -> set[tuple[str, int]]:
        """(source, page) of the pages on which one of these numbers is printed as the page's own."""
        if not self.exist():
            return set()
        query = f"SELECT source_id, page FROM page_labels WHERE label IN {_LISTED}"
        args = [json.dumps(list(labels))]
        if source_ids is not None:
            query += f" AND source_id IN {_LISTED}"
            args.append(json.dumps(list(source_ids)))
        return {(row[0], row[1]) for row in self._db.execute(query, args)}

    def of_pages(self, pages: Collection[tuple[str, int]]) -> list[PlaceHit]:
        """The places that are these pages of sources."""
        if not self.exist():
            return []
        query = (
            "SELECT p.* FROM json_each(?) j JOIN places p ON p.source_id = j.value ->> 0 AND p.page = j.value ->> 1"
            " ORDER BY p.id"
        )
        return [_place(row, 0.0) for row in self._db.execute(query, (json.dumps(sorted(pages)),))]

    def last_pages(self, source_ids: Collection[str]) -> dict[str, int]:
        """The number of the last page of each source that has pages."""
        query = f"SELECT source_id, max(page) FROM pages WHERE source_id IN {_LISTED} GROUP BY source_id"
        return {row[0]: row[1] for row in self._db.execute(query, (json.dumps(list(source_ids)),))}

    def outlines(self, keys: Iterable[int]) -> list[Outline]:
        """What ranking needs to know of chunks, by their row keys."""
        query = f"SELECT id, source_id, idx, kind, page_numbers FROM chunks WHERE id IN {_LISTED}"
        return list(map(_outline, self._db.execute(query, (json.dumps(list(keys)),))))

    def outlines_in(self, place: PlaceHit) -> list[Outline]:
        """The same of the chunks of a place."""
        query = "SELECT id, source_id, idx, kind, page_numbers FROM chunks WHERE source_id = ? AND idx BETWEEN ? AND ?"
        found = map(_outline, self._db.execute(query, (place.source_id, place.first, place.last)))
        return [outline for outline in found if place.holds(outline)]


def _labels(text: str) -> set[int]:
    return {int(number) for found in _LABEL.findall(text) for number in found if number}


def _place(row: sqlite3.Row, score: float) -> PlaceHit:
    return PlaceHit(source_id=row["source_id"], page=row["page"], first=row["first"], last=row["last"], score=score)


def _outline(row: sqlite3.Row) -> Outline:
    return Outline(
        key=row["id"],
        source_id=row["source_id"],
        index=row["idx"],
        kind=row["kind"],
        pages=tuple(json.loads(row["page_numbers"])),
    )
