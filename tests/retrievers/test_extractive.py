from dataclasses import replace

import pytest

from ingest.library import Library
from ingest.types import Element, PageBox
from retrievers import MultiVectorRetriever
from retrievers.extractive import MAX_QUOTES, MOST_WORDS, Evidence, counted_things, find_evidence, read_question
from tests.retrievers.made import BagOfWords, box_of, element, lay_out, page, paragraph, put, table, title

TRAFFIC = (
    "<table><tr><th rowspan=2>Ship</th><th rowspan=2>Route</th><th colspan=2>Passengers (thousand)</th>"
    "<th colspan=2>Vehicles (thousand)</th></tr><tr><th>2022</th><th>2023</th><th>2022</th><th>2023</th></tr>"
    "<tr><td rowspan=2>MV Eider</td><td>H1</td><td>41.5</td><td>43.9</td><td>13.1</td><td>14.0</td></tr>"
    "<tr><td>H2</td><td>20.8</td><td>20.1</td><td>6.2</td><td>6.0</td></tr></table>"
)
BALANCE = (
    "<table><tr><th>Million euros</th><th>2023</th></tr><tr><td>Total lease liabilities</td><td>3.9</td></tr>"
    "<tr><td>Total current liabilities</td><td>29.4</td></tr><tr><td>Total liabilities</td><td>41.1</td></tr></table>"
)
FACTS = (
    "<table><tr><th>Rating</th><td>2.9</td></tr><tr><th>Users</th><td>612</td></tr>"
    "<tr><th>Page</th><td>https://example.org/fare-finder</td></tr></table>"
)
ITEM = "ListItem"


def drawn(text: str, *lines: str) -> tuple[Element, tuple]:
    words = lay_out(*lines)
    return paragraph(text, PageBox(page=1, box=box_of(*words))), words


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with Library(tmp_path_factory.mktemp("made") / "lib", create=True) as made:
        put(
            made,
            "report.pdf",
            [
                title("Annual Report 2023"),
                paragraph("At the end of the year the cooperative had 6,412 members."),
                paragraph("The members chose a new board."),
                title("Ramp failure", 1),
                paragraph(
                    "On 20 February the linkspan at Ostrey Quay dropped. A hydraulic hose had burst. It was ten years"
                    " old. The hose was replaced within a week."
                ),
                title("Ticket machines", 1),
                paragraph("The ticket machines take:"),
                element(ITEM, "coins of one euro"),
                element(ITEM, "cards of all banks"),
                paragraph("They give no change."),
                title("Questions", 1),
                paragraph("What colour do the lifeboats have?"),
                paragraph("The lifeboats have the colour orange."),
                title("Traffic", 1),
                table(TRAFFIC),
                title("Balance sheet", 1),
                table(BALANCE),
            ],
        )
        put(
            made,
            "rules.pdf",
            [
                title("Rules of 2019"),
                paragraph("Exhibit K-11 shows mooring rope, and 10 knots are tied."),
                paragraph("Exhibit P-10 shows an anchor."),
                title("Kiosk", 1),
                paragraph("The kiosk sells warm soup. The kiosk sells warm soup, says the cook. The kiosk sells tea."),
                paragraph("The kiosk sells warm soup at noon. The kiosk sells warm soup at night."),
                title("Long", 1),
                paragraph("The zeppelin hangar " + "stands and " * MOST_WORDS + "stands."),
                title("Broken", 1),
                paragraph("The quarry was closed because of the"),
                paragraph("falcons that nest there."),
                paragraph("The old quarry is a place where, in spring, falcons were seen."),
            ],
        )
        put(made, "finder.html", [title("Fare Finder for the Sound"), table(FACTS)])
        put(
            made,
            "scan.pdf",
            [paragraph("Survey of Tern Skerry."), title("Findings"), paragraph("Remove 50 tons of sand.")],
        )
        shown, words = drawn("The beacon is green. The buoy is red.", "The beacon is white.", "The buoy is red.")
        put(made, "chart.pdf", [shown], [page(1, *words)])
        yield made


@pytest.fixture(scope="module")
def evidence(library):
    retriever = MultiVectorRetriever(library, embedder=BagOfWords())

    def find(question: str) -> list[Evidence]:
        return find_evidence(read_question(question, library), retriever.retrieve(question), library)

    return find


def quotes(found: list[Evidence]) -> list[str]:
    assert all(e.hit.chunk.text[e.start : e.end] for e in found)
    return [e.hit.chunk.text[e.start : e.end] for e in found]


def test_the_sentence_that_says_it_is_quoted_alone(evidence):
    assert quotes(evidence("How many members did the cooperative have?")) == [
        "At the end of the year the cooperative had 6,412 members."
    ]


def test_a_year_may_stand_in_the_title_of_the_document(evidence):
    assert evidence("How many members did the cooperative have in 2023?")
    assert not evidence("How many members did the cooperative have in 2017?")


@pytest.mark.parametrize(
    "question",
    [
        "How many members did the cooperative on Kelding have?",
        "How many boats did the cooperative of members have at the end of the year?",
        "Who painted the lighthouse?",
    ],
)
def test_without_the_name_or_the_counted_thing_there_is_no_evidence(evidence, question):
    assert evidence(question) == []


def test_a_name_with_digits_must_stand_together(evidence):
    assert quotes(evidence("What does Exhibit P-10 show?")) == ["Exhibit P-10 shows an anchor."]
    assert evidence("What does Exhibit K-10 show?") == []


@pytest.mark.parametrize(
    ("question", "counted"),
    [
        ("How many life jackets does it carry?", {"jacket"}),
        ("How much ice did the plant make?", {"ice"}),
        ("how many passengers per route?", {"passeng"}),
        ("How many people came?", set()),
        ("How much is it?", set()),
        ("Who counts?", set()),
    ],
)
def test_the_counted_thing_is_the_noun_before_the_verb(question, counted):
    assert counted_things(question) == counted


def test_a_question_after_a_number_is_not_answered_without_one(evidence):
    assert quotes(evidence("How many members does the cooperative have?")) != []
    assert not evidence("How many members chose a new board?")
    assert quotes(evidence("Who chose a new board?")) == ["The members chose a new board."]


def test_a_question_is_no_answer(evidence):
    assert quotes(evidence("What colour do the lifeboats have?")) == ["The lifeboats have the colour orange."]


def test_the_sentences_after_an_event_are_quoted_as_its_cause(evidence):
    wanted = "On 20 February the linkspan at Ostrey Quay dropped. A hydraulic hose had burst. It was ten years old."
    assert quotes(evidence("Why did the linkspan at Ostrey Quay drop?")) == [wanted]
    (plain,) = quotes(evidence("Where did a linkspan drop on 20 February?"))
    assert plain == "On 20 February the linkspan at Ostrey Quay dropped."


def test_a_list_is_quoted_with_the_sentence_that_announces_it(evidence):
    assert quotes(evidence("What do the ticket machines take?")) == [
        "The ticket machines take:\n\ncoins of one euro\n\ncards of all banks"
    ]


def test_a_heading_is_no_answer_where_something_stands_under_it(evidence):
    assert "Ramp failure" not in quotes(evidence("Was there a ramp failure?"))


def test_a_piece_too_long_to_quote_is_left_out(evidence):
    assert evidence("Where is the zeppelin hangar?") == []


def test_a_whole_sentence_is_preferred_to_a_broken_one(evidence):
    assert (
        quotes(evidence("Was the quarry closed for falcons?"))[0]
        == "The old quarry is a place where, in spring, falcons were seen."
    )


def test_what_is_not_on_the_page_is_no_evidence(evidence):
    assert quotes(evidence("Which colour: the buoy is red?")) == ["The buoy is red."]
    assert evidence("Is the beacon green?") == []


def test_the_form_asked_for_does_not_count(evidence):
    plain = evidence("How many members did the cooperative have?")
    assert evidence("How many members did the cooperative have? Please write the Answer as a Float.") == plain


# --- tables -------------------------------------------------------------------------------------


def test_the_asked_cell_is_named_by_its_row_labels_and_headers(evidence):
    (found,) = evidence("How many thousand vehicles did MV Eider carry on route H2 in 2022?")
    assert quotes([found]) == ["H2 20.8 20.1 6.2 6.0"]
    assert found.cell is not None
    assert (found.cell.row, found.cell.column) == (3, 4)
    assert found.cell.header == ("Vehicles (thousand)", "2022")
    assert found.said == "MV Eider H2, Vehicles (thousand) › 2022: 6.2"


def test_a_row_is_quoted_whole_when_no_column_is_asked_for(evidence):
    found = evidence("Route H2 of MV Eider?")
    assert "H2 20.8 20.1 6.2 6.0" in quotes(found)
    assert all(e.cell is None for e in found)


def test_a_wrong_row_or_column_gives_nothing(evidence):
    assert not evidence("How many thousand vehicles did MV Eider carry on route H9 in 2022?")
    assert not evidence("How many thousand bicycles did MV Eider carry on route H2 in 2022?")


def test_a_row_that_names_something_narrower_comes_behind(evidence):
    found = evidence("What are total liabilities in 2023?")
    assert found[0].said == "Total liabilities, 2023: 41.1"


def test_a_row_need_not_say_what_its_headings_say(evidence):
    found = evidence("What is the rating of Fare Finder for the Sound?")
    assert quotes(found) == ["Rating 2.9"]
    assert not evidence("What is the colour of Fare Finder for the Sound?")


def test_an_address_answers_only_who_asks_for_one(evidence):
    address = "Page https://example.org/fare-finder"
    assert address in quotes(evidence("Which web page does Fare Finder have?"))
    assert address not in quotes(evidence("Which page does Fare Finder have?"))


def test_a_name_may_stand_where_the_document_begins(evidence):
    assert quotes(evidence("How many tons of sand have to be removed at Tern Skerry?")) == ["Remove 50 tons of sand."]
    assert not evidence("How many tons of sand have to be removed at Kelding?")


def test_the_kind_of_answer_asked_for_need_not_be_said(evidence):
    assert evidence("On which date did the linkspan drop?")[0].said.startswith("On 20 February")


# --- how many quotes ----------------------------------------------------------------------------


def test_at_most_three_quotes_that_are_nearly_as_good_as_the_best_and_say_more(evidence):
    found = evidence("Which kiosk sells warm soup?")
    assert len(found) == MAX_QUOTES
    assert all(e.score >= 0.9 * found[0].score for e in found)
    said = quotes(found)
    assert not any(a in b for a in said for b in said if a is not b)
    assert "The kiosk sells tea." not in said


def test_a_quote_that_supports_far_less_than_the_best_is_left_out(evidence):
    assert quotes(evidence("Which kiosk sells tea?")) == ["The kiosk sells tea."]


def test_scores_fall_with_the_rank_of_the_hit(library):
    retriever = MultiVectorRetriever(library, embedder=BagOfWords())
    question = read_question("What does Exhibit P-10 show?", library)
    (hit,) = [h for h in retriever.retrieve(question.text) if "P-10" in h.chunk.text]
    (first,) = find_evidence(question, [hit], library)
    other = replace(hit, chunk=replace(hit.chunk, text="Nothing."))
    (second,) = find_evidence(question, [other, hit], library)
    assert second.score < first.score


def test_of_two_pages_that_say_as_much_the_one_that_was_found_first_is_quoted(tmp_path):
    words = lay_out("The mill ground 12 tons of rye.")
    shown = [paragraph("The mill ground 12 tons of rye.", PageBox(page=n, box=box_of(*words))) for n in (1, 2)]
    with Library(tmp_path / "library", create=True) as made:
        put(made, "mill.pdf", [shown[0], title("Second", 1), shown[1]], [page(n, *words) for n in (1, 2)])
        hits = MultiVectorRetriever(made, embedder=BagOfWords()).retrieve("How much rye did the mill grind?")
        question = read_question("How many tons of rye has the mill ground?", made)
        for ordered in (hits, hits[::-1]):
            (found,) = find_evidence(question, ordered, made)
            assert found.page == ordered[0].chunk.page_numbers[0]
    assert len(hits) == 2


def test_a_name_that_stands_nowhere_in_a_document_is_not_answered_from_it(evidence):
    assert evidence("What does the kiosk of the Rules sell?")
    assert evidence("What does the kiosk of Ostrey sell?") == []


def test_rarer_words_weigh_more_and_names_numbers_and_counted_things_are_required(library):
    question = read_question("How many members did Zanzibar have in 2023?", library)
    assert question.required == {"member", "zanzibar", "2023"}
    assert question.weights["zanzibar"] > question.weights["member"]
