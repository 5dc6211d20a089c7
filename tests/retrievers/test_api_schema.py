"""Requests made from the interface's own description, good ones and bad ones: none may be a fault of the server."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from hypothesis.strategies import SearchStrategy
from schemathesis import Case
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema

from ingest.library import Library
from ingest.settings import Settings
from retrievers.api import ServeOptions, make_app
from retrievers.api_ingest import Job, Jobs
from retrievers.multi_vector import MultiVectorRetriever
from tests.live_server import serving
from tests.retrievers.made import BagOfWords, paragraph, put, table

SETTINGS = hypothesis.settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(hypothesis.Phase.generate,),
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture(scope="module")
def described(tmp_path_factory) -> Iterator[BaseSchema]:
    """The description of a server whose ingests wait for ever."""
    folder = tmp_path_factory.mktemp("described")
    with Library(folder / "lib", create=True) as library, pytest.MonkeyPatch.context() as patch:
        put(library, "a.txt", [paragraph("Dogs travel free."), table("<table><tr><td>H1</td><td>4</td></tr></table>")])
        patch.setattr(Jobs, "start", lambda jobs, roots: Job(job_id="waits", roots=roots))
        retriever = MultiVectorRetriever(library, settings=Settings(), embedder=BagOfWords())
        with serving(make_app(retriever, ServeOptions(model="extractive"))) as url:
            yield schemathesis.openapi.from_url(f"{url}/api/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_is_a_fault_of_the_server(described, mode):
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 10
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not {"parameters", "requestBody"} & operation.definition.raw.keys():
            continue  # nothing can be wrong with a request that has no inputs
        _check(operation.as_strategy(generation_mode=mode))


def _check(cases: SearchStrategy[Case]) -> None:
    @SETTINGS
    @hypothesis.given(case=cases)
    def check(case: Case) -> None:
        reply = case.call()
        assert reply.status_code < 500, reply.text
        assert reply.status_code in (404, 405) or str(reply.status_code) in case.operation.definition.raw["responses"]

    check()
