"""What pictures show: text in them by OCR, and a summary by LLaVA on Ollama where it is to be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ingest.errors import ModelError, ModelMissingError, ModelUnreachableError
from ingest.images import png_size
from ingest.models import Ollama
from ingest.settings import Settings
from ingest.surroundings import nearby_text, read_surroundings
from ingest.types import BoundingBox, Element, Page, Partition, Word, stable_id

if TYPE_CHECKING:
    from ingest.ocr import OcrLine
    from ingest.partition import ImageMode

PROMPT_VERSION = "1"
"""Counts changes of the prompt; a summary of another version is made again."""
FEW_CHARACTERS = 20
"""A picture whose text layer has less than this is read by OCR."""
PROMPT = """Describe this picture from a document so that it can be found and understood without seeing it.
Say what type it is (photo, chart, diagram, map, screenshot, table), its subject, and any text that is visible in it.
For a chart name the axes with their units, the series, the trend, and the values that can be read.
State only what the picture shows. Write at most 120 words of plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of a document, and what the document says of it."""

    element: Element
    image_path: str
    caption: str
    context: str


class Summarizer(Protocol):
    """The seat of a model that describes pictures."""

    @property
    def key(self) -> str:
        """Changes when the same picture would be described otherwise."""
        ...

    def summarize(self, picture: Picture, png: bytes) -> str:
        """What the picture shows, in a few sentences.

        Raises:
            ModelError: the model failed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaSummarizer:
    """A vision model on an Ollama server; ``digest`` names its exact weights."""

    client: Ollama
    model: str
    digest: str

    @property
    def key(self) -> str:
        """Depends on the model's weights and on the prompt."""
        return f"{self.model}@{self.digest}:{PROMPT_VERSION}"

    def summarize(self, picture: Picture, png: bytes) -> str:
        """The model's description; caption and context stand in its prompt."""
        return " ".join(self.client.describe(self.model, prompt_for(picture), png).split())


def choose_summarizer(settings: Settings, mode: ImageMode) -> Summarizer | None:
    """The configured vision model where Ollama answers and has it; ``None`` for OCR alone.

    Raises:
        ModelError: ``mode`` asks for the model and it is not to be had.
    """
    if mode in ("ocr", "off"):
        return None
    client = Ollama(host=settings.ollama_host, timeout=settings.timeout)
    wanted = mode == "llava"
    if client.version() is None:
        if wanted:
            raise ModelUnreachableError(f"no Ollama server answers at {settings.ollama_host}: start `ollama serve`")
        return None
    try:
        digest = client.digest(settings.vision_model)
    except ModelError:
        if wanted:
            raise
        return None
    if digest is None and wanted:
        model = settings.vision_model
        raise ModelMissingError(f"Ollama has no {model}: run `ollama pull {model}`")
    return OllamaSummarizer(client=client, model=settings.vision_model, digest=digest) if digest is not None else None


def prompt_for(picture: Picture) -> str:
    """The prompt, with what the document says; that is marked as data."""
    said = [PROMPT]
    if picture.caption:
        said.append(f"Caption: {picture.caption}")
    if picture.context:
        said.append(f"Text near the picture (may or may not be about it): {picture.context}")
    return "\n\n".join(said)


def summary_key(summarizer: Summarizer, image_path: str) -> str:
    """Under which a summary is cached: the picture's bytes, the model and the prompt."""
    return stable_id(summarizer.key, image_path)


def pictures(partition: Partition) -> Iterator[Picture]:
    """The pictures of a partition that have a crop."""
    surroundings = read_surroundings(partition.elements)
    titles = {e.element_id: e.text for e in partition.elements if e.category == "Title"}
    captions = {e.parent_id: e.text for e in partition.elements if e.category == "FigureCaption"}
    for place, element in enumerate(partition.elements):
        if element.category == "Image" and element.image_path:
            caption = captions.get(element.element_id, "")
            near = nearby_text(surroundings, place, caption)
            title = titles.get(element.parent_id or "", "")
            context = "\n".join(part for part in (title, near) if part)
            yield Picture(element=element, image_path=element.image_path, caption=caption, context=context)


def unread_pictures(partition: Partition) -> list[Picture]:
    """The pictures whose text, if they have any, is not in the text layer."""
    return [p for p in pictures(partition) if len(p.element.text) < FEW_CHARACTERS and p.element.confidence is None]


def with_readings(partition: Partition, readings: Mapping[str, Sequence[OcrLine]]) -> Partition:
    """The partition with recognised lines (by image path, in pixels) as the texts of its pictures.

    Their words join the words of their pages, so that a quote from a picture has boxes.
    """
    elements: list[Element] = []
    words: dict[int, list[Word]] = {}
    for element in partition.elements:
        lines = readings.get(element.image_path or "", ())
        if not lines or element.category != "Image":
            elements.append(element)
            continue
        text = "\n".join(dict.fromkeys(t for t in (element.text, *(line.text for line in lines)) if t))
        confidence = round(sum(line.confidence for line in lines) / len(lines), 3)
        elements.append(replace(element, text=text, confidence=confidence))
        png = partition.images.get(element.image_path or "")
        if png is not None and element.boxes and element.page_number is not None:
            words.setdefault(element.page_number, []).extend(_on_page(lines, element.boxes[0].box, png_size(png)))
    pages = tuple(_with_words(page, words.get(page.page, ())) for page in partition.pages)
    return replace(partition, elements=tuple(elements), pages=pages)


def _on_page(lines: Sequence[OcrLine], area: BoundingBox, size: tuple[int, int]) -> Iterator[Word]:
    """Words in the pixels of a picture of this size as words in points of the page, where it fills ``area``."""
    across, down = (area[2] - area[0]) / size[0], (area[3] - area[1]) / size[1]
    for line in lines:
        for word in line.words:
            x0, y0, x1, y1 = word.box
            box = area[0] + x0 * across, area[1] + y0 * down, area[0] + x1 * across, area[1] + y1 * down
            yield Word(word.text, box)


def _with_words(page: Page, words: Sequence[Word]) -> Page:
    # A page that stores no words, such as a slide, has its quotes found in its elements' texts.
    return replace(page, words=(*page.words, *words)) if words and page.words else page


def with_summaries(partition: Partition, summaries: Mapping[str, str]) -> Partition:
    """The partition with summaries (by image path) in its pictures."""
    elements = (
        replace(e, summary=summaries.get(e.image_path or "", e.summary)) if e.category == "Image" else e
        for e in partition.elements
    )
    return replace(partition, elements=tuple(elements))
