"""Descriptions: made once, kept as they come, picked up where a run ended, shared, and gone with their documents."""

import base64
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from ingest import pipeline, pipeline_stages, pipeline_store
from ingest.chunk import ChunkOptions
from ingest.errors import ModelUnreachableError, TimeLimitError
from ingest.library import Library
from ingest.partition import PartitionOptions
from ingest.pipeline import IngestOptions, Progress, ingest, library_status, remove
from ingest.settings import Settings
from ingest.types import SourceResult
from tests.bench import describe
from tests.inline_pool import InlinePool
from tests.ollama_server import OllamaServer, models_named

NOBODY = "http://127.0.0.1:9"


def drawing(number: int) -> bytes:
    """A picture of 120 by 90 pixels without any text, another one for each number."""
    image = Image.new("RGB", (120, 90), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((10, 10, 15 + number, 60), fill=(200, 30, 30))
    pen.ellipse((60, 20, 110, 80), fill=(30, 120, 30 + number))
    pen.line((5, 85, 115, 70), fill=(0, 0, 90), width=4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def page(*numbers: int, title: str = "Harbour", table: str = "") -> str:
    shown = "".join(
        f"<p>The harbour is drawn here for the {n}. time.</p>"
        f'<img src="data:image/png;base64,{base64.b64encode(drawing(n)).decode()}">'
        for n in numbers
    )
    return f"<html><body><h1>{title}</h1><p>Ferries leave from the pier at noon.</p>{shown}{table}</body></html>"


TABLE = "<table><tr><th>Pier</th><th>Boats</th></tr><tr><td>North</td><td>12</td></tr></table>"


class Desk:
    """A folder ``docs``, its library, a server, and ingests whose tasks are done in this process."""

    def __init__(self, folder: Path, server: OllamaServer) -> None:
        self.folder, self.docs, self.server = folder, folder / "docs", server
        self.docs.mkdir()
        self.progress: list[Progress] = []

    def settings(self, **fields) -> Settings:
        return Settings(**{"ollama_host": self.server.url, "jobs": 1, **fields})

    def run(
        self, *, images: str = "auto", tables: str = "plain", retry_failed: bool = False, **fields
    ) -> list[SourceResult]:
        self.progress.clear()
        partition = PartitionOptions(images=images)
        options = IngestOptions(partition=partition, tables=tables, retry_failed=retry_failed)
        made = ingest(
            [self.docs],
            self.folder / "lib",
            options=options,
            settings=self.settings(**fields),
            on_progress=self.progress.append,
        )
        return list(made)

    def write(self, name: str, text: str) -> None:
        (self.docs / name).write_text(text)

    def asked(self) -> Counter[bytes]:
        return Counter(request.images[0] for request in self.server.requests_to("/api/generate"))

    def open(self) -> Library:
        return Library(self.folder / "lib")

    def summaries(self) -> list[str | None]:
        with self.open() as library:
            found = [e for s in library.sources() for e in library.partition(s.id).elements]
        return [e.summary for e in found if e.category == "Image"]

    def warnings(self) -> str:
        with self.open() as library:
            return " ".join(w for result in library_status(library) for w in result.warnings)


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with OllamaServer() as running:
        yield running


@pytest.fixture
def desk(tmp_path, monkeypatch, server) -> Desk:
    monkeypatch.setattr(pipeline, "WorkerPool", InlinePool)
    monkeypatch.setattr(pipeline_stages, "read_picture", lambda png: [])
    monkeypatch.setattr(pipeline_store, "update_index", lambda *_: None)
    return Desk(tmp_path, server)


def test_each_picture_is_described_once_and_a_second_run_asks_nothing(desk):
    desk.write("a.html", page(1, 2, 3))
    assert [r.state for r in desk.run()] == ["ingested"]
    assert sorted(desk.asked().values()) == [1, 1, 1]
    assert all("mark" in (summary or "") for summary in desk.summaries())
    assert [r.state for r in desk.run()] == ["unchanged"]
    assert sum(desk.asked().values()) == 3


def test_a_picture_in_two_documents_is_described_once(desk):
    desk.write("a.html", page(1, 2))
    desk.write("b.html", page(2, 3, title="Dock"))
    desk.run()
    assert sorted(desk.asked().values()) == [1, 1, 1]
    assert len(desk.summaries()) == 4
    assert None not in desk.summaries()


def test_a_picture_in_two_documents_is_read_once_and_not_again_in_another_run(desk, monkeypatch):
    read: list[bytes] = []
    monkeypatch.setattr(pipeline_stages, "read_picture", lambda png: read.append(png) or [])
    desk.write("a.html", page(1))
    desk.write("b.html", page(1, 2, title="Dock"))
    desk.run(images="ocr")
    assert len(read) == 2
    desk.write("c.html", page(1, 2, title="Quay"))
    desk.run(images="ocr")
    assert len(read) == 2


def test_a_picture_whose_text_was_not_taken_is_told_of_its_source_and_a_retry_takes_it(desk, monkeypatch):
    def take_too_long(png: bytes) -> list:
        raise TimeLimitError("took too long (600 s at most)")

    desk.write("a.html", page(1))
    with monkeypatch.context() as patch:
        patch.setattr(pipeline_stages, "read_picture", take_too_long)
        (result,) = desk.run(images="ocr")
    assert "no text was taken from a picture (took too long (600 s at most))" in result.warnings
    (result,) = desk.run(images="ocr")
    assert result.state == "unchanged"
    assert "took too long" in desk.warnings()
    (result,) = desk.run(images="ocr", retry_failed=True)
    assert result.state == "ingested"
    assert "took too long" not in desk.warnings()


def test_a_document_is_stored_before_its_pictures_are_described(desk, monkeypatch):
    desk.write("a.html", page(1))
    seen: list[str] = []

    def look(request):
        with desk.open() as library:
            seen.extend(c.text for s in library.sources() for c in library.chunks_of(s.id))
        return "a harbour"

    with OllamaServer(vision=look) as server:
        desk.run(ollama_host=server.url)
    assert any("Ferries leave from the pier" in text for text in seen)


def test_a_description_is_a_vector_of_its_own_beside_the_others_and_in_no_text(desk):
    desk.write("a.html", page(1))
    desk.run()
    with desk.open() as library:
        (source,) = library.sources()
        chunks = [library.chunk(c.chunk_id) for c in library.chunks_of(source.id)]
    (image,) = [c for c in chunks if c.kind == "image"]
    assert {"context", "summary"} <= {v.name for v in image.vectors}
    assert not any("mark" in c.text for c in chunks)


def test_a_dead_server_leaves_all_pending_and_the_next_run_describes_them(desk):
    desk.write("a.html", page(1, 2, 3, 4, 5))
    with OllamaServer(faults={"/api/generate": [None, None, *["400"] * 20]}) as failing:
        results = desk.run(ollama_host=failing.url)
        assert len(failing.requests_to("/api/generate")) <= 2 + 3 + 1
    assert [r.state for r in results] == ["ingested"]
    assert "3 pictures or tables not described yet" in desk.warnings()
    assert sum(s is not None for s in desk.summaries()) == 2
    desk.run()
    assert sum(desk.asked().values()) == 3
    assert None not in desk.summaries()
    assert "not described" not in desk.warnings()


def test_a_server_that_is_gone_is_not_asked_for_every_picture(desk, monkeypatch):
    desk.write("a.html", page(*range(1, 9)))
    asked: list[str] = []

    def gone(self, model, prompt, image, options):
        asked.append(model)
        raise ModelUnreachableError("no model server answers")

    monkeypatch.setattr("ingest.models.Ollama.describe", gone)
    desk.run()
    assert len(asked) <= 2
    assert "8 pictures or tables not described yet" in desk.warnings()


def test_the_model_is_told_how_long_to_stay_and_how_much_to_say(desk):
    desk.write("a.html", page(1))
    desk.run()
    (request,) = desk.server.requests_to("/api/generate")
    assert request.body["keep_alive"] == "15m"
    assert request.body["options"]["num_predict"] > 0


def test_other_weights_describe_again(desk):
    desk.write("a.html", page(1))
    desk.run()
    with OllamaServer({**models_named("llama3"), "llava:latest": "f" * 64}) as other:
        desk.run(ollama_host=other.url)
        assert len(other.requests_to("/api/generate")) == 1


def test_a_description_goes_with_the_last_document_that_holds_the_picture(desk):
    desk.write("a.html", page(1))
    desk.write("b.html", page(1, title="Dock"))
    desk.run()
    with desk.open() as library:
        remove(library, [desk.docs / "a.html"])
    desk.write("c.html", page(1, title="Quay"))
    (desk.docs / "a.html").unlink()
    desk.run()
    assert sum(desk.asked().values()) == 1
    with desk.open() as library:
        remove(library, [desk.docs])
    desk.run()
    assert sum(desk.asked().values()) == 2


def test_a_description_outlives_its_document_where_that_is_wanted(desk):
    desk.write("a.html", page(1))
    desk.run(keep_summaries=True)
    with desk.open() as library:
        remove(library, [desk.docs], keep_summaries=True)
    desk.run(keep_summaries=True)
    assert sum(desk.asked().values()) == 1
    assert None not in desk.summaries()


def test_another_chunking_keeps_descriptions_without_asking(desk):
    desk.write("a.html", page(1))
    desk.run()
    options = IngestOptions(chunk=ChunkOptions(chunking="by_page"))
    list(ingest([desk.docs], desk.folder / "lib", options=options, settings=desk.settings()))
    assert sum(desk.asked().values()) == 1
    assert None not in desk.summaries()


def test_progress_counts_descriptions(desk):
    desk.write("a.html", page(1, 2, 3))
    desk.run()
    told = [p for p in desk.progress if p.stage == "describing"]
    assert {(p.unit, p.total) for p in told} == {("descriptions", 3)}
    assert [p.done for p in told] == sorted(p.done for p in told)


def test_llava_by_name_is_missed_before_anything_is_read(desk):
    desk.write("a.html", page(1))
    with pytest.raises(ModelUnreachableError, match="ollama serve"):
        desk.run(images="llava", ollama_host=NOBODY)
    with desk.open() as library:
        assert library.sources() == []


# Tables.


def test_tables_are_summarized_only_when_asked_and_once(desk):
    desk.write("a.html", page(table=TABLE))
    desk.run()
    assert desk.server.requests_to("/api/chat") == []
    desk.run(tables="summarized")
    desk.run(tables="summarized")
    assert len(desk.server.requests_to("/api/chat")) == 1


def test_a_tables_summary_is_one_more_vector_and_never_its_text(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "WorkerPool", InlinePool)
    with OllamaServer(script=["Zebras by pier."]) as server:
        desk = Desk(tmp_path, server)
        desk.write("a.html", page(table=TABLE))
        desk.run(tables="summarized")
        desk.run()
    with desk.open() as library:
        (source,) = library.sources()
        chunks = [library.chunk(c.chunk_id) for c in library.chunks_of(source.id)]
    (table,) = [c for c in chunks if c.kind == "table"]
    assert "North" in table.text
    assert "Zebras" not in table.text
    assert [v.name for v in table.vectors if "Zebras" in v.text] == ["summary"]


def test_tables_by_name_need_a_server(desk):
    desk.write("a.html", page(table=TABLE))
    with pytest.raises(ModelUnreachableError, match="ollama serve"):
        desk.run(tables="summarized", ollama_host=NOBODY)


# Kills.


def test_an_ingest_that_is_killed_goes_on_where_it_was(tmp_path):
    found = describe.measure(tmp_path, pictures=6, kills=1, seed=3)
    assert found.described == 6
    assert found.asked_again_though_kept == 0
    assert found.repeated <= found.kills * found.concurrency
