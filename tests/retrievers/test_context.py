import pytest

from ingest.library import Library
from ingest.types import Chunk, Hit, PageBox
from retrievers.context import SECTION, context_of, with_context
from tests.retrievers.made import element, page, paragraph, put, table, title

BOX = (72.0, 100.0, 200.0, 110.0)
LONG = "word " * 190
ROWS = "".join(f"<tr><td>Pier {n}</td><td>{n * 37} metres of oak and of larch</td></tr>" for n in range(200))


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "lib", create=True) as opened:
        yield opened


def hit(chunk: Chunk) -> Hit:
    return Hit(chunk=chunk, doc="a.pdf", path="a.pdf", score=0.5, matched="text")


def around(library: Library, source: str, index: int) -> list[int]:
    chunks = library.chunks_of(source)
    return [chunk.index for chunk in context_of(hit(chunks[index]), library)]


def test_a_short_section_is_given_whole_and_no_other(library):
    elements = [title("A"), *(paragraph(f"{n} {LONG}") for n in range(3)), title("B"), paragraph("Other.")]
    source = put(library, "a.pdf", elements)
    assert around(library, source, 1) == [0, 2]
    assert around(library, source, 3) == []


def test_of_a_long_section_the_neighbours_are_given(library):
    source = put(library, "a.pdf", [title("A"), *(paragraph(f"{n} {LONG}") for n in range(7))])
    assert sum(len(c.text) for c in library.chunks_of(source)) > SECTION
    assert around(library, source, 3) == [2, 4]
    assert around(library, source, 0) == [1]


def test_a_part_of_a_table_brings_the_other_parts(library):
    source = put(library, "a.pdf", [paragraph("Before."), table(f"<table>{ROWS}</table>"), paragraph("Behind.")])
    kinds = [chunk.kind for chunk in library.chunks_of(source)]
    first = kinds.index("table")
    assert kinds.count("table") > 1
    assert around(library, source, first) == [n for n, kind in enumerate(kinds) if kind == "table" and n != first]


def test_a_picture_brings_the_text_of_its_page(library):
    on = [PageBox(page=n, box=BOX) for n in (1, 2)]
    elements = [
        paragraph("The first page.", on[0]),
        title("Harbour"),
        paragraph("The harbour in winter.", on[1]),
        element("Image", "a crane", on[1]),
    ]
    source = put(library, "a.pdf", elements, (page(1), page(2)))
    picture = next(chunk for chunk in library.chunks_of(source) if chunk.kind == "image")
    assert [chunk.page_numbers for chunk in context_of(hit(picture), library)] == [(2,)]


def test_hits_stand_first_and_each_text_once(library):
    source = put(library, "a.pdf", [title("A"), *(paragraph(f"{n} {LONG}") for n in range(3))])
    chunks = library.chunks_of(source)
    found = with_context([hit(chunks[1]), hit(chunks[1]), hit(chunks[0])], library)
    assert [each.chunk.index for each in found] == [1, 0, 2]
    assert [each.matched for each in found] == ["text", "text", "context"]
