"""What pictures show: which model is asked, what it is told, and where its words and those of OCR end up."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from ingest import summarize
from ingest.chunk import ChunkOptions, chunk
from ingest.errors import ModelMissingError, ModelTimeoutError, ModelUnreachableError
from ingest.images import stored_png
from ingest.models import Ollama
from ingest.ocr import OcrLine
from ingest.settings import Settings
from ingest.summarize import (
    OllamaSummarizer,
    Picture,
    choose_summarizer,
    pictures,
    prompt_for,
    summary_key,
    unread_pictures,
    with_readings,
    with_summaries,
)
from ingest.types import Element, Page, PageBox, Partition, Word
from tests.ollama_server import OllamaServer, models_named

NOBODY = "http://127.0.0.1:9"
AREA = (100.0, 200.0, 300.0, 350.0)
"""Where the picture stands on its page, in points."""
KEY, PNG = stored_png(Image.linear_gradient("L").resize((400, 300)))


def element(category: str, text: str, **fields) -> Element:
    fields.setdefault("element_id", text[:20] or category)
    fields.setdefault("boxes", (PageBox(page=1, box=AREA),))
    return Element(category=category, text=text, page_number=1, **fields)


def document(**image) -> Partition:
    """A page with one picture, its caption, and the text around."""
    shown = element("Image", image.pop("text", ""), element_id="picture", parent_id="head", image_path=KEY, **image)
    return Partition(
        elements=(
            element("Title", "Fuel", element_id="head"),
            element("NarrativeText", "Ships burnt less diesel in every quarter."),
            shown,
            element("FigureCaption", "Figure 2: Diesel by quarter", parent_id="picture"),
            element("NarrativeText", "Prices are in another chapter."),
        ),
        pages=(Page(page=1, width=595.0, height=842.0, words=(Word("Fuel", (72.0, 80.0, 100.0, 95.0)),)),),
        images={KEY: PNG},
    )


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with OllamaServer() as running:
        yield running


# --- which model --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["ocr", "off"])
def test_no_server_is_asked_where_no_model_is_wanted(server, mode):
    assert choose_summarizer(Settings(ollama_host=server.url), mode) is None
    assert server.requests == []


@pytest.mark.parametrize("mode", ["auto", "llava"])
def test_the_vision_model_is_taken_where_the_server_has_it(server, mode):
    assert choose_summarizer(Settings(ollama_host=server.url), mode) is not None


def test_auto_goes_on_without_a_server_and_without_the_model():
    assert choose_summarizer(Settings(ollama_host=NOBODY), "auto") is None
    with OllamaServer(models_named("llama3")) as server:
        assert choose_summarizer(Settings(ollama_host=server.url), "auto") is None
    with OllamaServer(faults={"/api/tags": ["garbage"]}) as server:
        assert choose_summarizer(Settings(ollama_host=server.url), "auto") is None


def test_llava_insists_on_a_server_and_on_the_model():
    with pytest.raises(ModelUnreachableError, match="ollama serve"):
        choose_summarizer(Settings(ollama_host=NOBODY), "llava")
    with OllamaServer(models_named("llama3")) as server, pytest.raises(ModelMissingError, match="ollama pull llava"):
        choose_summarizer(Settings(ollama_host=server.url), "llava")


# --- what it is told ----------------------------------------------------------------------------


def test_the_prompt_holds_the_caption_and_what_stands_around():
    (picture,) = pictures(document())
    prompt = prompt_for(picture)
    assert prompt.startswith(summarize.PROMPT)
    assert "Caption: <<< Figure 2: Diesel by quarter >>>" in prompt
    assert "Ships burnt less diesel in every quarter." in prompt
    assert "Fuel" in prompt


def test_a_picture_without_caption_or_text_has_the_bare_prompt():
    alone = Picture(element=element("Image", ""), image_path=KEY, caption="", context="")
    assert prompt_for(alone) == summarize.PROMPT


def test_the_pictures_bytes_reach_the_server_and_its_words_come_back(server):
    (picture,) = pictures(document())
    summarizer = choose_summarizer(Settings(ollama_host=server.url), "llava")
    assert summarizer is not None
    said = summarizer.summarize(picture, PNG)
    (request,) = server.requests_to("/api/generate")
    assert request.images == [PNG]
    assert request.body["model"] == "llava"
    mark = hashlib.sha256(PNG).hexdigest()[:12]
    assert said == f"A figure with the mark {mark}, captioned Figure 2: Diesel by quarter."


def test_a_silent_model_is_a_timeout():
    with OllamaServer(faults={"/api/generate": ["slow"]}) as server:
        summarizer = OllamaSummarizer(client=Ollama(host=server.url, timeout=0.2, retries=0), model="llava", digest="d")
        (picture,) = pictures(document())
        with pytest.raises(ModelTimeoutError):
            summarizer.summarize(picture, PNG)


def test_a_summary_is_made_again_for_other_weights_another_prompt_or_another_picture(monkeypatch):
    client = Ollama(host=NOBODY)
    first = OllamaSummarizer(client=client, model="llava", digest="one")
    known = summary_key(first, KEY)
    assert summary_key(OllamaSummarizer(client=client, model="llava", digest="one"), KEY) == known
    assert summary_key(replace(first, digest="two"), KEY) != known
    assert summary_key(replace(first, model="bakllava"), KEY) != known
    assert summary_key(first, "images/other.png") != known
    monkeypatch.setattr(summarize, "PROMPT_VERSION", "next")
    assert summary_key(first, KEY) != known


def test_the_digest_in_the_key_is_the_servers(server):
    summarizer = choose_summarizer(Settings(ollama_host=server.url), "auto")
    assert summarizer is not None
    assert server.models["llava:latest"] in summarizer.key


# --- text in pictures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "unread"),
    [
        ({}, True),
        ({"text": "Q1 Q2"}, True),
        ({"text": "Passengers in thousands by quarter"}, False),
        ({"text": "", "confidence": 0.0}, False),
        ({"text": "Q1", "confidence": 0.9}, False),
    ],
)
def test_a_picture_is_read_by_ocr_unless_its_text_is_known(fields, unread):
    assert bool(unread_pictures(document(**fields))) is unread


def test_an_image_without_a_crop_is_no_picture():
    without = replace(document(), elements=tuple(replace(e, image_path=None) for e in document().elements))
    assert list(pictures(without)) == []


def line(text: str, *words: Word, confidence: float = 0.9) -> OcrLine:
    return OcrLine(text=text, box=words[0].box, confidence=confidence, words=words)


READING = [
    line(
        "1,060 840", Word("1,060", (0.0, 0.0, 100.0, 30.0)), Word("840", (300.0, 270.0, 400.0, 300.0)), confidence=0.8
    ),
    line("Q1", Word("Q1", (200.0, 150.0, 220.0, 180.0)), confidence=1.0),
]
"""Words at the corners and in the middle of the picture of 400 by 300 pixels."""


def test_recognised_lines_become_the_pictures_text():
    read = with_readings(document(text="Diesel"), {KEY: READING})
    (image,) = [e for e in read.elements if e.category == "Image"]
    assert image.text == "Diesel\n1,060 840\nQ1"
    assert image.confidence == 0.9
    assert [e for e in read.elements if e.category != "Image"] == [
        e for e in document().elements if e.category != "Image"
    ]


def test_recognised_words_stand_on_the_page_in_points():
    (page,) = with_readings(document(), {KEY: READING}).pages
    assert page.words[0].text == "Fuel"
    placed = {w.text: w.box for w in page.words[1:]}
    assert placed["1,060"] == pytest.approx((100, 200, 150, 215))
    assert placed["840"] == pytest.approx((250, 335, 300, 350))
    assert placed["Q1"] == pytest.approx((200, 275, 210, 290))


def test_a_picture_stored_smaller_than_drawn_places_its_words_all_the_same():
    out = io.BytesIO()
    Image.new("RGB", (200, 150), "red").save(out, "PNG")
    small = replace(document(), images={KEY: out.getvalue()})
    (page,) = with_readings(small, {KEY: [line("Q1", Word("Q1", (100.0, 75.0, 200.0, 150.0)))]}).pages
    assert page.words[1].box == pytest.approx((200, 275, 300, 350))


def test_a_page_that_stores_no_words_gets_none():
    slide = replace(document(), pages=(Page(page=1, width=720.0, height=540.0),))
    read = with_readings(slide, {KEY: READING})
    assert read.pages[0].words == ()
    assert "1,060" in read.elements[2].text


def test_nothing_recognised_changes_nothing():
    assert with_readings(document(), {KEY: []}) == document()


# --- summaries ----------------------------------------------------------------------------------

SHOWN = "A bar chart of zebras whose colours fade towards the autumn."


def test_a_summary_is_found_by_and_never_quoted():
    partition = with_summaries(document(text="1,060 840"), {KEY: SHOWN})
    chunks = chunk(partition, "source", ChunkOptions())
    (image,) = [c for c in chunks if c.kind == "image"]
    assert any(SHOWN in vector.text for vector in image.vectors)
    assert not any("zebras" in c.text for c in chunks)
    assert "1,060 840" in image.text
    assert image.image_path == KEY


def test_a_picture_without_a_summary_has_no_vector_of_one():
    before = [c for c in chunk(document(text="1,060"), "source", ChunkOptions()) if c.kind == "image"]
    assert not any("zebras" in v.text for c in before for v in c.vectors)
    assert with_summaries(document(), {"images/other.png": SHOWN}) == document()
