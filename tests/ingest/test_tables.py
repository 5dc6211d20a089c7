import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.tables import (
    cells_to_html,
    column_headers,
    grid,
    header_rows,
    html_to_cells,
    is_number,
    outline,
    table_text,
)
from ingest.types import Cell

TEXTS = st.text("ab<&>\"' é12%", max_size=6).map(lambda text: " ".join(text.split()))


@st.composite
def tables(draw) -> tuple[Cell, ...]:
    """Any tiling of a small grid, with any texts and header flags, in row order."""
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    covered: set[tuple[int, int]] = set()
    cells = []
    for row in range(rows):
        for column in range(columns):
            if (row, column) in covered:
                continue
            width = draw(
                st.integers(
                    1, next((n for n in range(columns - column) if (row, column + n) in covered), columns - column)
                )
            )
            height = draw(st.integers(1, rows - row))
            covered |= {(row + i, column + j) for i in range(height) for j in range(width)}
            text = "\n".join(filter(None, draw(st.lists(TEXTS, min_size=1, max_size=2))))
            header = draw(st.booleans())
            cells.append(Cell(row=row, column=column, text=text, rowspan=height, colspan=width, header=header))
    return tuple(cells)


FARES = html_to_cells(
    "<table><tr><td rowspan=2><th colspan=2>Fare</th></tr><tr><th>2024<th>2025</tr>"
    "<tr><td>Adult, H1<td>7.20<td>7.60</tr><tr><td>11<td>1.00<td>1.10</tr></table>"
)


@given(tables())
def test_spans_tile_the_grid(cells):
    dense = grid(cells)
    assert all(place is not None for row in dense for place in row)
    assert sum(c.rowspan * c.colspan for c in cells) == sum(len(row) for row in dense)
    for cell in cells:
        assert sum(place is cell for row in dense for place in row) == cell.rowspan * cell.colspan


@given(tables())
def test_cells_survive_html_unchanged(cells):
    assert html_to_cells(cells_to_html(cells)) == cells


def test_html_is_one_line_with_scopes_spans_and_escapes():
    cells = (
        Cell(row=0, column=0, text="A & B", colspan=2, header=True),
        Cell(row=1, column=0, text="total", header=True),
        Cell(row=1, column=1, text="<1\n2"),
    )
    assert cells_to_html(cells) == (
        '<table><thead><tr><th scope="colgroup" colspan="2">A &amp; B</th></tr></thead>'
        '<tbody><tr><th scope="row">total</th><td>&lt;1<br>2</td></tr></tbody></table>'
    )


def test_a_hole_keeps_the_cells_right_of_it_in_their_columns():
    cells = (Cell(row=0, column=0, text="a"), Cell(row=0, column=2, text="c"))
    assert [(c.column, c.text) for c in html_to_cells(cells_to_html(cells)) if c.text] == [(0, "a"), (2, "c")]


def test_characters_that_html_cannot_hold_are_left_out():
    assert (
        cells_to_html((Cell(row=0, column=0, text="a\x00\ud800b"),))
        == "<table><tbody><tr><td>ab</td></tr></tbody></table>"
    )


def test_a_table_without_cells_is_empty():
    assert cells_to_html(()) == "<table></table>"
    assert html_to_cells("<table></table>") == html_to_cells("<p>x</p>") == html_to_cells("") == ()


def test_a_head_that_spans_into_the_body_is_kept_whole():
    cells = (
        Cell(row=0, column=0, text="a", rowspan=2, header=True),
        Cell(row=0, column=1, text="b", header=True),
        Cell(row=1, column=1, text="1"),
    )
    assert "<thead>" not in cells_to_html(cells)
    assert html_to_cells(cells_to_html(cells)) == cells


def test_every_cell_of_a_thead_is_a_header_cell():
    cells = html_to_cells("<table><thead><tr><td>a<td>b</thead><tbody><tr><th>c<td>d</table>")
    assert [c.header for c in cells] == [True, True, True, False]


def test_a_foot_written_first_is_shown_last():
    cells = html_to_cells("<table><tfoot><tr><td>sum</tfoot><tbody><tr><td>1</tbody></table>")
    assert [(c.row, c.text) for c in cells] == [(0, "1"), (1, "sum")]


def test_a_nested_table_is_flattened_into_its_cell():
    cells = html_to_cells(
        "<table><tr><td>x<table><tr><td>a<td>b</tr><tr><td>c</tr></table></td><td>y</td></tr></table>"
    )
    assert [c.text for c in cells] == ["x\na b\nc", "y"]


def test_a_row_without_cells_counts_only_where_a_span_reaches_it():
    spanned = html_to_cells("<table><tr><td rowspan=2>a</tr><tr></tr><tr><td>b</tr></table>")
    assert [(c.text, c.row, c.rowspan) for c in spanned] == [("a", 0, 2), ("b", 2, 1)]
    empty = html_to_cells("<table><tr></tr><tr><td>b</tr></table>")
    assert [(c.text, c.row) for c in empty] == [("b", 0)]


@pytest.mark.parametrize("span", ["999999999", "200000000000000000000"])
def test_a_huge_span_ends_with_the_table(span):
    html = f"<table><tr><td colspan={span} rowspan={span}>t</tr><tr><td>a<td>b</tr><tr><td>c<td>d<td>e</tr></table>"
    assert max(c.row + c.rowspan for c in html_to_cells(html)) == 3
    wide = html_to_cells(f"<table><tr><td colspan={span}>t</tr><tr><td>a<td>b</tr></table>")
    assert [(c.text, c.colspan) for c in wide] == [("t", 2), ("a", 1), ("b", 1)]


@pytest.mark.parametrize("span", ["0", "-3", "x", ""])
def test_a_span_that_means_nothing_is_one(span):
    assert html_to_cells(f'<table><tr><td colspan="{span}">a<td>b</table>')[0].colspan == 1


def test_a_rowspan_of_zero_reaches_the_end_of_its_group():
    cells = html_to_cells("<table><tr><td rowspan=0>a<td>b</tr><tr><td>c</tr><tr><td>d</tr></table>")
    assert cells[0].rowspan == 3


def test_text_has_a_line_a_row_and_each_cell_once():
    assert table_text(FARES) == "Fare\n2024 2025\nAdult, H1 7.20 7.60\n11 1.00 1.10"


def test_line_breaks_in_a_cell_do_not_break_its_row():
    assert table_text((Cell(row=0, column=1, text="b"), Cell(row=0, column=0, text="a\nc"))) == "a c b"


def test_header_rows_are_those_that_most_cells_call_header():
    assert header_rows(FARES) == 2
    assert header_rows(html_to_cells("<table><tr><th>a<td>1</tr><tr><th>b<td>2</tr></table>")) == 0
    assert header_rows(()) == 0


def test_column_headers_run_from_the_top_and_repeat_nothing():
    assert column_headers(FARES, 2) == ("Fare", "2025")
    assert column_headers(FARES, 0) == ()


def test_an_outline_holds_what_is_asked_of_a_table_row_by_row():
    read = outline(FARES)
    assert read.head == header_rows(FARES)
    assert read.headers == tuple(column_headers(FARES, n) for n in range(len(read.headers)))
    assert [c for row in read.rows.values() for c in row] == sorted(FARES, key=lambda c: (c.row, c.column))
    spans = outline(html_to_cells("<table><tr><td rowspan=2>North<td>1</tr><tr><td>2</tr></table>"))
    assert [c.text for c in spans.reaching[1]] == ["North"]


@pytest.mark.parametrize("text", ["1", "-1.5", "1,234.50", "(12.3%)", "€7.20", "$ 5", "7 €", "−3", "1 000", "12*"])
def test_numbers_are_told_from_words(text):
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "H1", "2025-01-02", "n/a", "-", "3 apples", "10 m"])
def test_words_are_told_from_numbers(text):
    assert not is_number(text)
