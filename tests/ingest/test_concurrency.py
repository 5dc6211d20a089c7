"""Two processes that write and one that asks, ``tests.bench.concurrency`` in small."""

from tests.bench.concurrency import run


def test_two_ingests_and_an_asker_lose_nothing_and_each_new_note_is_found():
    found, problems = run(0.5)
    assert problems == []
    assert found.errors == []
    assert found.delays
