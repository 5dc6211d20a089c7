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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ingest.library_languages import languages_of, parted, stems_in
from ingest.library_names import names_of
from ingest.library_words import pack_words

PLACES_SCHEMA = """
CREATE TABLE IF NOT EXISTS places(
  id INTEGER PRIMARY KEY, source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, page INTEGER,
  first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS places_source ON places(source_id);
CREATE TABLE IF NOT EXISTS page_labels(
  source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, label INTEGER NOT NULL, page INTEGER NOT NULL,
  PRIMARY KEY(source_id, label, page)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunk_words(
  chunk INTEGER PRIMARY KEY REFERENCES chunks(id) ON DELETE CASCADE, source_id TEXT NOT NULL, idx INTEGER NOT NULL,
  kind TEXT NOT NULL, page_numbers TEXT NOT NULL, length INTEGER NOT NULL, words BLOB NOT NULL, counts BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS source_words(
  word INTEGER NOT NULL, source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, weight REAL NOT NULL,
  PRIMARY KEY(word, source_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS source_words_source ON source_words(source_id);
CREATE TABLE IF NOT EXISTS source_languages(
  source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE, language TEXT NOT NULL,
  PRIMARY KEY(source_id, language)) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS place_keywords
  USING fts5(body, tokenize = "porter unicode61 remove_diacritics 2");
CREATE TRIGGER IF NOT EXISTS places_gone AFTER DELETE ON places BEGIN
  DELETE FROM place_keywords WHERE rowid = old.id;
END;
"""
RUN = 4
"""Chunks that make a place where there are no pages: about as much text as a page has."""
DRIVEN = 3_000
"""Places that are weighed for one search, about: of a question's words the rarest choose them, so that the time of a
search grows little with the library. Up to so many, all words do."""
LARGE_PLACE = 40
"""Chunks of a place of which not all are looked at: the one sheet of a long table."""
LISTED = "(SELECT value FROM json_each(?))"
"""Any number of values as one parameter, a JSON list."""
_SEARCHED = """CASE c.kind WHEN 'image' THEN
  c.text || char(10) || coalesce((SELECT group_concat(v.text, char(10)) FROM vectors v
    WHERE v.chunk = c.id AND v.name IN ('context', 'summary', 'ocr')), '')
  ELSE c.text END"""
"""The text of a chunk; of a picture also what stands beside it and what was read in it."""
_LABEL = re.compile(r"^\W*(?:page\s+)?(\d{1,4})\b|\b(\d{1,4})\W*$", re.IGNORECASE)
"""A number at the beginning or the end of a running title or foot."""


_PageTexts = dict[int, list[str]]
_OF_SOURCE = (
    "FROM places WHERE source_id = ?",
    "FROM page_labels WHERE source_id = ?",
    "FROM source_words WHERE source_id = ?",
    "FROM source_languages WHERE source_id = ?",
    "FROM chunk_words WHERE chunk IN (SELECT id FROM chunks WHERE source_id = ?)",
)
"""What is derived of a source."""


class _Searched(NamedTuple):
    """A stored chunk as it is searched."""

    key: int
    source_id: str
    number: int
    kind: str
    page_numbers: str
    title_path: str
    text: str


class Outline(NamedTuple):
    """What ranking needs to know of a chunk: ``number`` is its place in its source.

    ``length`` is how many words it has, ``words`` and ``counts`` are as ``PackedWords`` has them.
    """

    key: int
    source_id: str
    number: int
    kind: str
    page_numbers: str
    length: int = 0
    words: bytes = b""
    counts: bytes = b""

    @property
    def pages(self) -> tuple[int, ...]:
        """The pages that it stands on."""
        return _pages(self.page_numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHit:
    """A place that was found, with its BM25 score (higher is better): ``first`` to ``last`` are its chunks."""

    key: int
    source_id: str
    page: int | None
    first: int
    last: int
    score: float

    def holds(self, chunk: Outline) -> bool:
        """Whether a chunk of the same source stands, at least in part, in this place."""
        return self.page in chunk.pages if self.page is not None else self.first <= chunk.number <= self.last


class Places:
    """The places of a library, over one of its connections. What writes runs inside the caller's transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def exist(self) -> bool:
        """Whether the library keeps places; one that was made before them and not written to since does not."""
        return self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'source_languages'").fetchone() is not None

    def missing(self) -> list[str]:
        """The sources with chunks whose places, or words, were never derived."""
        query = (
            "SELECT id FROM sources s WHERE EXISTS (SELECT 1 FROM chunks WHERE source_id = s.id)"
            " AND NOT EXISTS (SELECT 1 FROM source_languages WHERE source_id = s.id)"
        )
        return [row[0] for row in self._db.execute(query)]

    def optimize(self) -> None:
        """Rewrite the index without deleted words."""
        if self.exist():
            self._db.execute("INSERT INTO place_keywords(place_keywords) VALUES ('optimize')")

    def derive(self, source_id: str) -> None:
        """Make a source's places, and the words of its chunks, from what is stored of it."""
        self._forget(source_id)
        chunks = self._searched(source_id)
        texts, prose, labels = self._page_texts(source_id)
        loose = [chunk for chunk in chunks if not _pages(chunk.page_numbers)]
        runs = [loose[start : start + RUN] for start in range(0, len(loose), RUN)]
        of_page = dict(zip(texts, languages_of(["\n".join(lines) for lines in texts.values()]), strict=True))
        of_runs = languages_of(list(map(_joined, runs)))
        spoken = {chunk.key: language for run, language in zip(runs, of_runs, strict=True) for chunk in run}
        spoken |= {chunk.key: of_page.get(on[0]) for chunk in chunks if (on := _pages(chunk.page_numbers))}
        rows = (_word_row(chunk, spoken[chunk.key]) for chunk in chunks)
        self._db.executemany("INSERT INTO chunk_words VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._put([*_page_places(chunks, texts, of_page), *map(_run_place, runs, of_runs)], source_id)
        self._db.executemany("INSERT INTO page_labels VALUES (?, ?, ?)", ((source_id, *label) for label in labels))
        languages = ((source_id, language or "") for language in {*of_page.values(), *of_runs} or {None})
        self._db.executemany("INSERT INTO source_languages VALUES (?, ?)", languages)
        pages = ["\n".join(prose[page]) for page in sorted(prose)]
        named = names_of(pages or [_joined(run) for run in runs])
        rows = ((word, source_id, weight) for word, weight in named.items())
        self._db.executemany("INSERT INTO source_words VALUES (?, ?, ?)", rows)

    def languages(self) -> list[str]:
        """The languages other than English that texts of the library are in."""
        if not self.exist():
            return []
        query = "SELECT DISTINCT language FROM source_languages WHERE language NOT IN ('', 'english') ORDER BY language"
        return [row[0] for row in self._db.execute(query)]

    def _forget(self, source_id: str) -> None:
        """Delete what was derived of a source, if anything was.

        Only then: a statement that deletes many rows makes FTS5 write out what it gathered, as a segment of its own.
        """
        for rows in _OF_SOURCE:
            if self._db.execute(f"SELECT 1 {rows} LIMIT 1", (source_id,)).fetchone():
                self._db.execute(f"DELETE {rows}", (source_id,))

    def _searched(self, source_id: str) -> list[_Searched]:
        query = (
            f"SELECT c.id, c.source_id, c.idx, c.kind, c.page_numbers, c.title_path, {_SEARCHED} FROM chunks c"
            " WHERE source_id = ? ORDER BY idx"
        )
        return [_Searched(*row) for row in self._db.execute(query, (source_id,))]

    def _put(self, places: Sequence[tuple[int | None, int, int, str]], source_id: str) -> None:
        """Store places: page, first and last chunk, text."""
        first = int(self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM places").fetchone()[0])
        rows = ((first + n, source_id, *place[:3]) for n, place in enumerate(places))
        self._db.executemany("INSERT INTO places VALUES (?, ?, ?, ?, ?)", rows)
        words = ((first + n, place[3]) for n, place in enumerate(places))
        self._db.executemany("INSERT INTO place_keywords(rowid, body) VALUES (?, ?)", words)

    def _page_texts(self, source_id: str) -> tuple[_PageTexts, _PageTexts, list[tuple[int, int]]]:
        """The texts of each page in reading order, all and those outside tables, and (label, page).

        What is printed as a page's number is its label.
        """
        texts: _PageTexts = defaultdict(list)
        prose: _PageTexts = defaultdict(list)
        labels: dict[tuple[int, int], None] = {}
        rows = self._db.execute(
            "SELECT page_number, category, text, summary FROM elements"
            " WHERE source_id = ? AND page_number IS NOT NULL ORDER BY idx",
            (source_id,),
        )
        for page, category, text, summary in rows:
            texts[page] += [text, summary] if summary else [text]
            if category != "Table":
                prose[page].append(text)
            if category in ("Header", "Footer"):
                labels |= {(number, page): None for number in _labels(text)}
        return texts, prose, list(labels)

    def named(self, words: Collection[int]) -> list[tuple[int, str, float]]:
        """(word, source, how surely) of the sources that these words, by hash, name."""
        if not self.exist():
            return []
        query = f"SELECT word, source_id, weight FROM source_words WHERE word IN {LISTED}"
        return [(row[0], row[1], row[2]) for row in self._db.execute(query, (json.dumps(list(words)),))]

    def chunk_count(self) -> int:
        """How many chunks there are, about: the key of the last one."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM chunks").fetchone()[0])

    def chunk_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many chunks each word stands; those that stand in none are left out."""
        return self._counts("keywords", terms)

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many places each word or phrase stands; those that stand in none are left out."""
        return self._counts("place_keywords", terms) if self.exist() else {}

    def _counts(self, table: str, terms: Iterable[str]) -> dict[str, int]:
        query = f"SELECT count(*) FROM {table} WHERE {table} MATCH ?"
        found = {term: int(self._db.execute(query, (_quoted(term),)).fetchone()[0]) for term in dict.fromkeys(terms)}
        return {term: count for term, count in found.items() if count}

    def search(
        self, frequencies: Mapping[str, int], k: int, source_ids: Collection[str] | None = None
    ) -> list[PlaceHit]:
        """The ``k`` best places for words and phrases of these frequencies, best first; of some sources when given.

        In a large library they are the best of those that have one of the rarer words.
        """
        if not frequencies or not self.exist():
            return []
        first, others = rarest(frequencies, DRIVEN) if source_ids is None else (list(frequencies), [])
        scores = self._scores(_any(first), k, source_ids)
        if others:
            scores |= self._scores(f"({_any(first)}) AND ({_any(others)})", k, source_ids)
        best = sorted(scores.items(), key=lambda row: (-row[1], row[0]))[:k]
        query = f"SELECT * FROM places WHERE id IN {LISTED}"
        rows = {row["id"]: row for row in self._db.execute(query, (json.dumps([key for key, _ in best]),))}
        return [_place(rows[key], score) for key, score in best]

    def _scores(self, match: str, k: int, source_ids: Collection[str] | None) -> dict[int, float]:
        where, args = "", [match]
        if source_ids is not None:
            where = f"AND +rowid IN (SELECT id FROM places WHERE source_id IN {LISTED})"
            args.append(json.dumps(list(source_ids)))
        query = (
            f"SELECT rowid, -bm25(place_keywords) AS score FROM place_keywords WHERE place_keywords MATCH ? {where}"
            " ORDER BY score DESC, rowid LIMIT ?"
        )
        return {row[0]: row[1] for row in self._db.execute(query, (*args, k))}

    def labelled(self, labels: Collection[int], source_ids: Collection[str] | None = None) -> set[tuple[str, int]]:
        """(source, page) of the pages on which one of these numbers is printed as the page's own."""
        if not self.exist():
            return set()
        query = f"SELECT source_id, page FROM page_labels WHERE label IN {LISTED}"
        args = [json.dumps(list(labels))]
        if source_ids is not None:
            query += f" AND source_id IN {LISTED}"
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
        query = f"SELECT source_id, max(page) FROM pages WHERE source_id IN {LISTED} GROUP BY source_id"
        return {row[0]: row[1] for row in self._db.execute(query, (json.dumps(list(source_ids)),))}

    def outlines(self, keys: Iterable[int]) -> list[Outline]:
        """What ranking needs to know of chunks, by their row keys."""
        columns = "id, source_id, idx, kind, page_numbers, 0, x'', x'' FROM chunks WHERE id"
        if self.exist():
            columns = "* FROM chunk_words WHERE chunk"
        rows = self._db.cursor()
        rows.row_factory = None  # rows with names take as long as all else here
        return list(map(Outline._make, rows.execute(f"SELECT {columns} IN {LISTED}", (json.dumps(list(keys)),))))

    def keys_in(self, places: Iterable[PlaceHit]) -> list[int]:
        """The row keys of the chunks that stand in places, at least in part; of large places none."""
        small = [place.key for place in places if place.last - place.first < LARGE_PLACE]
        if not small:
            return []
        query = (
            "SELECT DISTINCT c.id FROM json_each(?) j JOIN places p ON p.id = j.value"
            " JOIN chunks c ON c.source_id = p.source_id AND c.idx BETWEEN p.first AND p.last"
        )
        return [row[0] for row in self._db.execute(query, (json.dumps(small),))]

    def keys_between(self, source_id: str, first: int, last: int) -> list[int]:
        """The row keys of a source's chunks from one number to another."""
        query = "SELECT id FROM chunks WHERE source_id = ? AND idx BETWEEN ? AND ?"
        return [row[0] for row in self._db.execute(query, (source_id, first, last))]


def _word_row(chunk: _Searched, language: str | None) -> tuple[object, ...]:
    return (*chunk[:5], *pack_words(chunk.title_path, chunk.text, language))


def _page_places(
    chunks: Iterable[_Searched], texts: _PageTexts, of_page: Mapping[int, str | None]
) -> list[tuple[int | None, int, int, str]]:
    """The page, first and last chunk, and indexed text of each page with chunks."""
    spans: dict[int, list[int]] = defaultdict(list)
    for chunk in chunks:
        for page in _pages(chunk.page_numbers):
            spans[page].append(chunk.number)
    indexed = {page: _indexed("\n".join(texts.get(page, [])), of_page.get(page)) for page in spans}
    return [(page, min(held), max(held), indexed[page]) for page, held in spans.items()]


def _run_place(run: Sequence[_Searched], language: str | None) -> tuple[int | None, int, int, str]:
    """The same of a run of chunks, which has no page."""
    return None, run[0].number, run[-1].number, _indexed(_joined(run), language)


def _joined(run: Iterable[_Searched]) -> str:
    return "\n".join(chunk.text for chunk in run)


def _indexed(text: str, language: str | None) -> str:
    return " ".join([parted(text), *stems_in(text, language)])


def rarest(frequencies: Mapping[str, int], places: int) -> tuple[list[str], list[str]]:
    """The rarest words, which stand in so many places together (one at least), and the others."""
    ordered = sorted(frequencies, key=lambda term: (frequencies[term], term))
    total, taken = 0, 0
    for taken, term in enumerate(ordered):
        total += frequencies[term]
        if taken and total > places:
            return ordered[:taken], ordered[taken:]
    return ordered, []


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'


def _any(terms: Iterable[str]) -> str:
    return " OR ".join(map(_quoted, terms))


def _labels(text: str) -> set[int]:
    return {int(number) for found in _LABEL.findall(text) for number in found if number}


def _place(row: sqlite3.Row, score: float) -> PlaceHit:
    return PlaceHit(
        key=row["id"], source_id=row["source_id"], page=row["page"], first=row["first"], last=row["last"], score=score
    )


@lru_cache(maxsize=4096)
def _pages(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))
