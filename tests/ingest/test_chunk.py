"""Chunking: parity with unstructured's chunk_by_title, title paths, tables, pictures, ids, and rules for all inputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunk import ChunkOptions, chunk
from ingest.errors import UsageError
from ingest.tables import cells_to_html, html_to_cells
from ingest.types import Cell, Chunk, Element, PageBox, Partition

DEFAULT = ChunkOptions()
LONG = "Sales rose in the north. They fell in the south, where two shops were shut for repairs. " * 15


def element(category: str, text: str, **fields: Any) -> Element:
    return Element(**{"element_id": f"{category}-{text[:12]}", "category": category, "text": text, **fields})


def title(text: str, depth: int | None = None, **fields: Any) -> Element:
    return element("Title", text, category_depth=depth, **fields)


def para(text: str, **fields: Any) -> Element:
    return element("NarrativeText", text, **fields)


def chunks_of(*elements: Element, options: ChunkOptions = DEFAULT) -> list[Chunk]:
    return chunk(Partition(elements=elements), "source", options)


def texts_of(*elements: Element, options: ChunkOptions = DEFAULT) -> list[str]:
    return [found.text for found in chunks_of(*elements, options=options)]


def vectors_of(found: Chunk) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for vector in found.vectors:
        named.setdefault(vector.name, []).append(vector.text)
    return named


# Parity with unstructured.

CASES: dict[str, tuple[Element, ...]] = {
    "sections": (
        title("Results", page_number=1),
        para("Revenue rose.", page_number=1),
        element("ListItem", "First point", page_number=1),
        title("Outlook", page_number=1),
        para("We expect more.", page_number=2),
        para("Costs  are\nflat.", page_number=3),
    ),
    "text before the first title": (para("Preface."), title("One"), para("Body."), title("Two"), para("End.")),
    "oversized paragraph": (
        title("Long"),
        para("Short start."),
        para(LONG),
        para("Short end."),
        title("Next"),
        para("x"),
    ),
    "lengths at the limits": (
        *(para(letter * 60) for letter in "abc"),
        title("d" * 50, 0),
        title("e" * 50, 1),
        para("f" * 200),
        title("g"),
        para("h" * 26),
        para("i" * 30 + " " + "j" * 300),
    ),
    "oversized word": (para("w" * 700), para("tail")),
    "many paragraphs": (title("Many"), *(para(f"Paragraph {n} says {'word ' * n}.") for n in range(25))),
    "headings in a row": (
        title("Report", 0),
        title("Part", 1),
        title("Chapter", 2),
        para("Text."),
        title("Chapter two", 2),
        para(LONG),
    ),
    "table between": (
        title("T"),
        para("Before the table."),
        element("Table", "a b c", text_as_html="<table><tr><td>a</td><td>b</td><td>c</td></tr></table>"),
        para("After the table."),
        para("And more."),
    ),
    "pages": tuple(para(f"Line {n} of the text.", page_number=1 + n // 3) for n in range(9)),
    "page goes back or is not known": (
        para("a", page_number=2),
        para("b"),
        para("c", page_number=1),
        para("d", page_number=2),
    ),
    "code keeps its lines": (title("Code"), element("CodeSnippet", "def f():\n    return 1"), para("Done.")),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "small": {"max_characters": 120},
    "soft maximum": {"max_characters": 400, "new_after_n_chars": 60},
    "an element each": {"new_after_n_chars": 0},
    "soft above hard": {"max_characters": 300, "new_after_n_chars": 900},
    "combine": {"max_characters": 500, "combine_text_under_n_chars": 200},
    "combine all": {"max_characters": 1000, "combine_text_under_n_chars": 1000},
    "overlap": {"max_characters": 150, "overlap": 30},
    "overlap of one": {"max_characters": 150, "overlap": 1},
    "overlap everywhere": {"max_characters": 200, "overlap": 25, "overlap_all": True},
    "overlap and combine": {
        "max_characters": 300,
        "overlap": 40,
        "overlap_all": True,
        "combine_text_under_n_chars": 90,
    },
    "pages apart": {"multipage_sections": False},
    "pages apart, combined": {"multipage_sections": False, "combine_text_under_n_chars": 50},
}


@pytest.fixture(scope="module")
def reference() -> Callable[[Sequence[Element], dict[str, Any]], list[tuple[str, bool]]]:
    """Texts of unstructured's chunks, and whether each holds headings alone."""
    os.environ.update(DO_NOT_TRACK="1", SCARF_NO_ANALYTICS="1", UNSTRUCTURED_DISABLE_NOTICE="1")
    from unstructured.chunking.title import chunk_by_title
    from unstructured.documents import elements as theirs

    def run(elements: Sequence[Element], options: dict[str, Any]) -> list[tuple[str, bool]]:
        converted = [
            getattr(theirs, e.category)(
                text=e.text,
                metadata=theirs.ElementMetadata(page_number=e.page_number, text_as_html=e.text_as_html),
            )
            for e in elements
        ]
        given_options = {"max_characters": 1000, "combine_text_under_n_chars": 0, **options}
        found = chunk_by_title(converted, include_orig_elements=True, **given_options)
        return [(c.text, all(isinstance(e, theirs.Title) for e in c.metadata.orig_elements or ())) for c in found]

    return run


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("elements", CASES.values(), ids=CASES.keys())
def test_texts_equal_those_of_unstructured_but_for_chunks_of_headings_alone(
    elements: tuple[Element, ...], options: dict[str, Any], reference: Any
) -> None:
    expected = reference(elements, options)
    prefixes = _overlap_alone([text for text, _ in expected], options)

    ours = chunks_of(*elements, options=ChunkOptions(**options))

    assert [c.text for c in ours] == [text for text, headings in expected if not headings and text not in prefixes]
    for text in (text for text, headings in expected if headings):
        heading = text.split("\n\n")[-1]
        assert any(heading in c.title_path for c in ours)


def _overlap_alone(texts: list[str], options: dict[str, Any]) -> set[str]:
    """Chunks of unstructured that repeat the end of the chunk before them and hold nothing else."""
    if not options.get("overlap_all"):
        return set()
    overlap = options["overlap"]
    return {text for before, text in pairwise(texts) if text == before[-overlap:].strip()}


def test_parity_cases_hold_what_we_leave_out(reference: Any) -> None:
    headings = [text for text, alone in reference(CASES["headings in a row"], {}) if alone]
    assert headings == ["Report", "Part", "Chapter two"]
    assert texts_of(*CASES["headings in a row"])[0] == "Chapter\n\nText."


# Sections and title paths.


def test_sections_are_never_merged_across_a_title_by_default() -> None:
    assert texts_of(title("A"), para("a"), title("B"), para("b")) == ["A\n\na", "B\n\nb"]


def test_title_path_follows_the_depth_of_headings() -> None:
    found = chunks_of(
        title("Report", 0),
        title("Results", 1),
        para("r"),
        title("Revenue", 2),
        para("v"),
        title("Outlook", 1),
        para("o"),
    )
    assert [c.title_path for c in found] == [
        ("Report", "Results"),
        ("Report", "Results", "Revenue"),
        ("Report", "Outlook"),
    ]


def test_headings_without_depth_stand_beside_each_other_below_those_with_one() -> None:
    found = chunks_of(
        title("Doc", 0), title("One"), para("1"), title("Two"), para("2"), title("Part", 0), title("Three"), para("3")
    )
    assert [c.title_path for c in found] == [("Doc", "One"), ("Doc", "Two"), ("Part", "Three")]


def test_heading_with_nothing_below_it_is_a_chunk_of_its_own() -> None:
    found = chunks_of(title("A", 0), title("A.1", 1), title("B", 0), para("b"))
    assert [(c.text, c.title_path) for c in found] == [("A.1", ("A", "A.1")), ("B\n\nb", ("B",))]


def test_heading_too_long_for_one_chunk_keeps_all_its_parts() -> None:
    assert " ".join(texts_of(title("word " * 300))) == " ".join(["word"] * 300)


def test_page_furniture_is_not_chunked() -> None:
    furniture = [element(c, "Page 7 of 9") for c in ("Header", "Footer", "PageNumber", "PageBreak")]
    assert texts_of(*furniture, para("Body."), *furniture) == ["Body."]


def test_combined_sections_hold_their_headings() -> None:
    options = ChunkOptions(combine_text_under_n_chars=100)
    [found] = chunks_of(title("A"), para("a"), title("B"), para("b"), options=options)
    assert found.text == "A\n\na\n\nB\n\nb"
    assert found.title_path == ("A",)


def test_headings_that_begin_a_chunk_together_are_all_in_its_title_path() -> None:
    [found] = chunks_of(title("A", 0), title("B", 1), para("b"), options=ChunkOptions(chunking="by_page"))
    assert (found.text, found.title_path) == ("A\n\nB\n\nb", ("A", "B"))


def test_text_vector_says_the_headings_once() -> None:
    found = chunks_of(title("Report", 0), title("Results", 1), para("Good."), para("x" * 990))
    assert [v.text for c in found for v in c.vectors] == [
        "Report\nResults\n\nGood.",
        f"Report › Results\n{'x' * 990}",
    ]


def test_a_text_that_only_starts_like_its_heading_keeps_the_heading_in_its_vector() -> None:
    first, second = chunks_of(title("Re"), para("y" * 999), para("Revenue rose."))
    assert first.vectors[0].text.startswith("Re\ny")
    assert second.vectors[0].text == "Re\nRevenue rose."


def test_chunk_knows_pages_boxes_and_elements() -> None:
    boxes = (PageBox(page=2, box=(0, 0, 1, 1)), PageBox(page=3, box=(0, 5, 1, 6)))
    first = para("a", page_number=2, boxes=boxes)
    second = element("ListItem", "b", page_number=5)
    [found] = chunks_of(first, second)
    assert found.page_numbers == (2, 3, 5)
    assert found.boxes == boxes
    assert found.element_ids == (first.element_id, second.element_id)


# Ids.


def test_a_changed_paragraph_changes_only_the_id_of_its_own_chunk() -> None:
    before = [title("A"), para("a"), title("B"), para("b"), title("C"), para("c")]
    after = [*before[:3], para("another"), *before[4:]]
    changed = [x.chunk_id == y.chunk_id for x, y in zip(chunks_of(*before), chunks_of(*after), strict=True)]
    assert changed == [True, False, True]


def test_an_inserted_section_leaves_other_ids_alone() -> None:
    before = [title("A"), para("see below"), title("B"), para("see below")]
    after = [title("New"), para("see below"), *before]
    assert {c.chunk_id for c in chunks_of(*before)} < {c.chunk_id for c in chunks_of(*after)}


def test_ids_of_equal_texts_stay_with_their_heading() -> None:
    before = [title("A"), para("x" * 999), title("B"), para("x" * 999)]
    after = [title("New"), para("x" * 999), *before]
    assert [c.chunk_id for c in chunks_of(*after)][1:] == [c.chunk_id for c in chunks_of(*before)]


def test_ids_of_pictures_without_words_stay_with_their_picture() -> None:
    one, two = (element("Image", "", image_path=f"images/{n}.png", page_number=1) for n in (1, 2))
    both = [c.chunk_id for c in chunks_of(para("Near."), one, two)]
    assert [c.chunk_id for c in chunks_of(para("Near."), two, one)] == [both[0], both[2], both[1]]


def test_equal_chunks_have_different_ids_and_sources_do_too() -> None:
    same = [para("x" * 900), para("x" * 900)]
    ids = {c.chunk_id for source in ("s", "t") for c in chunk(Partition(elements=tuple(same)), source, DEFAULT)}
    assert len(ids) == 4


# By page and by similarity.


def test_by_page_cuts_where_the_page_changes_and_not_at_titles() -> None:
    found = chunks_of(
        title("A", page_number=1),
        para("a", page_number=1),
        title("B", page_number=1),
        para("b", page_number=2),
        options=ChunkOptions(chunking="by_page"),
    )
    assert [(c.text, c.page_numbers, c.title_path) for c in found] == [
        ("A\n\na\n\nB", (1,), ("A",)),
        ("b", (2,), ("B",)),
    ]


def fruit_or_metal(texts: Sequence[str]) -> np.ndarray:
    return np.array([[1.0, 0.0] if "fruit" in text else [0.0, 1.0] for text in texts], dtype=np.float32)


def test_similarity_groups_like_with_like_and_starts_at_titles() -> None:
    elements = (
        title("Goods"),
        para("fruit one"),
        para("fruit two"),
        para("metal one"),
        para("metal two"),
        title("More"),
        para("metal three"),
    )
    found = chunk(Partition(elements=elements), "s", ChunkOptions(chunking="similarity"), similarity=fruit_or_metal)
    assert [c.text for c in found] == [
        "Goods\n\nfruit one\n\nfruit two",
        "metal one\n\nmetal two",
        "More\n\nmetal three",
    ]


def test_similarity_without_an_embedder_is_wrong_use_and_names_the_document() -> None:
    with pytest.raises(UsageError, match=r"report\.pdf"):
        chunk(Partition(elements=()), "s", ChunkOptions(chunking="similarity"), doc="report.pdf")


@pytest.mark.parametrize(
    "fields",
    [
        {"chunking": "by_chance"},
        {"max_characters": 0},
        {"new_after_n_chars": -1},
        {"combine_text_under_n_chars": -1},
        {"combine_text_under_n_chars": 1001},
        {"overlap": -1},
        {"overlap": 1000},
        {"max_table_characters": 0},
        {"similarity_threshold": 1.5},
    ],
)
def test_options_that_cannot_mean_anything_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ChunkOptions(**fields)


# Tables.


def table_of(rows: Sequence[Sequence[str]], header_rows: int = 1, **fields: Any) -> Element:
    cells = tuple(
        Cell(row=r, column=c, text=text, header=r < header_rows)
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    )
    return replace(element("Table", "", cells=cells), **fields)


SALES = [["Region", "2023", "2024"], ["North", "41", "42"], ["South", "7", "5"]]


def test_table_is_one_chunk_with_its_caption_first_and_a_line_a_row() -> None:
    table = table_of(SALES, element_id="t", page_number=4)
    caption = element("FigureCaption", "Sales in millions", parent_id="t", page_number=3)
    before, found, after = chunks_of(title("Results"), para("Before."), caption, table, para("After."))
    assert (before.text, after.text) == ("Results\n\nBefore.", "After.")
    assert found.kind == "table"
    assert found.text == "Sales in millions\nRegion 2023 2024\nNorth 41 42\nSouth 7 5"
    assert found.text_as_html == cells_to_html(table.cells)
    assert found.title_path == ("Results",)
    assert found.page_numbers == (3, 4)
    assert found.element_ids == ("t", caption.element_id)


def test_table_vectors_show_header_rows_and_caption() -> None:
    caption = element("FigureCaption", "Table 2: Sales")
    [found] = chunks_of(title("Results"), table_of(SALES), caption)
    assert vectors_of(found) == {
        "text": ["Results\nTable 2: Sales\nRegion 2023 2024"],
        "rows": ["Region: North; 2023: 41; 2024: 42\nRegion: South; 2023: 7; 2024: 5"],
        "caption": ["Table 2: Sales"],
    }


def test_row_vectors_are_windows_of_whole_rows() -> None:
    rows = [["Name", "Note"], *([f"row {n}", "long note " * 9] for n in range(12))]
    [found] = chunks_of(table_of(rows))
    windows = vectors_of(found)["rows"]
    assert all(len(window) <= 600 for window in windows)
    assert [line[:14] for window in windows for line in window.splitlines()] == [
        f"Name: row {n}; Note"[:14] for n in range(12)
    ]


def test_row_vectors_carry_spanning_labels_and_headers_of_two_levels() -> None:
    html = (
        "<table><tr><th rowspan=2>Region</th><th colspan=2>Sales</th></tr><tr><th>2023</th><th>2024</th></tr>"
        "<tr><td rowspan=2>North</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>"
    )
    [found] = chunks_of(element("Table", "ignored", text_as_html=html))
    assert vectors_of(found)["rows"] == [
        "Region: North; Sales 2023: 1; Sales 2024: 2\nRegion: North; Sales 2023: 3; Sales 2024: 4"
    ]
    assert found.text == "Region Sales\n2023 2024\nNorth 1 2\n3 4"
    assert found.text_as_html == html


def test_table_header_repeats_when_a_table_is_split() -> None:
    rows = [["Name", "Value"], *([f"row {n}", f"value {n}"] for n in range(40))]
    found = chunks_of(table_of(rows), options=ChunkOptions(max_table_characters=200))
    assert len(found) > 2
    assert all(len(part.text) <= 200 for part in found)
    body: list[str] = []
    for part in found:
        header, *lines = part.text.splitlines()
        assert header == "Name Value"
        cells = html_to_cells(part.text_as_html or "")
        assert [c.text for c in cells if c.header] == ["Name", "Value"]
        assert len({c.row for c in cells}) == len(lines) + 1
        body += lines
    assert body == [f"row {n} value {n}" for n in range(40)]


def test_a_table_is_split_only_where_no_cell_spans_over_the_cut() -> None:
    groups = "".join(
        f"<tr><td rowspan=3>group {n}</td><td>a{n}</td></tr><tr><td>b{n}</td></tr><tr><td>c{n}</td></tr>"
        for n in range(8)
    )
    table = element("Table", "", text_as_html=f"<table><tr><th>Group</th><th>Item</th></tr>{groups}</table>")
    found = chunks_of(table, options=ChunkOptions(max_table_characters=75))
    spans = [
        [c.rowspan for c in html_to_cells(part.text_as_html or "") if c.text.startswith("group")] for part in found
    ]
    assert len(found) > 2
    assert all(span == 3 for part in spans for span in part)
    assert sum(map(len, spans)) == 8


def test_rows_tied_together_beyond_the_limit_are_cut_and_repeat_the_spanning_cell() -> None:
    rest = "".join(f"<tr><td>item {n}</td></tr>" for n in range(1, 30))
    table = element("Table", "", text_as_html=f"<table><tr><td rowspan=30>All</td><td>item 0</td></tr>{rest}</table>")
    found = chunks_of(table, options=ChunkOptions(max_table_characters=60))
    assert len(found) > 3
    assert all(part.text.startswith("All item") for part in found)
    assert [w for part in found for w in part.text.split() if w.isdigit()] == [str(n) for n in range(30)]


def test_a_part_of_a_table_has_the_boxes_and_pages_of_its_rows() -> None:
    cells = tuple(
        Cell(row=r, column=c, text=f"cell {r} {c}", header=r == 0, page=1 + r // 3, box=(c, r, c + 1, r + 1))
        for r in range(6)
        for c in range(2)
    )
    table = element("Table", "", cells=cells, page_number=1, boxes=(PageBox(page=1, box=(0, 0, 99, 99)),))
    first, second, *_ = chunks_of(table, options=ChunkOptions(max_table_characters=60))
    assert first.boxes == (PageBox(page=1, box=(0, 0, 2, 3)),)
    assert second.boxes == (PageBox(page=2, box=(0, 3, 2, 5)),)
    assert (first.page_numbers, second.page_numbers) == ((1,), (2,))


def test_a_whole_table_has_the_pages_of_all_its_cells() -> None:
    cells = (Cell(row=0, column=0, text="a", page=3), Cell(row=1, column=0, text="b", page=4, box=(0, 0, 1, 1)))
    [found] = chunks_of(element("Table", "", cells=cells, page_number=3))
    assert found.page_numbers == (3, 4)
    assert found.boxes == (PageBox(page=4, box=(0, 0, 1, 1)),)


def test_a_table_without_cells_is_split_at_its_lines() -> None:
    table = element("Table", "\n".join(f"line {n}" for n in range(30)))
    found = chunks_of(table, options=ChunkOptions(max_table_characters=50))
    assert all(len(part.text) <= 50 for part in found)
    assert [line for part in found for line in part.text.splitlines()] == [f"line {n}" for n in range(30)]
    assert all("rows" in vectors_of(part) for part in found)


def test_a_header_too_long_to_repeat_is_kept_once() -> None:
    rows = [["head " * 20, "er"], *([f"row {n}", "v"] for n in range(20))]
    found = chunks_of(table_of(rows), options=ChunkOptions(max_table_characters=120))
    assert sum("head" in part.text for part in found) == 1
    assert all("v" in part.text for part in found[1:])


# Pictures.


def test_picture_is_a_chunk_with_its_caption_and_what_is_said_about_it_in_vectors() -> None:
    picture = element("Image", "OCR words", element_id="i", image_path="images/a.png", page_number=2)
    caption = element("FigureCaption", "Figure 3: The valve", parent_id="i")
    elsewhere = "Nothing here. As Fig. 3 shows, it closes. Figure 31 is another one."
    found = chunks_of(
        title("Pumps"), para("Just before."), picture, caption, para("Just after."), title("End"), para(elsewhere)
    )
    assert [c.kind for c in found] == ["text", "image", "text"]
    assert found[0].text == "Pumps\n\nJust before.\n\nJust after."
    assert found[1].text == "Figure 3: The valve\nOCR words"
    assert found[1].image_path == "images/a.png"
    assert found[1].element_ids == ("i", caption.element_id)
    assert vectors_of(found[1]) == {
        "caption": ["Figure 3: The valve"],
        "context": ["Pumps\nJust before.\nJust after.\nAs Fig. 3 shows, it closes."],
        "text": ["OCR words"],
    }


def test_nearby_text_is_trimmed_at_words_and_stops_at_headings() -> None:
    before = "alpha " * 100
    picture = element("Image", "", image_path="images/a.png")
    found = chunks_of(para(before), picture, title("Next"), para("Not near."))
    [context] = vectors_of(next(c for c in found if c.kind == "image"))["context"]
    assert set(context.split()) == {"alpha"}
    assert 280 < len(context) <= 300


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ((title("Pumps"), element("Image", "", page_number=4)), "Pumps"),
        ((para("Near."), element("Image", "", page_number=4)), "Picture on page 4"),
        ((para("Near."), element("Image", "")), "Picture"),
    ],
)
def test_picture_without_words_is_named_by_its_place(elements: tuple[Element, ...], text: str) -> None:
    [found] = [c for c in chunks_of(*elements) if c.kind == "image"]
    assert found.text == text


def test_picture_of_which_nothing_is_said_is_no_chunk() -> None:
    assert chunks_of(element("Image", "", image_path="images/a.png", page_number=1)) == []


def test_a_sentence_beside_the_picture_is_not_said_twice() -> None:
    picture = element("Image", "", element_id="i")
    caption = element("FigureCaption", "Fig. 7", parent_id="i")
    found = chunks_of(para("See figure 7."), picture, caption, para("Other."), para("See figures 7 here."))
    [context] = vectors_of(next(c for c in found if c.kind == "image"))["context"]
    assert context == "See figure 7.\nOther.\nSee figures 7 here."


@pytest.mark.parametrize(
    ("caption", "owner"),
    [("Table 1: Sales", "table"), ("TABLE 1", "table"), ("Figure 1", "image"), ("Sales", "image")],
)
def test_a_caption_between_a_picture_and_a_table_goes_with_what_it_names(caption: str, owner: str) -> None:
    found = chunks_of(element("Image", "picture"), element("FigureCaption", caption), table_of(SALES))
    assert [c.kind for c in found if caption in c.text] == [owner]


def test_a_figure_caption_beside_a_table_alone_is_text() -> None:
    found = chunks_of(table_of(SALES), element("FigureCaption", "Figure 1"))
    assert [(c.kind, c.text) for c in found][1:] == [("text", "Figure 1")]


def test_caption_without_a_table_or_picture_is_text() -> None:
    assert texts_of(para("Before."), element("FigureCaption", "Figure 1"), para("After.")) == [
        "Before.\n\nFigure 1\n\nAfter."
    ]


# Rules for all inputs.

WORDS = st.lists(
    st.sampled_from(["revenue", "of", "Überschuss", "2024", "co-op", "x" * 45, "naïve", "."]), min_size=1, max_size=40
)
TEXTS = WORDS.map(" ".join)
TABLES = st.lists(st.lists(TEXTS.map(lambda text: text[:60].strip()), min_size=2, max_size=3), min_size=1, max_size=12)
ELEMENTS = st.lists(
    st.one_of(
        st.builds(lambda t, d: title(t[:80].strip(), d), TEXTS, st.sampled_from([None, 0, 1, 2])),
        st.builds(para, TEXTS),
        st.builds(lambda t: element("ListItem", t), TEXTS),
        st.builds(lambda t: element("FigureCaption", f"Table {t}"), TEXTS),
        st.builds(lambda t: element("Header", t), TEXTS),
        st.builds(lambda t: element("Image", t), TEXTS),
        st.builds(table_of, TABLES, st.sampled_from([0, 1, 2])),
    ),
    max_size=25,
).map(lambda found: tuple(replace(e, element_id=f"e{n}", page_number=1 + n // 4) for n, e in enumerate(found)))
CHUNKINGS = st.builds(
    ChunkOptions,
    chunking=st.sampled_from(["by_title", "by_page"]),
    max_characters=st.sampled_from([50, 120, 1000]),
    new_after_n_chars=st.sampled_from([None, 0, 40]),
    combine_text_under_n_chars=st.sampled_from([0, 0, 50]),
    multipage_sections=st.booleans(),
    max_table_characters=st.sampled_from([80, 300, 4000]),
)


def bare(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=50, deadline=None)
@given(elements=ELEMENTS, options=CHUNKINGS)
def test_chunking_loses_no_text_and_keeps_its_order(elements: tuple[Element, ...], options: ChunkOptions) -> None:
    found = chunks_of(*elements, options=options)
    paths = {heading for c in found for heading in c.title_path}
    for e in elements:
        if e.category == "Header":
            assert not any(e.element_id in c.element_ids for c in found)
            continue
        parts = [c for c in found if e.element_id in c.element_ids]
        if e.category == "Title" and not parts:
            assert e.text in paths
        elif e.category != "Table":
            assert bare(e.text) in bare("".join(c.text for c in parts))
    order = [int(c.element_ids[0][1:]) for c in found]
    assert order == sorted(order)
    flow = [int(i[1:]) for c in found if c.kind == "text" for i in dict.fromkeys(c.element_ids)]
    assert flow == sorted(flow)


@settings(max_examples=50, deadline=None)
@given(elements=ELEMENTS, options=CHUNKINGS, overlap=st.sampled_from([0, 1, 20]), everywhere=st.booleans())
def test_text_chunks_stay_below_the_maximum_and_ids_are_unique(
    elements: tuple[Element, ...], options: ChunkOptions, overlap: int, everywhere: bool
) -> None:
    options = replace(options, overlap=overlap, overlap_all=everywhere)
    found = chunks_of(*elements, options=options)
    assert all(c.text for c in found)
    assert all(len(c.text) <= options.max_characters for c in found if c.kind == "text")
    assert all(c.vectors for c in found)
    assert len({c.chunk_id for c in found}) == len(found)
    assert [c.index for c in found] == list(range(len(found)))


@settings(max_examples=50, deadline=None)
@given(elements=ELEMENTS, options=CHUNKINGS)
def test_a_title_stands_first_in_its_chunk(elements: tuple[Element, ...], options: ChunkOptions) -> None:
    options = replace(options, chunking="by_title", combine_text_under_n_chars=0)
    titles = {e.element_id: e.text for e in elements if e.category == "Title"}
    for found in chunks_of(*elements, options=options):
        assert not titles.keys() & set(found.element_ids[1:])
        if found.element_ids[0] in titles:
            assert found.title_path[-1] == titles[found.element_ids[0]]


@settings(max_examples=50, deadline=None)
@given(
    body=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 30)), min_size=1, max_size=30),
    header_rows=st.integers(0, 2),
    limit=st.integers(40, 400),
)
def test_parts_of_a_table_tile_its_rows(body: list[tuple[int, int]], header_rows: int, limit: int) -> None:
    """Row n has a value "v<n>"; labels span one to four rows."""
    cells = [Cell(row=r, column=c, text=f"h{r}{c}", header=True) for r in range(header_rows) for c in (0, 1)]
    row = header_rows
    for span, width in body:
        cells.append(Cell(row=row, column=0, text="l" * width, rowspan=span))
        cells += [Cell(row=r, column=1, text=f"v{r}") for r in range(row, row + span)]
        row += span
    found = chunks_of(element("Table", "", cells=tuple(cells)), options=ChunkOptions(max_table_characters=limit))

    values = [word for part in found for word in part.text.split() if word.startswith("v")]
    assert values == [f"v{r}" for r in range(header_rows, row)]
    for part in found:
        shown = html_to_cells(part.text_as_html or "")
        places = [(c.row + r, c.column) for c in shown for r in range(c.rowspan)]
        assert len(places) == len(set(places)) == 2 * (1 + max(r for r, _ in places))
    lines = [line for part in found for window in vectors_of(part).get("rows", []) for line in window.splitlines()]
    assert len(lines) == row - header_rows
