"""The tools as an assistant sees them: the SDK's own client speaks to the real server."""

import asyncio
import base64
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ingest import ingest
from ingest.library import Library
from retrievers import MultiVectorRetriever

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "How many passengers did route H2 carry in 2024?"

pytest.importorskip("mcp", reason="the extra mcp is not installed")


@pytest.fixture(scope="module")
def library(tmp_path_factory, samples):
    folder = tmp_path_factory.mktemp("mcp") / ".pincite"
    assert [result.state for result in ingest([samples / "report.pdf"], library=folder)] == ["ingested"]
    return folder


@pytest.fixture(scope="module")
def call(library):
    """Calls a tool by its name and arguments."""
    from mcp import Client

    from retrievers.mcp_server import build_server

    with Library(library) as opened:
        retriever = MultiVectorRetriever(opened)
        server = build_server(retriever, model="extractive")

        async def called(name, arguments):
            async with Client(server) as client:
                return await client.call_tool(name, arguments)

        yield lambda name, **arguments: asyncio.run(called(name, arguments))
        retriever.close()


def test_ask_gives_the_answer_of_the_command_line_with_its_citations(call):
    said = call("ask", question=QUESTION).structured_content
    assert (said["found"], said["model"]) == (True, "extractive")
    assert "214.5" in said["answer"]
    cited = said["citations"][0]
    assert (cited["doc"], cited["page"], cited["verified"]) == ("report.pdf", 4, True)


def test_search_obeys_its_filters(call):
    found = call("search", query="passengers by route", k=3, kind="table").structured_content["results"]
    assert 0 < len(found) <= 3
    assert {hit["kind"] for hit in found} == {"table"}
    assert call("search", query="passengers", doc="*.docx").structured_content["results"] == []


def test_show_is_a_picture_of_the_cited_place(call):
    cited = call("ask", question=QUESTION).structured_content["citations"][0]
    (picture,) = call("show", id=cited["citation_id"]).content
    assert picture.mime_type == "image/png"
    with Image.open(io.BytesIO(base64.b64decode(picture.data))) as drawn:
        assert drawn.width > drawn.height > 20


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("show", {"id": "none"}, "no chunk, element or citation has the id none"),
        ("search", {"query": "fares", "k": 1000}, "less than or equal to 50"),
        ("search", {"query": ""}, "at least 1 character"),
        ("ask", {}, "Field required"),
    ],
)
def test_what_is_wrong_is_told_to_the_assistant(call, tool, arguments, told):
    result = call(tool, **arguments)
    assert result.is_error
    assert told in result.content[0].text


def test_the_tools_say_that_they_only_read(library):
    from mcp import Client

    from retrievers.mcp_server import build_server

    async def listed():
        with Library(library) as opened:
            async with Client(build_server(MultiVectorRetriever(opened))) as client:
                return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in asyncio.run(listed())}
    assert set(tools) == {"search", "ask", "show"}
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools.values())


def test_the_command_speaks_the_protocol_over_its_pipes(library):
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    async def asked():
        code = "from retrievers.launch import main; main()"
        arguments = ["-c", code, "mcp", "-l", str(library), "--model", "extractive"]
        started = StdioServerParameters(command=sys.executable, args=arguments, cwd=ROOT, env=dict(os.environ))
        async with Client(stdio_client(started)) as client:
            return await client.call_tool("ask", {"question": QUESTION})

    assert "214.5" in asyncio.run(asked()).structured_content["answer"]


def test_without_the_sdk_the_error_carries_the_install_line(library):
    code = "import sys; sys.modules['mcp'] = None; from retrievers.launch import main; main()"
    command = [sys.executable, "-c", code, "mcp", "-l", str(library)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install '.[mcp]'" in done.stderr


def test_without_a_library_it_ends_with_what_to_do(tmp_path):
    code = "from retrievers.launch import main; main()"
    command = [sys.executable, "-c", code, "mcp", "-l", str(tmp_path / "none")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pincite ingest" in done.stderr
