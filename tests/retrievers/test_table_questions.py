"""What is read out of a question and of cells, without a document."""

import pytest

from ingest.tables import html_to_cells
from retrievers.table_frames import read_frames
from retrievers.table_plans import select, with_partial
from retrievers.table_questions import read_table_question
from retrievers.table_results import Result, compute
from retrievers.table_selection import Context, Doubt, Selection
from retrievers.table_values import is_missing, read_amount, read_unit


@pytest.mark.parametrize(
    ("question", "operation"),
    [
        ("Which year had the highest revenue?", "max"),
        ("What are the three smallest ports by area?", "bottom"),
        ("What is the sum of fees?", "sum"),
        ("How many rows have more than 5 beds?", "count"),
        ("List all ports with at least 5 cranes.", "list"),
        ("By what percentage did sales fall from 2020 to 2022?", "growth"),
        ("How many more guests came in May than in June?", "difference"),
        ("What share of the sales came from Italy?", "share"),
        ("What was the revenue of the mill in 2020?", "look-up"),
    ],
)
def test_the_operation_of_a_question(question, operation):
    asked = read_table_question(question)
    assert asked is not None
    assert asked.operation == operation


def test_a_question_of_cause_asks_no_table():
    assert read_table_question("Why did the linkspan drop?") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234", 1234),
        ("(12.5)", -12.5),
        ("\u22123", -3),
        ("12.3\u00b9", 12.3),
        ("45 %", 45),
        ("\u20ac 7.5m", 7.5),
        ("1 234", 1234),
    ],
)
def test_amounts_as_tables_write_them(text, value):
    amount = read_amount(text)
    assert amount is not None
    assert amount.value == value


@pytest.mark.parametrize("text", ["12 May", "North 4", "4-5", "(12", "2024-01-05"])
def test_what_is_no_amount(text):
    assert read_amount(text) is None


@pytest.mark.parametrize("text", ["\u2013", "", "n/a", "\u2026"])
def test_marks_of_a_missing_value(text):
    assert is_missing(text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Table 1: Key figures (in \u20ac thousand unless stated otherwise)", "\u20ac thousand"),
        ("Net sales by segment ($ million)", "$ million"),
        ("Rainfall (mm)", "mm"),
        ("Harvest by district, in tonnes", "tonnes"),
        ("Employees (number)", ""),
        ("Visitors by year", ""),
    ],
)
def test_units_as_captions_and_headers_state_them(text, unit):
    assert read_unit(text) == unit


def results(html: str, question: str, caption: str = "") -> list[Result | Doubt]:
    asked = read_table_question(question)
    assert asked is not None
    found: list[Result | Doubt] = []
    for frame in read_frames(html_to_cells(html), caption):
        selection = select(frame, asked, Context.of([caption]))
        found.append(compute(selection, asked) if isinstance(selection, Selection) else selection)
    return found


MIXED = (
    "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Rope</td><td>$5</td></tr>"
    "<tr><td>Sail</td><td>\u20ac7</td></tr></table>"
)
GROUPS = (
    "<table><tr><th>Order</th><th>Port</th><th>Boxes</th></tr>"
    + "".join(f"<tr><td>N-{n}</td><td>{port}</td><td>{boxes}</td></tr>" for n, (port, boxes) in enumerate(
        [("Leith", 4), ("Hythe", 5), ("Leith", 7), ("Hythe", 1), ("Deal", 9)]))
    + "</table>"
)  # fmt: skip


def test_amounts_of_two_currencies_are_not_added():
    assert all(isinstance(r, Doubt) for r in results(MIXED, "What is the sum of the prices?"))


def test_rows_of_a_group_are_added_where_the_question_says_so():
    found = [r for r in results(GROUPS, "Which port has the most boxes?") if isinstance(r, Result)]
    assert [(r.items, r.value) for r in found] == [(("Leith",), 11.0)]


def test_an_extreme_of_groups_that_leaves_open_how_they_are_folded_is_no_answer():
    assert not [r for r in results(GROUPS, "Which port has the highest boxes?") if isinstance(r, Result)]


def test_a_table_whose_header_slipped_is_not_trusted():
    html = "<table><tr><th>Mill Flour</th><th>Bran</th><th></th></tr><tr><td>Ayr</td><td>5</td><td>6</td></tr></table>"
    assert all(isinstance(r, Doubt) for r in results(html, "Which mill has the most bran?"))


ROUTES = (
    "<table><tr><th>Route</th><th colspan=2>Riders</th><th colspan=2>Cars</th></tr>"
    "<tr><th></th><th>2021</th><th>2022</th><th>2021</th><th>2022</th></tr>"
    + "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in [
        ("H1 Arran", "40", "51", "12", "9"), ("H2 Bute", "63", "47", "8", "14"),
        ("H3 Coll", "22", "30", "5", "6"), ("{total}", "125", "128", "25", "29")])
    + "</table>"
)  # fmt: skip
TOTALS = ["All routes", "Total", "Sum", "Overall", "Together", "Network"]


def named(table: str, question: str) -> list[tuple[str, ...]]:
    return [r.items for r in results(table, question) if isinstance(r, Result)]


@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize(
    ("question", "items"),
    [
        ("Which route had the most riders in 2021?", ("H2 Bute",)),
        ("Which route carried the fewest cars in 2022?", ("H3 Coll",)),
        ("Top 2 routes by riders in 2022", ("H1 Arran", "H2 Bute")),
    ],
)
def test_a_total_below_two_levels_of_header_is_never_first_or_last(total, question, items):
    assert named(ROUTES.replace("{total}", total), question) == [items]


def test_the_row_of_all_is_no_measure_of_the_things_that_are_ranked():
    assert named(ROUTES.replace("{total}", "All routes"), "Which route had the most riders?") == []


@pytest.mark.parametrize("total", ["All routes", "Network"])
def test_a_total_that_is_spelled_out_is_looked_up(total):
    table = ROUTES.replace("{total}", total)
    found = [r for r in results(table, f"How many riders did {total} carry in 2022?") if isinstance(r, Result)]
    assert {(r.operation, r.value) for r in found} == {("look-up", 128.0)}


def test_a_last_row_that_its_columns_do_not_add_up_to_is_a_row_like_others():
    table = ROUTES.replace("{total}", "H4 Dunoon").replace("<td>29</td>", "<td>30</td>")
    assert named(table, "Which route had the most riders in 2021?") == [("H4 Dunoon",)]


def test_a_result_after_losses_is_no_total():
    rows = [("Sales", "90", "95"), ("Wages", "(40)", "(45)"), ("Rent", "(10)", "(12)"), ("Surplus", "40", "38")]
    body = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in rows)
    frame = read_frames(html_to_cells(f"<table><tr><th>Item</th><th>2021</th><th>2022</th></tr>{body}</table>"), "")[0]
    assert frame.totals == (False, False, False, False)


def test_a_code_like_a_half_of_a_year_that_begins_a_name_names_its_row():
    asked = read_table_question("How many riders did route H2 carry in 2022?")
    assert asked is not None
    frame = read_frames(html_to_cells(ROUTES.replace("{total}", "Total")), "")[0]
    doubt = select(frame, asked, Context.of([]))
    assert isinstance(doubt, Doubt)
    whole = with_partial(frame, asked, doubt)
    assert not isinstance(whole, Doubt)
    selection = select(frame, whole, Context.of([]))
    assert isinstance(selection, Selection)
    assert [frame.row_name(row) for row in selection.rows] == ["H2 Bute"]


def test_what_only_a_paragraph_before_a_table_speaks_of_is_lacking_and_not_asked_back():
    asked = read_table_question("What was the total revenue in 2022?")
    assert asked is not None
    frame = read_frames(html_to_cells(ROUTES.replace("{total}", "All routes")), "")[0]
    doubt = select(frame, asked, Context.of(["Traffic by route"], ["Revenue rose as riders came back."]))
    assert isinstance(doubt, Doubt)
    assert doubt.missing == ("revenu",)


def _settled(html: str, question: str, caption: str = "") -> Result | Doubt:
    """The first of a table's frames that settles a question, or the last one's doubt."""
    asked = read_table_question(question)
    assert asked is not None
    outcome: Result | Doubt = Doubt(reason="no frame")
    for frame in read_frames(html_to_cells(html), caption):
        selection = select(frame, asked, Context.of([caption]))
        outcome = compute(selection, asked) if isinstance(selection, Selection) else selection
        if isinstance(outcome, Result):
            return outcome
    return outcome


def _html(*lines: str) -> str:
    head, *body = ([cell.strip() for cell in line.split("|")] for line in lines)
    rows = ("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in body)
    return "<table><thead><tr>" + "".join(f"<th>{c}</th>" for c in head) + f"</tr></thead>{''.join(rows)}</table>"


GAMES = _html(
    "Team | Won | Goals for | Goals against", "Otters | 9 | 52 | 41", "Stags | 12 | 55 | 31", "Rooks | 3 | 25 | 52"
)
PLANTS = _html(
    "Plant | Height (cm) | Price (\u00a3) | Trade price (\u00a3)",
    "Maple | 180 | 48.00 | 38.40",
    "Lavender | 25 | 6.95 | 5.20",
)
MONTHLY = _html("Route | Jan | Feb | Mar | Year", "Skerry | 12 | 30 | 8 | 50", "Holm | 9 | 10 | 11 | 30")


@pytest.mark.parametrize(
    ("html", "question", "items"),
    [
        (GAMES, "Which team had the fewest goals against?", ("Stags",)),
        (GAMES, "Which team scored the most goals for?", ("Stags",)),
        (PLANTS, "What is the tallest plant?", ("Maple",)),
        (PLANTS, "Which plants cost less than \u00a315?", ("Lavender",)),
        (MONTHLY, "In which month did Skerry carry the most?", ("Feb",)),
        (
            _html("Town | Built | Beds", "Oby | 2019 | 4", "Ness | 2021 | 7"),
            "Which towns were built after 2020?",
            ("Ness",),
        ),
        (_html("Gift | Total", "Roof\u00b9 | 9", "Bell | 4"), "Which gift had the highest total?", ("Roof",)),
    ],
)
def test_the_rows_that_a_question_of_everyday_words_names(html, question, items):
    found = _settled(html, question)
    assert isinstance(found, Result)
    assert found.items == items


def test_months_named_together_are_added():
    found = _settled(
        MONTHLY, "How many passengers did Skerry have in January and March together?", "Passengers by route"
    )
    assert isinstance(found, Result)
    assert found.value == 20


def test_what_exceeds_is_compared_with_what_it_exceeds():
    html = _html("Ward | Budget | Outturn", "Roads | 120 | 131", "Parks | 40 | 38")
    found = _settled(html, "By how much did the outturn of Roads exceed its budget?")
    assert isinstance(found, Result)
    assert found.value == 11


def test_a_currency_before_brackets_is_a_negative_amount_and_loss_no_unit():
    html = _html(" | 2023 | 2024", "Net income (loss) | $ (9,870) | $ 14,558", "Net sales | $ 20 | $ 30")
    found = _settled(html, "In which year was the net income lowest?")
    assert isinstance(found, Result)
    assert (found.items, found.value, found.unit) == (("2023",), -9870, "$")


def test_a_year_printed_once_over_its_halves_holds_for_each():
    html = _html("Segment | 2023 H1 | H2 | 2024 H1 | H2", "Lenses | 1 | 2 | 3 | 4", "Tubes | 5 | 6 | 7 | 8")
    found = _settled(html, "What was the value of Lenses in H2 2024?")
    assert isinstance(found, Result)
    assert found.value == 4


def test_a_row_of_units_below_the_names_gives_the_unit():
    html = (
        "<table><thead><tr><th>Field<th>Area<th>Clay<tr><th><th>ha<th>%</thead>"
        "<tr><td>Mill<td>8.9<td>27<tr><td>Slade<td>15.7<td>35</table>"
    )
    found = _settled(html, "What is the total area of the fields?")
    assert isinstance(found, Result)
    assert (found.value, found.unit) == (24.6, "ha")


def test_a_header_that_has_slipped_settles_nothing():
    html = _html("Team | Goals for Goals | against", "Otters | 52 | 41", "Stags | 55 | 31")
    assert isinstance(_settled(html, "Which team had the fewest goals?"), Doubt)


def test_a_heading_of_rows_below_the_header_names_no_column():
    html = (
        "<table><thead><tr><th>Plant<th>Pot<th>Price</thead><tr><th colspan=3>Trees<tr><td>Maple<td>35<td>48"
        "<tr><th colspan=3>Shrubs<tr><td>Dogwood<td>23<td>17</table>"
    )
    frame = read_frames(html_to_cells(html), "")[0]
    assert [c.name for c in frame.columns] == ["", "Plant", "Pot", "Price"]
