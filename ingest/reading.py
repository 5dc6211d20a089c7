"""How one source is read by many tasks: what follows from a finished task, and what from a lost one.

A worker that is lost costs the pages of its task alone: they are read again in ever smaller groups, until the page that
does it is known and left out. Nothing here runs anything, so that a pool, or another machine, can.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from ingest.bundles import Bundles, Task
from ingest.discover import TEXT_FORMATS
from ingest.errors import LimitError, SourceError, TimeLimitError
from ingest.partition import (
    PartitionOptions,
    count_pages,
    has_bare_text,
    is_in_cloud,
    is_paged,
    join,
    partition_text,
    read_bare,
    read_pages,
)
from ingest.types import Partition, Source
from ingest.workers import Engine, at_border, result_of

FILE_SECONDS = 180.0
"""Seconds that a file without pages may take."""
PAGES_SECONDS = 60.0
"""Seconds without a finished task that a file with pages may take."""
PAGE_SECONDS = 20.0
"""Seconds a page that may be lost in all, beside ``PAGES_SECONDS``."""
BARE_SECONDS = 20.0
"""Seconds that the words alone of a page may take that cost its readers their workers."""
GROUP = 10
"""Pages of a task after a larger one was lost."""
SMALL = 2**16
"""Bytes up to which a text is read together with others, in milliseconds."""
TRIES = 2
"""Workers that a page may cost before it is left out."""
NOTHING = Partition(elements=())
AHEAD = 2
"""Sources a worker that are begun before the first of them is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTask:
    """A module-level function and its arguments, the seconds that it may take, and the pages that it reads."""

    function: Callable[..., Any]
    args: tuple[object, ...]
    seconds: float
    pages: tuple[int, ...] = ()
    draft: Partition = NOTHING


class Reading:
    """One source while its tasks are done."""

    def __init__(self, source: Source, options: PartitionOptions) -> None:
        self.source, self.options = source, options
        self._first: Partition | None = None
        self._parts: list[Partition] = []
        self._waiting = 0
        self._lost: Counter[tuple[int, ...]] = Counter()
        self._lost_seconds = 0.0
        self._cause: SourceError | None = None
        self._causes: dict[tuple[int, ...], SourceError] = {}

    @property
    def done(self) -> bool:
        """Whether no task is left."""
        return self._waiting == 0

    def begin(self) -> list[ReadTask]:
        """The first task."""
        seconds = PAGES_SECONDS if is_paged(self.source, self.options) else FILE_SECONDS
        if self.options.cloud is not None:
            seconds = max(seconds, self.options.cloud.seconds + FILE_SECONDS)
        task = ReadTask(function=partition_text, args=(self.source, self.options), seconds=seconds)
        return self._started([task])

    def take(self, task: ReadTask, outcome: Partition | int | SourceError) -> list[ReadTask]:
        """What is to be done after a task gave a partition, a count of pages, or an error.

        Raises:
            SourceError: nothing of the source can be read.
        """
        self._waiting -= 1
        if isinstance(outcome, TimeLimitError):
            self._lost_seconds += task.seconds
        if isinstance(outcome, SourceError):
            return self._started(self._after_loss(task, outcome))
        if isinstance(outcome, int):
            return self._started(self._in_groups(range(1, outcome + 1)))
        if self._first is None:
            self._first = outcome
        else:
            self._parts.append(outcome)
        return self._started([self._page_task(pages, outcome.on(pages)) for pages in outcome.unread])

    def whole(self) -> Partition:
        """What was read.

        Raises:
            SourceError: no page of the source could be read.
        """
        assert self._first is not None
        if not self._parts:
            return self._first
        found = join(self.source, self._first, self._parts)
        if self._cause is not None and not found.pages:
            raise self._cause
        return found

    def _started(self, tasks: list[ReadTask]) -> list[ReadTask]:
        self._waiting += len(tasks)
        return tasks

    def _page_task(self, pages: tuple[int, ...], draft: Partition) -> ReadTask:
        args = (self.source, pages, draft, self.options)
        return ReadTask(function=read_pages, args=args, seconds=PAGES_SECONDS, pages=pages, draft=draft)

    def _after_loss(self, task: ReadTask, error: SourceError) -> list[ReadTask]:
        """The tasks that make good for a lost one.

        Raises:
            SourceError: nothing can.
        """
        if task.pages:
            return self._after_lost_pages(task, error)
        self._lost[()] += 1
        if task.function is count_pages or not isinstance(error, LimitError):
            raise self._cause or error
        self._cause = error
        if is_paged(self.source, self.options):
            self._first = Partition(elements=())
            if self.options.pages is not None:
                return self._in_groups(self.options.pages)
            return [ReadTask(function=count_pages, args=(self.source, self.options), seconds=PAGES_SECONDS)]
        if isinstance(error, TimeLimitError) or self._lost[()] >= TRIES:
            raise error
        return [task]

    def _after_lost_pages(self, task: ReadTask, error: SourceError) -> list[ReadTask]:
        if len(task.pages) > GROUP:
            return self._in_groups(task.pages, task.draft)
        if len(task.pages) > 1:
            return self._in_groups(task.pages, task.draft, size=1)
        if task.function is read_bare:
            return self._left_out(task, self._causes[task.pages])
        self._lost[task.pages] += 1
        known = max((page.page for part in (self._first, *self._parts) if part for page in part.pages), default=0)
        in_time = self._lost_seconds <= PAGES_SECONDS + PAGE_SECONDS * max(known, *task.pages)
        if isinstance(error, LimitError) and self._lost[task.pages] < TRIES and in_time:
            return [task]
        if isinstance(error, LimitError) and not task.draft.elements and has_bare_text(self.source):
            self._causes[task.pages] = error
            args = (self.source, task.pages[0], error.reason, self.options)
            return [ReadTask(function=read_bare, args=args, seconds=BARE_SECONDS, pages=task.pages)]
        return self._left_out(task, error)

    def _left_out(self, task: ReadTask, error: SourceError) -> list[ReadTask]:
        what = "no second look at it" if task.draft.elements else "could not be read"
        self._parts.append(Partition(elements=(), warnings=(f"page {task.pages[0]}: {what} ({error.reason})",)))
        return []

    def _in_groups(self, pages: Sequence[int], draft: Partition = NOTHING, *, size: int = GROUP) -> list[ReadTask]:
        groups = [tuple(pages[i : i + size]) for i in range(0, len(pages), size)]
        return [self._page_task(group, draft.on(group)) for group in groups]


def submit_read(pool: Engine, task: ReadTask, bundles: Bundles | None = None) -> Future[Any]:
    """Have a task done in a worker; a small one with others, where there are ``bundles``.

    What LlamaParse reads is but sent and waited for, which needs the network that workers have not.
    """
    if bundles is not None and is_small(task):
        return bundles.submit(Task(function=at_border, args=(task.function, *task.args), seconds=task.seconds))
    network = is_in_cloud(*_subject(task))
    return pool.submit(at_border, task.function, *task.args, timeout=task.seconds, network=network)


def _subject(task: ReadTask) -> tuple[Source, PartitionOptions]:
    source, options = task.args[0], task.args[-1]
    assert isinstance(source, Source)
    assert isinstance(options, PartitionOptions)
    return source, options


def is_small(task: ReadTask) -> bool:
    """Whether the way to a worker takes longer than the task."""
    source, options = _subject(task)
    return is_small_source(source) and task.function is partition_text and options.cloud is None


def is_small_source(source: Source) -> bool:
    """Whether a source is read in milliseconds."""
    return source.format in TEXT_FORMATS and source.size <= SMALL


def outcome_of(future: Future[Any]) -> Partition | int | SourceError:
    """What a task gave; an error of the source is an outcome as well."""
    try:
        found: Partition | int = result_of(future)
    except SourceError as exc:
        return exc
    return found


def read_many(pool: Engine, sources: Iterable[Source], options: PartitionOptions) -> Iterator[Partition | SourceError]:
    """Read sources in the workers; results come in the order of the sources."""
    todo = iter(sources)
    begun: deque[Reading] = deque()
    results: dict[int, Partition | SourceError] = {}
    futures: dict[Future[Any], tuple[Reading, ReadTask]] = {}
    while True:
        while len(begun) < AHEAD * pool.count and (source := next(todo, None)) is not None:
            begun.append(Reading(source, options))
            futures |= {submit_read(pool, task): (begun[-1], task) for task in begun[-1].begin()}
        if not begun:
            return
        while id(begun[0]) not in results:
            ready, _ = wait(futures, return_when=FIRST_COMPLETED)
            for future in ready:
                reading, task = futures.pop(future)
                if id(reading) in results:
                    continue
                try:
                    follow = reading.take(task, outcome_of(future))
                    futures |= {submit_read(pool, each): (reading, each) for each in follow}
                    if reading.done:
                        results[id(reading)] = reading.whole()
                except SourceError as exc:
                    results[id(reading)] = exc
        yield results.pop(id(begun.popleft()))
