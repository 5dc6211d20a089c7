"""One changed paragraph costs the chunk that holds it: ``tests.bench.changes`` in small."""

import pytest

from ingest import indexing, pipeline
from tests.bench.changes import changed
from tests.inline_pool import InlinePool


@pytest.mark.parametrize("name", ["document.docx", "document.pdf"])
def test_one_changed_paragraph_of_a_document_is_embedded_alone(tmp_path, monkeypatch, name):
    monkeypatch.setattr(pipeline, "WorkerPool", InlinePool)
    monkeypatch.setattr(indexing, "WorkerPool", InlinePool)
    chunks, vectors = changed(tmp_path, name, 6)
    assert 1 <= chunks <= 2
    assert 1 <= vectors <= 3
