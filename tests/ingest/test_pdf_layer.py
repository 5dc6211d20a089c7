"""PDFium's own reading of a page, the witness for words that LiteParse leaves out."""

from pathlib import Path

import pymupdf
import pytest

from ingest.partition import PartitionOptions, partition_text
from ingest.partition import pdf_page as module
from ingest.partition.pdf_layer import LayerWords, missed_words, open_layer
from ingest.partition.pdf_parse import parse_pages
from ingest.partition.pdf_words import page_words
from ingest.types import Source

LINES = [
    "The cooperative runs four ferry routes between the port",
    "and the islands of the sound. It was founded in 1931 by",
    "islanders who bought a steamer, and it still belongs to",
    "those who use it every day of the year, as it always did.",
]


def drawn(path: Path, *, rotation: int = 0, cropped: bool = False) -> Source:
    document = pymupdf.open()
    page = document.new_page(width=500, height=700)
    for number, line in enumerate(LINES):
        page.insert_text((72, 100 + 14 * number), line, fontsize=11)
    if cropped:
        page.set_cropbox(pymupdf.Rect(40, 50, 480, 600))
    page.set_rotation(rotation)
    document.save(path)
    return Source(id="0" * 64, path=path, format="pdf", size=path.stat().st_size)


@pytest.fixture
def forgetful(monkeypatch):
    """LiteParse as if it left out the words that a test names."""

    def forget(wanted):
        monkeypatch.setattr(module, "page_words", lambda parsed: [w for w in page_words(parsed) if not wanted(w)])

    return forget


def parse(source: Source):
    return parse_pages(source, (1,)).pages[0]


def missed(source: Source, parsed, words) -> LayerWords:
    with open_layer(source.path) as layer:
        return missed_words(layer, parsed, words)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("cropped", [False, True])
def test_a_missed_word_is_found_where_it_is_displayed(tmp_path, rotation, cropped):
    source = drawn(tmp_path / "a.pdf", rotation=rotation, cropped=cropped)
    parsed = parse(source)
    words = page_words(parsed)
    held = [w for w in words if w.text not in ("founded", "steamer,")]
    found = missed(source, parsed, held).missed
    assert sorted(w.text for w in found) == ["founded", "steamer,"]
    for word in found:
        own = next(w for w in words if w.text == word.text)
        assert word.box == pytest.approx(own.box, abs=4)
        assert word.angle == own.angle


def test_nothing_is_missed_where_liteparse_has_every_word(tmp_path):
    source = drawn(tmp_path / "a.pdf")
    parsed = parse(source)
    assert missed(source, parsed, page_words(parsed)) == LayerWords()


def test_text_that_is_drawn_twice_is_not_missed_once(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    for offset in (0, 0.5):
        for number, line in enumerate(LINES):
            page.insert_text((72 + offset, 100 + 14 * number), line, fontsize=11)
    document.save(tmp_path / "a.pdf")
    source = Source(id="0" * 64, path=tmp_path / "a.pdf", format="pdf", size=1)
    parsed = parse(source)
    once = [w for n, w in enumerate(page_words(parsed)) if w not in page_words(parsed)[:n]]
    assert missed(source, parsed, once).missed == ()


def test_invisible_text_is_not_missed(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 100), LINES[0], fontsize=11)
    page.insert_text((72, 200), LINES[1], fontsize=11, render_mode=3)
    document.save(tmp_path / "a.pdf")
    source = Source(id="0" * 64, path=tmp_path / "a.pdf", format="pdf", size=1)
    parsed = parse(source)
    seen = [w for w in page_words(parsed) if w.box[1] < 150]
    assert missed(source, parsed, seen).missed == ()


def test_a_word_that_liteparse_left_out_is_back_in_its_sentence(tmp_path, forgetful):
    forgetful(lambda w: w.text == "founded")
    result = partition_text(drawn(tmp_path / "a.pdf"), PartitionOptions())
    assert " ".join(e.text for e in result.elements) == " ".join(LINES)
    assert result.pages[0].text_kept == 1.0


def test_a_page_of_which_liteparse_left_out_the_most_is_read_anew(tmp_path, forgetful):
    forgetful(lambda w: len(w.text) > 3)
    result = partition_text(drawn(tmp_path / "a.pdf"), PartitionOptions())
    assert " ".join(e.text for e in result.elements) == " ".join(LINES)
    assert [w.text for w in result.pages[0].words] == " ".join(LINES).split()
    assert result.warnings == ()
