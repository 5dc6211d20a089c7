"""The bridge to unstructured: made to work offline and silent, its classes to ours and back, its errors to ours.

The partitioners of office files, web pages and texts share what stands here: they call unstructured's
``partition_*`` functions and hand over what these return.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from ingest.errors import BrokenError, PinciteError
from ingest.images import stored_png
from ingest.partition.headings import nest_under_headings
from ingest.tables import cells_to_html, html_to_cells, table_text
from ingest.types import BoundingBox, Cell, Element, PageBox, stable_id, union_box

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from unstructured.documents.elements import CoordinatesMetadata
    from unstructured.documents.elements import Element as UnstructuredElement

OPT_OUT = ("DO_NOT_TRACK", "SCARF_NO_ANALYTICS", "UNSTRUCTURED_DISABLE_NOTICE")
_PICTURE_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_CAPTIONS = ("FigureCaption", "Caption")

# The verbs that unstructured's check for a sentence meets most: all forms that the endings below do not tell.
_VERBS = frozenset(
    {"am", "is", "are", "was", "were", "be", "been", "has", "have", "had", "do", "does", "did", "done", "'s", "'re"}
    | {"'m", "'ve", "n't", "go", "goes", "went", "gone", "get", "gets", "got", "give", "gives", "gave", "given", "take"}
    | {"takes", "took", "taken", "make", "makes", "made", "say", "says", "said", "see", "sees", "saw", "seen", "know"}
    | {"knows", "knew", "known", "come", "comes", "came", "become", "becomes", "became", "find", "finds", "found"}
    | {"think", "thinks", "thought", "tell", "tells", "told", "ask", "asks", "keep", "keeps", "kept", "let", "lets"}
    | {"begin", "begins", "began", "begun", "bring", "brings", "brought", "buy", "buys", "bought", "pay", "pays"}
    | {"paid", "send", "sends", "sent", "sell", "sells", "sold", "hold", "holds", "held", "lead", "leads", "led"}
    | {"leave", "leaves", "left", "lose", "loses", "lost", "meet", "meets", "met", "put", "puts", "read", "reads"}
    | {"run", "runs", "ran", "set", "sets", "show", "shows", "shown", "speak", "speaks", "spoke", "spoken", "stand"}
    | {"stands", "stood", "understand", "understands", "understood", "write", "writes", "wrote", "written", "win"}
    | {"wins", "won", "grow", "grows", "grew", "grown", "fall", "falls", "fell", "fallen", "rise", "rises", "rose"}
    | {"risen", "build", "builds", "built", "choose", "chose", "chosen", "spend", "spends", "spent", "use", "uses"}
    | {"need", "needs", "want", "wants", "include", "includes", "contain", "contains", "provide", "provides", "allow"}
    | {"allows", "require", "requires", "remain", "remains", "follow", "follows", "seem", "seems", "appear", "appears"}
    | {"apply", "applies", "mean", "means", "depend", "depends", "consist", "consists", "describe", "describes"}
    | {"explain", "explains", "increase", "increases", "decrease", "decreases", "add", "adds", "remove", "removes"}
    | {"receive", "receives", "return", "returns", "call", "calls", "click", "open", "opens", "press", "select"}
    | {"enter", "install", "work", "works", "live", "lives", "begins", "start", "starts", "stop", "stops", "belong"}
    | {"belongs", "exist", "exists", "occur", "occurs", "cause", "causes", "ensure", "ensures", "support", "supports"}
)
_BEFORE_VERBS = frozenset(
    {"to", "can", "could", "will", "would", "shall", "should", "may", "might", "must", "cannot", "please", "'ll", "'d"}
)
_ARTICLES = frozenset({"the", "a", "an", "this", "that", "these", "those", "its", "his", "her", "their", "our", "your"})
_BEFORE_ING = frozenset(
    {"am", "is", "are", "was", "were", "be", "been", "'s", "'re", "'m", "not", "by", "while", "when", "after", "before"}
    | {"without", "keep", "keeps", "kept", "start", "starts", "started", "stop", "stops", "stopped"}
)


# Offline and silent.


def offline_unstructured() -> None:
    """Make unstructured work without a network and without a word to anybody; calling it again does nothing.

    Raises:
        PinciteError: this unstructured is not the pinned release.
    """
    # Only the settings read the environment; but this vendor takes its opt-out from nowhere else, and its import
    # alone runs a program and sends a request: so the variables are written here, before that import.
    os.environ.update(dict.fromkeys(OPT_OUT, "1"))
    from unstructured.nlp import tokenize

    if not hasattr(tokenize, "_get_nlp"):
        raise PinciteError("this release of unstructured is not the pinned one: pip install unstructured==0.27.32")
    # The one seam before it fetches a language model.
    tokenize._get_nlp = _offline_nlp  # noqa: SLF001


@cache
def _offline_nlp() -> Language:
    """English words and sentences by rule, and a tag for verbs, which is all that unstructured asks for."""
    import spacy
    from spacy.language import Language

    Language.component("pincite_verbs", func=_tag_verbs)
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("pincite_verbs")
    return nlp


def _tag_verbs(doc: Doc) -> Doc:
    before = ""
    for token in doc:
        word = token.lower_
        token.tag_ = "VB" if is_verb(word, before) else "NN"
        before = word
    return doc


def is_verb(word: str, before: str = "") -> bool:
    """Whether a lower-case English word is likely a verb, by itself or after the word ``before`` it."""
    if word in _VERBS or (before in _BEFORE_VERBS and word.isalpha() and word not in _ARTICLES):
        return True
    if word.endswith("ing"):
        # Alone it is as often a noun: "Fishing berths".
        return before in _BEFORE_ING
    return len(word) > 4 and word.endswith(("ed", "ize", "izes", "ify", "ifies")) and not word.endswith("eed")


# Elements.


def to_elements(
    unstructured_elements: Iterable[UnstructuredElement],
    source_id: str,
    cells: Mapping[str, tuple[Cell, ...]] = MappingProxyType({}),
) -> tuple[Element, ...]:
    """Our elements of unstructured's, in order, without those that hold nothing, such as page breaks.

    The ids depend on the source, the position, the category and the text. Captions keep the parent that they have
    among the elements; all others stand under the heading above. ``cells`` are those of tables by unstructured's
    element id; where there are none, they are read from the table's HTML.
    """
    kept = [e for e in unstructured_elements if _holds_something(e)]
    made = [_to_element(e, cells.get(e.id)) for e in kept]
    made = [replace(e, element_id=stable_id(source_id, i, e.category, e.text)) for i, e in enumerate(made)]
    ids = {old.id: new.element_id for old, new in zip(kept, made, strict=True)}
    owners = [ids.get(e.metadata.parent_id or "") if e.category in _CAPTIONS else None for e in kept]
    return tuple(nest_under_headings(replace(e, parent_id=o) for e, o in zip(made, owners, strict=True)))


def _holds_something(element: UnstructuredElement) -> bool:
    return element.category != "PageBreak" and (bool(element.text.strip()) or element.category in ("Table", "Image"))


def _to_element(element: UnstructuredElement, cells: tuple[Cell, ...] | None) -> Element:
    data = element.metadata
    category = "FigureCaption" if element.category in _CAPTIONS else element.category
    cells = html_to_cells(data.text_as_html or "") if cells is None else cells
    text = table_text(cells) if cells else _plain(element.text, category)
    return Element(
        element_id=element.id,
        category=category,
        text=text,
        page_number=data.page_number,
        boxes=_boxes(data.coordinates, data.page_number),
        category_depth=_depth(data.category_depth, category),
        text_as_html=cells_to_html(cells) if cells else None,
        image_path=data.image_path,
        confidence=data.detection_class_prob,
        cells=cells,
    )


def _depth(depth: int | None, category: str) -> int | None:
    if category == "Title":
        return depth or 0
    return depth if category == "ListItem" else None


def _plain(text: str, category: str) -> str:
    return text.rstrip() if category == "CodeSnippet" else " ".join(text.split())


def _boxes(coordinates: CoordinatesMetadata | None, page: int | None) -> tuple[PageBox, ...]:
    if coordinates is None or not coordinates.points or page is None:
        return ()
    xs, ys = zip(*coordinates.points, strict=True)
    return (PageBox(page=page, box=(min(xs), min(ys), max(xs), max(ys))),)


def from_elements(
    elements: Sequence[Element], page_size: tuple[float, float] = (0.0, 0.0)
) -> list[UnstructuredElement]:
    """Unstructured's elements of ours, with the same ids; ``page_size`` is in points.

    Unstructured knows one box an element: the union of those on the element's page. Its point space counts from
    the bottom left, ours from the top left, so the boxes stand in its pixel space at 72 dots an inch.
    """
    offline_unstructured()
    return [_from_element(element, page_size) for element in elements]


def _from_element(element: Element, page_size: tuple[float, float]) -> UnstructuredElement:
    from unstructured.documents.elements import TYPE_TO_TEXT_ELEMENT_MAP, ElementMetadata, Text

    made = TYPE_TO_TEXT_ELEMENT_MAP.get(element.category, Text)
    metadata = ElementMetadata(
        category_depth=element.category_depth,
        coordinates=_coordinates(element, page_size),
        detection_class_prob=element.confidence,
        image_path=element.image_path,
        page_number=element.page_number,
        parent_id=element.parent_id,
        text_as_html=element.text_as_html,
    )
    return made(element.text, element_id=element.element_id, metadata=metadata)


def _coordinates(element: Element, page_size: tuple[float, float]) -> CoordinatesMetadata | None:
    from unstructured.documents.coordinates import PixelSpace
    from unstructured.documents.elements import CoordinatesMetadata

    boxes: list[BoundingBox] = [b.box for b in element.boxes if b.page == element.page_number]
    if not boxes:
        return None
    x0, y0, x1, y1 = union_box(boxes)
    return CoordinatesMetadata(points=((x0, y0), (x0, y1), (x1, y1), (x1, y0)), system=PixelSpace(*page_size))


# Pictures.


def picture_png(content: bytes) -> tuple[str, bytes] | None:
    """A picture's key ``images/<sha256>.png`` and PNG bytes; nothing of a type that is not read or one too large.

    The size is checked before a pixel is decoded.
    """
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=_PICTURE_FORMATS) as picture:
                upright = ImageOps.exif_transpose(picture)
                return stored_png(upright.convert("RGBA") if upright.has_transparency_data else upright)
        except (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombWarning):
            return None
        except Image.DecompressionBombError:
            return None


# Errors.


@contextmanager
def vendor_errors(what: str) -> Iterator[None]:
    """Within it, whatever unstructured, python-docx or lxml raise at a damaged file becomes a ``BrokenError``.

    They meet damage as it comes, so their own error classes are few and the built-in ones are many.
    """
    from docx.exceptions import PythonDocxError
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError  # type: ignore[import-untyped]

    try:
        yield
    except (*_VENDOR_ERRORS, PythonDocxError, OpcError, LxmlError) as exc:
        raise BrokenError(f"broken {what}: {' '.join(str(exc).split()) or type(exc).__name__}") from exc


_VENDOR_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    AttributeError,
    TypeError,
    AssertionError,
    RuntimeError,
    EOFError,
)
"""What reading a damaged file raises besides the vendors' own classes; ``RuntimeError`` is also a too deep nesting."""
