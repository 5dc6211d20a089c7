"""The model of a cluster says what follows from its costs."""

import math
from dataclasses import replace

import pytest

from tests.bench.cluster_model import (
    CORES,
    OVERHEAD,
    Costs,
    check,
    costs_of,
    measure,
    predict,
    predict_here,
    report,
    store_share,
)

COSTS = Costs(worker=0.2, writer=0.01, sent_bytes=50_000, read_bytes=200_000, vectors=0.004, dimension=256, start=5)


def test_workers_set_the_time_until_the_writer_does():
    few, many = predict(COSTS, 10**6, 1), predict(COSTS, 10**6, 100)
    assert (few.slowest, many.slowest) == ("workers", "writer")
    assert few.total == pytest.approx(5 + 10**6 * 0.2 * (1 + OVERHEAD) / CORES)
    assert many.total == pytest.approx(10**6 * 0.01)
    assert predict(COSTS, 10**6, 200).total == many.total


def test_on_one_machine_the_writer_takes_from_the_workers():
    wall, cpu = predict_here(COSTS, 1000, 2)
    assert wall == pytest.approx(5 + 1000 * 0.21 / 2)
    assert cpu == pytest.approx(1000 * 0.21)


def test_an_index_of_more_vectors_is_slower_by_the_logarithm():
    one, thousand = predict(COSTS, 10**9, 1).seconds["Chroma"], predict(COSTS, 10**12, 1).seconds["Chroma"]
    assert thousand / one == pytest.approx(1000 * math.log(4e9) / math.log(4e6))


def test_the_object_store_is_full_when_what_is_under_way_is_a_fourth_of_it():
    assert store_share(replace(COSTS, read_bytes=4e9 / (2 * CORES))) == pytest.approx(1)


def test_the_costs_are_those_of_a_real_ingest(tmp_path):
    files = [tmp_path / f"note{n}.md" for n in range(6)]
    for n, file in enumerate(files):
        file.write_text(f"# Note {n}\n\nThe ferry number {n} sails at noon.\n")
    measured = measure(files, 1, "fast")
    assert (measured.pages, measured.read, measured.vectors >= 6) == (6, sum(f.stat().st_size for f in files), True)
    assert min(measured.workers, measured.writer) > 0
    costs = costs_of(measured, replace(measured, pages=1, wall=2.0, workers=0.0, writer=0.0))
    wall, cpu = predict_here(costs, 6, 1)
    assert cpu == pytest.approx(measured.cpu)
    assert wall == pytest.approx(2.0 + measured.cpu)
    assert list(check(costs, measured, 1))[1].endswith("CPU (+0%)")
    assert sum(line.startswith("| 1e+") for line in report(costs)) == 12
