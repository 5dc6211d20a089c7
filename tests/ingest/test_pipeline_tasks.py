"""How many sources are under way at a time: what is not stored when a run is killed is read again."""

from concurrent.futures import Future
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
