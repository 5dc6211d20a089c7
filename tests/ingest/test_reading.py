from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import reading as module
from ingest.errors import BrokenError, LimitError, SourceError, TimeLimitError
from ingest.partition import PartitionOptions
from ingest.reading import Reading, ReadTask, outcome_of, read_many, submit_read
from ingest.types import Page, Partition, Source
from ingest.workers import WorkerPool
from tests import hostile_tasks

PDF = Source(id="0" * 64, path=Path("long.pdf"), format="pdf", size=1)
TEXT = Source(id="1" * 64, path=Path("a.txt"), format="txt", size=1)
CRASH = LimitError("its reader crashed (signal SIGSEGV)")
SLOW = TimeLimitError("took too long (60 s at most)")


def read_of(pages: tuple[int, ...], unread: tuple[tuple[int, ...], ...] = ()) -> Partition:
    return Partition(
        elements=(),
        pages=tuple(Page(page=n, width=1, height=1) for n in pages),
        unread=unread,
    )


def finish(
    source: Source, outcome: Callable[[ReadTask], Partition | int | SourceError]
) -> tuple[Reading, list[ReadTask]]:
    """Do every task of a source by a function; the tasks in the order in which they were done."""
    reading = Reading(source, PartitionOptions())
    todo = reading.begin()
    done: list[ReadTask] = []
    while todo:
        done.append(todo.pop(0))
        todo += reading.take(done[-1], outcome(done[-1]))
    assert reading.done
    return reading, done


def test_pages_that_were_left_unread_are_read_and_stand_in_their_places():
    def outcome(task: ReadTask) -> Partition:
        return read_of(task.pages) if task.pages else read_of((1, 3), unread=((2,), (4, 5)))

    reading, done = finish(PDF, outcome)
    assert [page.page for page in reading.whole().pages] == [1, 2, 3, 4, 5]
    assert [task.pages for task in done] == [(), (2,), (4, 5)]


def test_a_page_that_costs_its_worker_twice_and_has_no_words_is_left_out_and_named():
    def outcome(task: ReadTask) -> Partition | SourceError:
        if not task.pages:
            return read_of((), unread=(tuple(range(1, 41)),))
        return CRASH if 17 in task.pages else read_of(task.pages)

    reading, done = finish(PDF, outcome)
    found = reading.whole()
    assert [page.page for page in found.pages] == [n for n in range(1, 41) if n != 17]
    assert found.warnings == ("page 17: could not be read (its reader crashed (signal SIGSEGV))",)
    tried = [task.function for task in done if task.pages == (17,)]
    assert tried == [module.read_pages, module.read_pages, module.read_bare]


def test_a_page_that_costs_one_worker_alone_is_read_by_the_next():
    lost: list[ReadTask] = []

    def outcome(task: ReadTask) -> Partition | SourceError:
        if task.pages == (2,) and not lost:
            lost.append(task)
            return CRASH
        return read_of(task.pages) if task.pages else read_of((1,), unread=((2,),))

    found = finish(PDF, outcome)[0].whole()
    assert [page.page for page in found.pages] == [1, 2]
    assert found.warnings == ()


def test_a_file_whose_first_task_is_lost_is_read_in_groups_of_pages():
    def outcome(task: ReadTask) -> Partition | int | SourceError:
        if task.function is module.partition_text:
            return SLOW
        if task.function is module.count_pages:
            return 25
        return read_of(task.pages)

    reading, done = finish(PDF, outcome)
    assert [page.page for page in reading.whole().pages] == list(range(1, 26))
    assert [len(task.pages) for task in done] == [0, 0, 10, 10, 5]


@pytest.mark.parametrize("error", [CRASH, SLOW])
def test_a_file_that_loses_every_task_fails_with_the_first_cause(error):
    def outcome(task: ReadTask) -> SourceError:
        return error if task.function is module.partition_text else BrokenError("broken PDF")

    with pytest.raises(LimitError) as caught:
        finish(PDF, outcome)
    assert caught.value is error


def test_a_file_of_which_every_page_is_lost_fails():
    def outcome(task: ReadTask) -> int | SourceError:
        return 2 if task.function is module.count_pages else CRASH

    reading, _ = finish(PDF, outcome)
    with pytest.raises(LimitError, match="SIGSEGV"):
        reading.whole()


def test_pages_that_hang_are_tried_once_each_when_the_time_of_the_file_is_up():
    def outcome(task: ReadTask) -> Partition | SourceError:
        return SLOW if task.pages else read_of((1, 2), unread=tuple((n,) for n in range(3, 13)))

    _, done = finish(PDF, outcome)
    tries = [sum(task.pages == (n,) and task.function is module.read_pages for task in done) for n in range(3, 13)]
    assert max(tries) == 2
    assert min(tries) == 1


@pytest.mark.parametrize(("error", "tries"), [(CRASH, 2), (SLOW, 1), (BrokenError("not a text"), 1)])
def test_a_file_without_pages_is_tried_again_after_a_crash_alone(error, tries):
    done: list[ReadTask] = []

    def outcome(task: ReadTask) -> SourceError:
        done.append(task)
        return error

    with pytest.raises(SourceError) as caught:
        finish(TEXT, outcome)
    assert caught.value is error
    assert len(done) == tries


def test_a_draft_is_kept_when_the_second_look_at_it_is_lost(samples):
    path = samples / "report.pdf"
    source = Source(id="2" * 64, path=path, format="pdf", size=path.stat().st_size)

    def outcome(task: ReadTask) -> Partition | SourceError:
        if task.pages:
            return CRASH
        found = module.partition_text(source, PartitionOptions(parser="fast", images="off"))
        first = Partition(elements=found.elements, pages=found.pages, unread=((1,),))
        drafted.append(len(first.on((1,)).elements))
        return first

    drafted: list[int] = []
    whole = finish(source, outcome)[0].whole()
    assert len(whole.on((1,)).elements) == drafted[0] > 0
    assert whole.warnings == ("page 1: no second look at it (its reader crashed (signal SIGSEGV))",)


def test_one_hostile_page_of_a_real_file_ends_neither_the_file_nor_the_run(samples, monkeypatch):
    monkeypatch.setattr(module, "partition_text", hostile_tasks.partition_and_crash)
    monkeypatch.setattr(module, "read_pages", hostile_tasks.read_pages_but_the_second)
    sources = [
        Source(id=str(i) * 64, path=path, format=path.suffix[1:], size=path.stat().st_size)
        for i, path in enumerate((samples / "report.pdf", samples / "faq.md"))
    ]
    with WorkerPool(1) as pool:
        report, faq = read_many(pool, sources, PartitionOptions(parser="fast", images="off"))
    assert isinstance(report, Partition)
    assert isinstance(faq, Partition)
    assert {page.tier for page in report.pages if page.page == 2} == {"bare"}
    assert {page.tier for page in report.pages if page.page in (1, 3)} == {"fast"}
    assert sum(len(element.text.split()) for element in report.on((2,)).elements) > 20
    assert [w for w in report.warnings if "page 2" in w] == [
        "page 2: its layout could not be read, only its words (its reader crashed (exit code 7))"
    ]


def test_a_task_gives_its_error_as_an_outcome():
    with WorkerPool(1) as pool:
        (task,) = Reading(TEXT, PartitionOptions()).begin()
        assert isinstance(outcome_of(submit_read(pool, task)), SourceError)
