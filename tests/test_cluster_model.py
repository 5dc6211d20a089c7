"""The model of a cluster says what follows from its costs."""

import math

import pytest

from tests.bench.cluster_model import CORES, Costs, measure, predict, report

COSTS = Costs(worker=0.2, writer=0.01, sent_bytes=50_000, vectors=4, dimension=256)


def test_workers_set_the_time_until_the_writer_does():
    few, many = predict(COSTS, 10**6, 1, with_chroma=False), predict(COSTS, 10**6, 100, with_chroma=False)
    assert (few.slowest, many.slowest) == ("workers", "writer")
    assert few.total == pytest.approx(10**6 * 0.2 / CORES)
    assert many.total == pytest.approx(10**6 * 0.01)
    assert predict(COSTS, 10**6, 200, with_chroma=False).total == many.total


def test_an_index_of_more_vectors_is_slower_by_the_logarithm():
    one, thousand = predict(COSTS, 10**6, 1).seconds["Chroma"], predict(COSTS, 10**9, 1).seconds["Chroma"]
    assert thousand / one == pytest.approx(1000 * math.log(4e9) / math.log(4e6))


def test_the_costs_are_those_of_a_real_ingest(tmp_path):
    for n in range(6):
        (tmp_path / f"note{n}.md").write_text(f"# Note {n}\n\nThe ferry number {n} sails at noon.\n")
    measured = measure(tmp_path, 1, "fast")
    assert (measured.pages, measured.costs.vectors >= 1) == (6, True)
    assert measured.costs.worker > 0
    assert measured.costs.writer > 0
    lines = list(report(measured))
    assert lines[0].startswith("measured: 6 pages, 1 workers")
    assert sum(line.startswith("| 1e+") for line in lines) == 12
