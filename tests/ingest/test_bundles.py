import os

import pytest

from ingest.bundles import BUNDLE, Bundles, Task
from ingest.errors import BrokenError, LimitError
from ingest.workers import WorkerPool, result_of
from tests.inline_pool import InlinePool


def double(number: int) -> int:
    if number == 3:
        raise BrokenError("three")
    return 2 * number


def double_or_crash(number: int) -> int:
    if number == 3:
        os.abort()
    return 2 * number


def process(_: int) -> int:
    return os.getpid()


def start(bundles: Bundles, function, count: int) -> list:
    return [bundles.submit(Task(function=function, args=(n,), seconds=60.0)) for n in range(count)]


@pytest.fixture
def pool():
    with WorkerPool(1) as made:
        yield made


def test_tasks_go_when_a_bundle_is_full_or_on_request():
    pool = InlinePool()
    bundles = Bundles(pool)
    futures = start(bundles, double, BUNDLE + 1)
    assert [f.done() for f in futures] == [True] * BUNDLE + [False]
    assert bundles.spared() == BUNDLE + 1 - 2
    bundles.flush()
    assert bundles.take(futures[-1]) is futures[-1]
    assert futures[-1].result() == 2 * BUNDLE
    assert bundles.spared() == BUNDLE - 1


def test_an_error_of_one_task_is_its_own():
    bundles = Bundles(InlinePool())
    futures = start(bundles, double, 5)
    bundles.flush()
    assert all(bundles.take(f) is f for f in futures)
    assert [f.exception() is None for f in futures] == [True, True, True, False, True]
    with pytest.raises(BrokenError, match="three"):
        result_of(futures[3])


def test_what_was_lost_together_is_done_again_alone_and_costs_its_worker_only(pool):
    bundles = Bundles(pool)
    futures = start(bundles, double_or_crash, 5)
    bundles.flush()
    for future in futures:
        future.exception(timeout=60)
    alone = [bundles.take(f) for f in futures]
    assert not set(alone) & set(futures)
    assert [result_of(f) for n, f in enumerate(alone) if n != 3] == [0, 2, 4, 8]
    with pytest.raises(LimitError, match="crashed"):
        result_of(alone[3])
    assert bundles.spared() == 0


def test_tasks_of_a_bundle_share_a_worker_process(pool):
    bundles = Bundles(pool)
    futures = start(bundles, process, 3)
    bundles.flush()
    (pid,) = {future.result(timeout=60) for future in futures}
    assert pid != os.getpid()
