import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ingest.errors import BrokenError, PinciteError
from ingest.partition.bridge import (
    from_elements,
    is_verb,
    offline_unstructured,
    picture_png,
    to_elements,
    vendor_errors,
)
from ingest.types import Element, PageBox, stable_id

ROOT = Path(__file__).resolve().parents[2]

SILENT = """
import os, socket, subprocess, sys
for name in ("DO_NOT_TRACK", "SCARF_NO_ANALYTICS", "UNSTRUCTURED_DISABLE_NOTICE"):
    os.environ.pop(name, None)
tried = []
def refuse(*args, **options):
    tried.append(args)
    raise OSError("refused")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = subprocess.Popen.__init__ = refuse
from pathlib import Path
from ingest.partition import partition
from ingest.types import Source
before = "unstructured" in sys.modules
found = partition(Source(id="s", path=Path(sys.argv[1]), format=sys.argv[1].rpartition(".")[2], size=1))
print([e.category for e in found.elements], before, tried)
"""


@pytest.fixture(autouse=True)
def offline():
    offline_unstructured()


def png(size=(40, 30), mode="RGB", kind="PNG") -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 50).convert(mode).save(out, kind)
    return out.getvalue()


def test_a_first_partition_reaches_nothing_runs_nothing_and_says_nothing(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<h1>Ferries</h1><p>The ferries are leaving from the north pier every day.</p>")
    ran = subprocess.run([sys.executable, "-c", SILENT, page], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("['Title', 'NarrativeText'] False []\n", "")


def test_the_seam_for_the_language_model_is_still_there():
    from unstructured.nlp import tokenize

    assert callable(tokenize._get_nlp)
    assert tokenize._get_nlp().pipe_names == ["sentencizer", "pincite_verbs"]
    assert tokenize.sent_tokenize("One is here. Two is there.") == ["One is here.", "Two is there."]
    assert ("has", "VB") in tokenize.pos_tag("The pier has moved.")


def test_the_seam_is_set_once():
    from unstructured.nlp import tokenize

    first = tokenize._get_nlp()
    offline_unstructured()
    assert tokenize._get_nlp() is first


def test_another_release_of_unstructured_is_named(monkeypatch):
    from unstructured.nlp import tokenize

    monkeypatch.delattr(tokenize, "_get_nlp")
    with pytest.raises(PinciteError, match=r"unstructured==0\.27\.32"):
        offline_unstructured()


@pytest.mark.parametrize(
    ("word", "before", "expected"),
    [
        ("is", "", True),
        ("moor", "must", True),
        ("moored", "", True),
        ("leaving", "are", True),
        ("fishing", "", False),
        ("seaweed", "", False),
        ("pier", "the", False),
        ("the", "to", False),
    ],
)
def test_verbs_are_told_by_form_and_neighbour(word, before, expected):
    assert is_verb(word, before) is expected


def test_elements_from_unstructured_keep_what_they_know():
    from unstructured.documents.elements import ElementMetadata, FigureCaption, ListItem, PageBreak, Table, Title

    table = Table("a 1", metadata=ElementMetadata(text_as_html="<table><tr><th>a<td>1</table>", page_number=2))
    found = to_elements(
        [
            Title(" Top  level", metadata=ElementMetadata(category_depth=0)),
            PageBreak(""),
            Title("Lower", metadata=ElementMetadata(category_depth=1)),
            ListItem("item", metadata=ElementMetadata(category_depth=1)),
            FigureCaption("Table 1", metadata=ElementMetadata(parent_id=table.id)),
            table,
        ],
        "source",
    )
    top, lower, item, caption, made = found
    assert [e.category for e in found] == ["Title", "Title", "ListItem", "FigureCaption", "Table"]
    assert (top.text, top.parent_id, lower.parent_id, item.parent_id) == (
        "Top level",
        None,
        top.element_id,
        lower.element_id,
    )
    assert (item.category_depth, caption.parent_id, made.parent_id) == (1, made.element_id, lower.element_id)
    assert (made.page_number, made.text, [c.header for c in made.cells]) == (2, "a 1", [True, False])
    assert made.element_id == stable_id("source", 4, "Table", "a 1")


def test_elements_survive_the_way_to_unstructured_and_back():
    title = Element(element_id="t", category="Title", text="Top", category_depth=0, page_number=1)
    text = Element(
        element_id="n",
        category="NarrativeText",
        text="It is so.",
        page_number=1,
        boxes=(PageBox(page=1, box=(1.0, 2.0, 30.0, 40.0)),),
        parent_id="t",
        confidence=0.5,
    )
    there = from_elements([title, text], page_size=(600.0, 800.0))
    assert [(e.category, e.text, e.id, e.metadata.parent_id) for e in there] == [
        ("Title", "Top", "t", None),
        ("NarrativeText", "It is so.", "n", "t"),
    ]
    back = to_elements(there, "s")
    assert (back[1].boxes, back[1].confidence, back[1].parent_id) == (text.boxes, 0.5, back[0].element_id)


def test_code_keeps_its_lines_and_other_text_does_not():
    from unstructured.documents.elements import CodeSnippet, Text

    code, text = to_elements([CodeSnippet("  a\n    b\n"), Text("c\n  d")], "s")
    assert (code.text, text.text) == ("  a\n    b", "c d")


@pytest.mark.parametrize(("mode", "kind", "kept"), [("CMYK", "JPEG", "RGB"), ("1", "PNG", "RGB"), ("L", "PNG", "L")])
def test_a_picture_becomes_png_under_its_hash(mode, kind, kept):
    key, content = picture_png(png(mode=mode, kind=kind))
    assert key == stored_key(content)
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", kept, (40, 30))


def stored_key(content: bytes) -> str:
    import hashlib

    return f"images/{hashlib.sha256(content).hexdigest()}.png"


def test_a_transparent_palette_keeps_its_transparency():
    out = io.BytesIO()
    Image.new("P", (20, 20), 1).save(out, "GIF", transparency=1)
    with Image.open(io.BytesIO(picture_png(out.getvalue())[1])) as image:
        assert image.mode == "RGBA"
        assert image.getpixel((0, 0))[3] == 0


def test_a_large_picture_is_scaled_down():
    with Image.open(io.BytesIO(picture_png(png(size=(4000, 10)))[1])) as image:
        assert image.size == (2000, 5)


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"GIF89a", png()[:200]])
def test_what_is_no_whole_picture_gives_none(content):
    assert picture_png(content) is None


def test_a_picture_of_too_many_pixels_is_not_decoded(monkeypatch):
    content = png()
    for limit in (1000, 100):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert picture_png(content) is None


def test_every_vendor_error_class_becomes_ours():
    import docx.exceptions
    import docx.opc.exceptions
    from lxml import etree

    def below(cls):
        return {cls, *(c for sub in cls.__subclasses__() for c in below(sub))}

    vendor = below(docx.exceptions.PythonDocxError) | below(docx.opc.exceptions.OpcError) | {etree.LxmlError, KeyError}
    for cls in vendor | {ValueError, RecursionError, AttributeError}:
        with pytest.raises(BrokenError, match=r"^broken docx: '?why") as caught, vendor_errors("docx"):
            raise cls("why")
        assert isinstance(caught.value.__cause__, cls)
