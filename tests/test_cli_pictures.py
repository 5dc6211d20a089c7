"""Pictures on the command line: the file is named, drawn only in a terminal, and what would gain is told."""

import base64
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

import cli
from ingest import pipeline, pipeline_stages, pipeline_store
from tests.ingest.test_enrich import TABLE, drawing, page
from tests.inline_pool import InlinePool
from tests.ollama_server import OllamaServer

NOBODY = "http://127.0.0.1:9"


def run(*args: object, host: str = NOBODY) -> Result:
    result = CliRunner().invoke(cli.main, [str(a) for a in args], env={"OLLAMA_HOST": host})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def docs(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(pipeline, "WorkerPool", lambda count, **_: InlinePool())
    monkeypatch.setattr(pipeline_stages, "read_picture", lambda png: [])
    monkeypatch.setattr(pipeline_store, "update_index", lambda *_: None)
    folder = tmp_path / "docs"
    folder.mkdir()
    icon = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(icon, "PNG")
    mark = f'<img src="data:image/png;base64,{base64.b64encode(icon.getvalue()).decode()}">'
    (folder / "a.html").write_text(page(1, table=TABLE + mark))
    return folder


@pytest.fixture
def library(tmp_path) -> Path:
    return tmp_path / "lib"


def test_without_a_model_the_end_of_an_ingest_says_what_would_gain_and_how(docs, library):
    said = run("ingest", docs, "-l", library).output
    assert "1 picture has no description by a model" in said
    assert "to have it made: ollama serve; ollama pull llava; pincite ingest docs" in said
    assert "no description" not in run("ingest", docs, "-l", library, "--json").output
    assert "no description" not in run("ingest", docs, "-l", library, "--images", "ocr").output


def test_with_a_model_nothing_is_left_to_say(docs, library):
    with OllamaServer() as server:
        assert "no description" not in run("ingest", docs, "-l", library, host=server.url).output


def test_what_is_left_out_as_decoration_stands_in_the_status_alone(docs, library):
    assert "decoration" not in run("ingest", docs, "-l", library).output
    assert "1 picture left out as decoration: 1 small" in run("status", "-l", library).output
    (source,) = json.loads(run("status", "-l", library, "--json").output)["sources"]
    assert source["warnings"] == ["1 picture left out as decoration: 1 small"]


def test_search_names_the_picture_and_says_who_describes_it(docs, library):
    with OllamaServer(vision=["A drawing of zebras.\x1b[2J"]) as server:
        run("ingest", docs, "-l", library, host=server.url)
    found = run("search", "zebras", "-l", library, "--kind", "image").output
    name = next((library / "images").glob("*.png"))
    assert f"picture: {name}" in found
    assert "described by a model, not the document: A drawing of zebras." in found
    assert "\x1b[2J" not in found


def test_a_picture_of_a_file_without_pages_is_shown_itself(docs, library, tmp_path):
    run("ingest", docs, "-l", library)
    (hit,) = json.loads(run("search", "harbour", "-l", library, "--kind", "image", "--json").output)["results"]
    assert run("show", hit["chunk_id"], "-l", library, "-o", tmp_path / "crop.png").exit_code == 0
    with Image.open(tmp_path / "crop.png") as shown, Image.open(io.BytesIO(drawing(1))) as wanted:
        assert shown.convert("RGB").tobytes() == wanted.tobytes()


def test_nothing_is_drawn_when_the_output_is_piped(docs, library):
    run("ingest", docs, "-l", library)
    result = run("ask", "When do ferries leave from the pier?", "-l", library, "--show", "--model", "extractive")
    assert "noon" in result.output
    assert "\x1b_G" not in result.output
    assert "\x1bP" not in result.output


def test_pictures_are_drawn_in_a_terminal_that_can(docs, library, monkeypatch):
    run("ingest", docs, "-l", library)
    monkeypatch.setattr("retrievers.terminal.drawing_of", lambda names, output, answers: "kitty")
    result = run("ask", "How is the harbour drawn here for the 1. time?", "-l", library, "--show")
    assert result.output.count("\x1b_G") >= 1
