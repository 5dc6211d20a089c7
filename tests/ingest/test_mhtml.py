import base64
import io

import pytest
from PIL import Image

from ingest.discover import identify
from ingest.errors import BrokenError
from ingest.partition import PartitionOptions
from ingest.partition.mhtml import partition
from ingest.types import Source

HEAD = """From: <Saved by Blink>
Snapshot-Content-Location: https://x.example/a/page.html
Subject: A page
Date: Mon, 2 Sep 2024 10:00:00 -0000
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="B"

"""
PAGE = """--B
Content-Type: text/html
Content-Transfer-Encoding: quoted-printable
Content-Location: https://x.example/a/page.html

<!DOCTYPE html><html><body><nav><a href=3D"x">Home</a></nav><h1>Caf=C3=A9</h1><p>The pier is oak.</p>
<figure><img alt=3D"Pier" src=3D"../i/p.png?a=3D1&amp;b=3D2"><figcaption>The pier</figcaption></figure>
<img src=3D"cid:two"><img src=3D"https://y.example/z.png" alt=3D"Far away"></body></html>
"""


@pytest.fixture
def read(tmp_path):
    def call(text: str):
        path = tmp_path / "page.mhtml"
        path.write_bytes(text.replace("\n", "\r\n").encode())
        return partition(Source(id="s", path=path, format="mhtml", size=1), PartitionOptions())

    return call


def picture(*fields: str) -> str:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).save(out, "PNG")
    head = "\n".join(("--B", "Content-Type: image/png", "Content-Transfer-Encoding: base64", *fields))
    return f"{head}\n\n{base64.encodebytes(out.getvalue()).decode()}\n"


def test_the_page_is_read_with_the_pictures_that_were_saved_with_it(read):
    parts = picture("Content-Location: https://x.example/i/p.png?a=1&b=2") + picture("Content-ID: <two>")
    found = read(f"{HEAD}{PAGE}{parts}--B--\n")
    assert [(e.category, e.text, bool(e.image_path)) for e in found.elements] == [
        ("Title", "Café", False),
        ("NarrativeText", "The pier is oak.", False),
        ("Image", "Pier", True),
        ("FigureCaption", "The pier", False),
        ("Image", "", True),
        ("Image", "Far away", False),
    ]
    assert len(found.images) == 2


def test_a_file_without_a_page_is_broken(read):
    with pytest.raises(BrokenError, match="no page"):
        read(HEAD + picture() + "--B--\n")


def test_a_cut_file_gives_what_is_there(read):
    assert read(HEAD + PAGE).elements[0].text == "Café"


@pytest.mark.parametrize("name", ["page.mht", "page.eml", "page"])
def test_a_saved_page_is_told_by_its_content(tmp_path, name):
    (tmp_path / name).write_text(HEAD + PAGE)
    assert identify(str(tmp_path / name), max_bytes=10**6).format == "mhtml"
