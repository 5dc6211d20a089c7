"""Enrich: descriptions of pictures, and of tables where asked for, added to sources that are stored already.

A library can be asked while models work: sources are stored without summaries first. Each summary is kept as it comes,
under the hash of what it describes, the model and the prompt, so that a run that ends here, however it ends, costs the
next one nothing but the requests that were under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace

from ingest.errors import LibraryError, ModelError, ModelMissingError, ModelUnreachableError, SourceError
from ingest.library import Library, SourceRecord
from ingest.summarize import (
    Picture,
    Summarizer,
    TableSummarizer,
    TableText,
    pictures,
    summary_key,
    table_key,
    tables,
    with_summaries,
)
from ingest.types import Partition
from ingest.workers import Engine

FAILURES = 3
"""Requests that fail one after the other before no more is asked in this run."""
REQUEST_SECONDS = 600.0
UNDESCRIBED = "not described yet; the next ingest goes on from there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What describes pictures and tables; ``None`` where nothing does."""

    pictures: Summarizer | None = None
    tables: TableSummarizer | None = None

    def count_lacking(self, record: SourceRecord) -> int:
        """How many pictures and tables of a source these models may not have described, at most."""
        known = record.enrich_key.split()
        lacking = 0
        if self.pictures is not None and self.pictures.key not in known:
            lacking += record.elements.get("Image", 0)
        if self.tables is not None and self.tables.key not in known:
            lacking += record.elements.get("Table", 0)
        return lacking

    def key_of(self, record: SourceRecord) -> str:
        """What names, in a stored source, the models that have described all of it."""
        asked = [model.key for model in (self.pictures, self.tables) if model is not None]
        kinds = set(map(_is_of_tables, asked))
        kept = [key for key in record.enrich_key.split() if _is_of_tables(key) not in kinds]
        return " ".join([*kept, *asked])


def _is_of_tables(key: str) -> bool:
    return ":table-" in key


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """One summary to ask for: what it is kept under, and the image path or element id that it belongs to."""

    key: str
    owner: str
    subject: Picture | TableText


@dataclass(slots=True, kw_only=True)
class _Opened:
    """A source on its way: the owners that wait for each key, and what has been found and lost."""

    record: SourceRecord
    partition: Partition
    waiting: dict[str, list[str]] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enriched:
    """A source with all the summaries that can be had now; ``record`` says whether any is pending."""

    record: SourceRecord
    partition: Partition
    is_changed: bool


class Enriching:
    """Has what sources lack described, ``at_a_time``; no summary is asked for twice.

    ``on_progress`` is given the source that is worked on, what is done and what there is in all.
    """

    def __init__(
        self,
        library: Library,
        pool: Engine,
        models: Models,
        on_progress: Callable[[str, int, int], None],
        *,
        at_a_time: int,
    ) -> None:
        self.library, self.pool, self.models, self.on_progress = library, pool, models, on_progress
        self.at_a_time = at_a_time
        self.given_up = ""
        self._opened: dict[str, _Opened] = {}
        self._queue: deque[Want] = deque()
        self._waiting: dict[str, list[str]] = {}
        self._asked: dict[Future[str], Want] = {}
        self._failures = 0
        self._done = self._total = 0

    def run(self, records: Sequence[SourceRecord]) -> Iterator[Enriched]:
        """Each source as it is done. A server that is gone ends the run; what was asked for then is pending."""
        todo = deque(records)
        self._total = sum(map(self.models.count_lacking, records))
        while True:
            self._ask(todo)
            for source_id in [s for s, opened in self._opened.items() if not opened.waiting]:
                yield _enriched(self._opened.pop(source_id), self.models)
            if self._asked:
                ready, _ = wait(self._asked, return_when=FIRST_COMPLETED)
                for future in ready:
                    self._take(self._asked.pop(future), future)
            elif not self._queue and (self.given_up or not todo):
                return

    def _ask(self, todo: deque[SourceRecord]) -> None:
        """Keep the model busy; a source is opened only when nothing is left to ask of those before it."""
        while len(self._asked) < self.at_a_time and not self.given_up and (self._queue or todo):
            if self._queue:
                self._send(self._queue.popleft())
            else:
                self._open(todo.popleft())
                if not self._queue:
                    return

    def _open(self, record: SourceRecord) -> None:
        opened = _Opened(record=record, partition=self.library.partition(record.id))
        self._opened[record.id] = opened
        for want in wants(opened.partition, self.models):
            known = self.library.summary(want.key)
            if known is not None:
                opened.found[want.owner] = known
                if isinstance(want.subject, TableText):
                    # It now belongs to this table: another document's may be gone.
                    self.library.put_summary(want.key, want.owner, known)
                continue
            opened.waiting.setdefault(want.key, []).append(want.owner)
            if want.key not in self._waiting:
                self._queue.append(want)
            holders = self._waiting.setdefault(want.key, [])
            holders += [record.id] if record.id not in holders else []
        self._total += sum(map(len, opened.waiting.values())) - self.models.count_lacking(record)

    def _send(self, want: Want) -> None:
        try:
            future = self._submitted(want)
        except LibraryError as exc:
            self._lose(want, str(exc))
            return
        self._asked[future] = want
        path = self._waiting[want.key][0]
        self.on_progress(path, self._done, self._total)

    def _submitted(self, want: Want) -> Future[str]:
        if isinstance(want.subject, TableText):
            assert self.models.tables is not None
            summarize = self.models.tables.summarize
            return self.pool.submit(summarize, want.subject, timeout=REQUEST_SECONDS, network=True)
        assert self.models.pictures is not None
        png = self.library.image(want.owner)
        describe = self.models.pictures.summarize
        return self.pool.submit(describe, want.subject, png, timeout=REQUEST_SECONDS, network=True)

    def _take(self, want: Want, future: Future[str]) -> None:
        try:
            text = future.result()
        except (ModelUnreachableError, ModelMissingError) as exc:
            self._lose(want, str(exc))
            self._give_up(str(exc))
        except (ModelError, SourceError) as exc:
            self._failures += isinstance(exc, ModelError)
            self._lose(want, str(exc))
            if self._failures >= FAILURES:
                self._give_up(str(exc))
        else:
            self._failures = 0
            self.library.put_summary(want.key, want.owner, text)
            self._settle(want, lambda opened, owner: opened.found.__setitem__(owner, text))

    def _lose(self, want: Want, reason: str) -> None:
        self._settle(want, lambda opened, _: opened.lost.append(reason))

    def _settle(self, want: Want, note: Callable[[_Opened, str], None]) -> None:
        for source_id in self._waiting.pop(want.key):
            opened = self._opened[source_id]
            for owner in opened.waiting.pop(want.key):
                note(opened, owner)
                self._done += 1

    def _give_up(self, reason: str) -> None:
        self.given_up = self.given_up or reason
        while self._queue:
            self._lose(self._queue.popleft(), reason)


def wants(partition: Partition, models: Models) -> Iterator[Want]:
    """What of a partition is to be described, a picture that stands in it twice once."""
    if models.pictures is not None:
        for picture in {p.image_path: p for p in pictures(partition)}.values():
            key = summary_key(models.pictures, picture.image_path)
            yield Want(key=key, owner=picture.image_path, subject=picture)
    if models.tables is not None:
        for table in tables(partition):
            yield Want(key=table_key(models.tables, table), owner=table.element.element_id, subject=table)


def _enriched(opened: _Opened, models: Models) -> Enriched:
    record, lost = opened.record, opened.lost
    said = [w for w in record.warnings if not w.endswith(UNDESCRIBED)]
    if lost:
        said.append(f"{lost[0]}; {_counted(len(lost))} {UNDESCRIBED}")
    key = record.enrich_key if lost else models.key_of(record)
    return Enriched(
        record=replace(record, warnings=tuple(said), enrich_key=key),
        partition=replace(with_summaries(opened.partition, opened.found), warnings=tuple(said)),
        is_changed=not lost or bool(_new(opened.partition, opened.found)),
    )


def _new(partition: Partition, found: Mapping[str, str]) -> list[str]:
    """The owners whose summaries are not in the partition yet."""
    stored = {(e.image_path if e.category == "Image" else e.element_id): e.summary for e in partition.elements}
    return [owner for owner, text in found.items() if stored.get(owner) != text]


def _counted(count: int) -> str:
    return f"{count} picture{'s' * (count > 1)} or table{'s' * (count > 1)}"
