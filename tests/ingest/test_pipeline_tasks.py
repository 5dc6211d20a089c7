"""How many sources are under way at a time: what is not stored when a run is killed is read again."""

from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest.pipeline_tasks import Tasks
from ingest.types import Source
from ingest.workers import WorkerPool


def job(number: int, form: str, size: int) -> SimpleNamespace:
    return SimpleNamespace(source=Source(id=str(number) * 64, path=Path(f"{number}.{form}"), format=form, size=size))


@pytest.mark.parametrize(
    ("jobs", "has_room"),
    [
        ([], True),
        ([job(1, "md", 10)], True),
        ([job(1, "md", 10), job(2, "txt", 10), job(3, "pdf", 10)], True),
        ([job(1, "pdf", 10), job(2, "pdf", 10)], False),
        ([job(1, "pdf", 10), job(2, "md", 10**6)], False),
        ([job(n, "md", 10) for n in range(4)], False),
    ],
)
def test_no_more_large_sources_are_under_way_than_there_are_workers(jobs, has_room):
    with WorkerPool(2) as pool:
        tasks = Tasks(pool, store=None)
        for each in jobs:
            tasks.add(Future(), each, print)
        assert tasks.has_room == has_room


def test_two_tasks_of_one_large_source_are_one_source():
    with WorkerPool(2) as pool:
        tasks, only = Tasks(pool, store=None), job(1, "pdf", 10)
        tasks.add(Future(), only, print)
        tasks.add(Future(), only, print)
        assert tasks.has_room


def test_a_finished_task_may_wait_for_those_that_are_finished_with_it():
    store = SimpleNamespace(
        library=SimpleNamespace(together=nullcontext), recording=lambda _: nullcontext(), index_when_due=lambda: None
    )
    done, taken = [Future(), Future(), Future()], []
    for future in done:
        future.set_result(None)
    with WorkerPool(1) as pool:
        tasks = Tasks(pool, store=store)

        def take(_, future):
            tasks.drain()
            taken.append(future)

        for number, future in enumerate(done):
            tasks.add(future, SimpleNamespace(source=job(number, "md", 10).source, failed=False), take)
        tasks.advance_some()
    assert set(taken) == set(done)
    assert len(taken) == len(done)
