"""A folder to ingest from, for the tests of the pipeline."""

import pytest

from ingest import indexing, pipeline
from tests.ingest.desk import Desk
from tests.inline_pool import InlinePool


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Desk:
    pool = InlinePool(2)
    monkeypatch.setattr(pipeline, "WorkerPool", lambda count, **_: pool)
    monkeypatch.setattr(indexing, "WorkerPool", InlinePool)
    return Desk(tmp_path, pool)
