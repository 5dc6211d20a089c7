from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.library import Library
from ingest.types import Cell, CellRef, Chunk, Element, Hit, Page, PageBox, Word
from retrievers.citations import Place, cite, find_words, fold, line_boxes, locate, parse_citation_id
from tests.retrievers.made import box_of, element, lay_out, page, paragraph, put, table, title, with_cells

# --- folding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page_text", "quote"),
    [
        ("the \ufb01rst o\ufb03ce", "the first office"),
        ("mes-\nsages", "messages"),
        ("mes\u00adsages", "messages"),
        ("mes\ufffesages", "messages"),
        ("well-known", "wellknown"),
        ("\u201cGo,\u201d he said \u2018now\u2019", "\"Go,\" he said 'now'"),
        ("Halvane\u2013Brackholm", "Halvane-Brackholm"),
        ("5\u2033 and \u2116 7", '5" and No 7'),
        ("\uff21\uff22 \u2460", "AB 1"),
        ("10\u00a0m\u00b2", "10 m2"),
        ("caf\u00e9", "cafe\u0301"),
        ("2019\u20132020", "2019-2020"),
    ],
)
def test_a_quote_and_its_page_fold_to_the_same(page_text, quote):
    assert fold(page_text) == fold(quote)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a loss of -5", "a loss of 5"), ("2019-2020", "20192020"), ("Go", "go"), ("1.5", "15"), ("a, b", "a b")],
)
def test_what_changes_the_meaning_is_not_folded(one, other):
    assert fold(one) != fold(other)


@given(st.text(max_size=30))
def test_folding_twice_is_folding_once_and_leaves_no_spaces(text):
    once = fold(text)
    assert fold(once) == once
    assert not any(ch.isspace() for ch in once)


# --- words --------------------------------------------------------------------------------------


def found(lines: list[str], quote: str) -> list[str]:
    return [word.text for word in find_words(lay_out(*lines), fold(quote))]


def test_words_are_found_across_line_breaks_and_hyphens():
    lines = ["Letters and mes-", "sages came (1,046", "of them)."]
    assert found(lines, "and messages came") == ["and", "mes-", "sages", "came"]
    assert found(lines, "1,046 of them") == ["(1,046", "of", "them)."]


@pytest.mark.parametrize("quote", ["6 cars", "12 cars", "cars in", "art", "4 ferries", "nothing", "", " "])
def test_parts_of_words_and_numbers_are_not_found(quote):
    assert found(["The 26 cars; 112 carsinogens, a cart and 1.4 ferries"], quote) == (
        ["26", "cars;"] if quote == "26 cars" else []
    )


def test_whole_words_are_preferred_to_parts_that_stand_before():
    words = lay_out("3Go on", "Go on")
    assert find_words(words, "Goon") == list(words[2:])
    assert find_words(words[:2], "Goon") == list(words[:2])


def test_scripts_without_spaces_are_found_within_their_runs():
    assert found(["渡輪每天八點開船。"], "每天八點") == ["渡輪每天八點開船。"]


@given(st.lists(st.text(alphabet="abé1. ﬁ", min_size=1, max_size=6), min_size=1, max_size=12), st.data())
def test_any_run_of_whole_words_is_found(texts, data):
    words = [Word(text, (n, 0, n + 1, 1)) for n, text in enumerate(texts)]
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    wanted = fold(" ".join(texts[start:end]))
    run = find_words(words, wanted)
    assert fold("".join(word.text for word in run)) == wanted


def test_each_line_of_a_quote_has_a_box():
    words = lay_out("first line of it", "second line")
    assert line_boxes(words[2:], 3) == (
        PageBox(page=3, box=box_of(*words[2:4])),
        PageBox(page=3, box=box_of(*words[4:])),
    )


def test_a_quote_that_goes_on_in_the_next_column_has_a_box_in_each():
    left, right = lay_out("end of the", "left one", y=700), lay_out("and the right", x=320)
    assert [b.box for b in line_boxes((*left[3:], *right), 1)] == [box_of(*left[3:]), box_of(*right)]


# --- places in documents ------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "lib", create=True) as opened:
        yield opened


def only_chunk(library: Library, source_id: str) -> Chunk:
    (chunk,) = library.chunks_of(source_id)
    return chunk


def place_of(library: Library, chunk: Chunk, quote: str, nth: int = 0) -> Place:
    """The place of the ``nth`` occurrence of a quote in a chunk."""
    start = -1
    for _ in range(nth + 1):
        start = chunk.text.index(quote, start + 1)
    citation = cite(library, hit_of(chunk), start, start + len(quote), 1)
    assert citation.quote == quote
    return Place(page=citation.page, boxes=citation.boxes, verified=citation.verified)


def hit_of(chunk: Chunk) -> Hit:
    return Hit(chunk=chunk, doc="a.pdf", path="docs/a.pdf", score=1.0, matched="text")


def one_page(library: Library, text: str, *lines: str) -> tuple[Chunk, tuple[Word, ...]]:
    words = lay_out(*lines)
    box = PageBox(page=1, box=box_of(*words))
    return only_chunk(library, put(library, "a.pdf", [paragraph(text, box)], [page(1, *words)])), words


def test_a_quote_is_verified_with_a_box_a_line(library):
    chunk, words = one_page(library, "Fares rose twice in one year.", "Fares rose twice", "in one year.")
    assert place_of(library, chunk, "twice in one") == Place(
        page=1,
        boxes=(PageBox(page=1, box=words[2].box), PageBox(page=1, box=box_of(*words[3:5]))),
        verified=True,
    )


def test_a_quote_that_the_page_does_not_have_is_not_verified(library):
    chunk, _ = one_page(library, "Fares fell in one year.", "Fares rose", "in one year.")
    assert place_of(library, chunk, "Fares fell") == Place(page=1, boxes=chunk.boxes, verified=False)
    assert place_of(library, chunk, "in one year.").verified


def test_equal_quotes_of_a_chunk_each_have_their_own_place(library):
    chunk, words = one_page(library, "No dogs. Of cats: No dogs.", "No dogs. Of cats:", "No dogs.")
    assert place_of(library, chunk, "No dogs.").boxes[0].box == box_of(*words[:2])
    assert place_of(library, chunk, "No dogs.", nth=1).boxes[0].box == box_of(*words[4:])


def test_of_equal_texts_the_one_inside_the_chunks_boxes_is_cited(library):
    above, own = lay_out("Total 12", y=50), lay_out("Total 12", y=400)
    chunk = only_chunk(
        library,
        put(library, "a.pdf", [paragraph("Total 12", PageBox(page=1, box=box_of(*own)))], [page(1, *above, *own)]),
    )
    assert place_of(library, chunk, "Total 12").boxes[0].box == box_of(*own)


def test_words_in_the_order_of_lines_are_read_down_the_columns(library):
    left, right = lay_out("The pier was", "closed for", y=300), lay_out("two weeks", "in May.", x=320, y=300)
    by_line = sorted((*left, *right), key=lambda word: (word.box[1], word.box[0]))
    text = "The pier was closed for two weeks in May."
    source = put(library, "a.pdf", [paragraph(text, PageBox(page=1, box=box_of(*by_line)))], [page(1, *by_line)])
    place = place_of(library, only_chunk(library, source), "closed for two weeks")
    assert place.verified
    assert [b.box for b in place.boxes] == [box_of(*left[3:]), box_of(*right[:2])]


def test_a_text_read_to_and_fro_between_columns_is_not_verified_even_in_content_order(library):
    left, right = lay_out("The pier was", "closed for"), lay_out("two weeks", "in May.", x=320)
    by_line = (*left[:3], *right[:2], *left[3:], *right[2:])
    box = PageBox(page=1, box=box_of(*by_line))
    text = "The pier was two weeks closed for in May."
    chunk = only_chunk(library, put(library, "a.pdf", [paragraph(text, box)], [page(1, *by_line)]))
    assert not place_of(library, chunk, "The pier was two weeks closed for").verified
    assert place_of(library, chunk, "The pier was").verified


def test_a_list_with_its_marks_is_verified(library):
    words = lay_out("1.    All tickets sold", "2.    No dogs on board")
    box = PageBox(page=1, box=box_of(*words))
    text = "1. All tickets sold 2. No dogs on board"
    chunk = only_chunk(library, put(library, "a.pdf", [paragraph(text, box)], [page(1, *words)]))
    assert place_of(library, chunk, text).verified


def test_a_quote_across_a_page_break_is_cited_on_the_page_that_holds_most_of_it(library):
    foot, page_number = lay_out("Fares rose", y=780), lay_out("17", y=820)
    head, top = lay_out("Annual report", y=20), lay_out("by a tenth in May.", y=60)
    parts = [
        paragraph("Fares rose", PageBox(page=4, box=box_of(*foot))),
        paragraph("by a tenth in May.", PageBox(page=5, box=box_of(*top))),
    ]
    source = put(library, "a.pdf", parts, [page(4, *foot, *page_number), page(5, *head, *top)])
    chunk = only_chunk(library, source)
    citation = cite(library, hit_of(chunk), 0, len(chunk.text), 1)
    assert (citation.page, citation.verified) == (5, True)
    assert citation.boxes == (PageBox(page=4, box=box_of(*foot)), PageBox(page=5, box=box_of(*top)))
    assert citation.box == box_of(*top)


def test_a_citation_names_what_it_cites(library):
    title_words, words = lay_out("Fares"), lay_out("They rose.", y=130)
    parts = [
        replace(title("Fares"), page_number=2, boxes=(PageBox(page=2, box=box_of(*title_words)),)),
        paragraph("They rose.", PageBox(page=2, box=box_of(*words))),
    ]
    chunk = only_chunk(library, put(library, "a.pdf", parts, [page(2, *title_words, *words)]))
    start = chunk.text.index("They")
    citation = cite(library, hit_of(chunk), start, len(chunk.text), 3, cell=CellRef(row=1, column=2))
    assert (citation.number, citation.doc, citation.path, citation.kind) == (3, "a.pdf", "docs/a.pdf", "text")
    assert (citation.title_path, citation.cell) == (("Fares",), CellRef(row=1, column=2))
    assert parse_citation_id(citation.citation_id) == (chunk.chunk_id, start, len(chunk.text))


@pytest.mark.parametrize("wanted", ["abc", "abc-1", "abc-1-x", "abc-1-2.0", "", "-"])
def test_other_ids_are_no_citation_ids(wanted):
    assert parse_citation_id(wanted) is None


def test_a_chunk_id_with_hyphens_survives_in_a_citation_id():
    assert parse_citation_id("a-b-3-14") == ("a-b", 3, 14)


# --- tables and documents without words ---------------------------------------------------------


def drawn_table(*, lost_word: bool = False) -> tuple[Element, Page]:
    """A table whose last row wraps in its first cell, so that no reading of the page has the row in one run."""
    head = lay_out("Work", y=100), lay_out("Cost", x=300, y=100)
    row = lay_out("Charging", "tower", y=130), lay_out("54,600", x=300, y=137)
    cells = [
        Cell(row=0, column=0, text="Work", header=True, page=1, box=box_of(*head[0])),
        Cell(row=0, column=1, text="Cost", header=True, page=1, box=box_of(*head[1])),
        Cell(row=1, column=0, text="Charging tower", page=1, box=box_of(*row[0])),
        Cell(row=1, column=1, text="54,600", page=1, box=box_of(*row[1])),
    ]
    words = (*head[0], *head[1], row[0][0], *(() if lost_word else row[1]), row[0][1])
    box = PageBox(page=1, box=box_of(*head[0], *head[1], *row[0], *row[1]))
    return with_cells(element("Table", "Work Cost\nCharging tower 54,600", box), cells), page(1, *words)


def test_a_table_row_with_wrapped_cells_is_verified_cell_by_cell(library):
    found_table, drawn = drawn_table()
    chunk = only_chunk(library, put(library, "a.pdf", [found_table], [drawn]))
    place = place_of(library, chunk, "Charging tower 54,600")
    assert (place.page, place.verified) == (1, True)
    assert [b.box for b in place.boxes] == [
        box_of(*lay_out("Charging", "tower", y=130), *lay_out("54,600", x=300, y=137))
    ]


def test_a_table_row_is_not_verified_when_a_cell_is_not_on_the_page(library):
    found_table, drawn = drawn_table(lost_word=True)
    chunk = only_chunk(library, put(library, "a.pdf", [found_table], [drawn]))
    assert not place_of(library, chunk, "Charging tower 54,600").verified


def test_a_document_without_pages_is_verified_by_its_elements(library):
    html = "<table><tr><th>Route</th><th>Last</th></tr><tr><td>H1</td><td>21:00</td></tr></table>"
    source = put(library, "a.md", [paragraph("Children under 7 travel free."), paragraph("Dogs pay."), table(html)])
    text, rows = library.chunks_of(source)
    assert place_of(library, text, "under 7 travel") == Place(page=None, boxes=(), verified=True)
    assert place_of(library, text, "travel free.\n\nDogs pay.").verified
    assert place_of(library, rows, "H1 21:00") == Place(page=None, boxes=(), verified=True)
    elements = library.elements(text.element_ids)
    assert not locate(library, text, elements, "Children under 7 pay.").verified


def test_pages_without_a_word_layer_are_verified_by_their_elements(library):
    box = PageBox(page=2, box=(10.0, 10.0, 90.0, 30.0))
    slide = [paragraph("The bank will lend.", box)]
    chunk = only_chunk(library, put(library, "a.pptx", slide, [page(1), page(2)]))
    assert place_of(library, chunk, "will lend") == Place(page=2, boxes=(box,), verified=True)
