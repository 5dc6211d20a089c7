"""A sentence against its passages: every kind of true claim passes, every kind of changed one fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrievers.check import bearing
from retrievers.citations import check_sentence

PASSAGE = (
    "However, the Harbour Trust may not raise fares before June 30, 2027. Ferry revenue rose 4.5% to $42.0 million in "
    "2024, compared to $40.2 million in 2023, primarily due to longer summers. In March 2025, Captain Ruth Amsel moved "
    "the workshop from Dunmere to Port Sile (the old cannery), which doubled its floor. Most crews "
    "sailed without delay "
    "for three months. The lighthouse fund lost (365) thousand kroner. Approximately 1,250 passengers obtained refunds "
    "pursuant to the charter. The board stated: \u201cNo vessel will be sold.\u201d"
)
TABLE_MARKDOWN = """Fleet accounts (in millions)

| | 2024 | 2023 |
|---|---|---|
| Ticket sales | $31.5 | $30.1 |
| Freight, net | (365) | 1,204 |
| Fuel as a % of costs | 42% | 43% |
"""
TABLE_HTML = (
    "<table><caption>Fleet accounts (in millions)</caption><tr><th></th><th>2024</th><th>2023</th></tr>"
    "<tr><td>Ticket sales</td><td>$31.5</td><td>$30.1</td></tr><tr><td>Freight, "
    "net</td><td>(365)</td><td>1,204</td></tr>"
    "<tr><td>Fuel as a % of costs</td><td>42%</td><td>43%</td></tr></table>"
)
TABLE_LINES = """Fleet accounts (in millions)
2024    2023
Ticket sales    $31.5    $30.1
Freight, net    (365)    1,204
Fuel as a % of costs    42%    43%"""


@pytest.mark.parametrize(
    "sentence",
    [
        "Most crews sailed without delay for three months.",
        "Most  crews\nsailed without\u00a0delay for three months.",
        "The Harbour Trust may not raise fares before June 30, 2027.",
        "The Harbour Trust may not raise fares before 30 June 2027.",
        "The Harbour Trust may not raise fares before 2027-06-30.",
        (
            "Ferry revenue rose 4.5 percent to $42m in 2024, compared with $40,200,000 in 2023, mainly "
            "because of longer summers."
        ),
        "Ferry revenue rose 4.5% to $42.0 million in 2024.",
        "Captain Ruth Amsel moved the workshop from Dunmere to Port Sile in March 2025.",
        "In March 2025, Captain Ruth Amsel moved the workshop from Dunmere to Port Sile, which doubled its \ufb02oor.",
        "Most crews sailed without delay for 3 months.",
        "The lighthouse fund lost minus 365 thousand kroner.",
        "About 1 250 passengers got refunds under the charter.",
        "The document states: \u201cMost crews sailed without delay for three months.\u201d",
        "Most crews sailed without delay for three months, and the lighthouse fund lost (365) thousand kroner.",
        'The board stated: "No vessel will be sold."',
    ],
)
def test_what_a_passage_says_is_borne_out(sentence):
    found = check_sentence(sentence, PASSAGE)
    assert found.supported, found.reasons
    assert found.quote
    assert found.reasons == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "The Harbour Trust may raise fares before June 30, 2027.",
        "The Harbour Trust will not raise fares before June 30, 2027.",
        "The Harbour Trust may not raise fares before June 13, 2027.",
        "The Harbour Trust may not raise fares before June 30, 2026.",
        "Ferry revenue fell 4.5% to $42.0 million in 2024.",
        "Ferry revenue rose 5.4% to $42.0 million in 2024.",
        "Ferry revenue rose 45% to $42.0 million in 2024.",
        "Ferry revenue rose 4.5 percentage points to $42.0 million in 2024.",
        "Ferry revenue rose 4.5% to $42.0 billion in 2024.",
        "Ferry revenue rose 4.5% to \u20ac42.0 million in 2024.",
        "Ferry revenue rose 4.5% by $42.0 million in 2024.",
        "Ferry revenue rose 4.5% to $40.2 million in 2024, compared to $42.0 million in 2023.",
        "Captain Ruth Amsel moved the workshop from Port Sile to Dunmere.",
        "Captain Jonas Amsel moved the workshop from Dunmere to Port Sile.",
        "All crews sailed without delay for three months.",
        "Most crews sailed with delay for three months.",
        "Most crews sailed without delay for three weeks.",
        "Most crews sailed without delay for three months, following a quarrel over pay.",
        "Most crews sailed without delay for three months, and the mayor resigned in spring.",
        "The lighthouse fund lost 365 thousand kroner.",
        "Exactly 1,250 passengers obtained refunds pursuant to the charter.",
        "Ferry revenue sailed without delay for three months.",
        "The board stated: \u201cNo vessel will be leased.\u201d",
        "The document states: \u201cMost crews sailed with delay for three months.\u201d",
        "Volcanoes erupt because magma rises.",
        "",
    ],
)
def test_what_a_passage_does_not_say_is_not_borne_out_and_the_reasons_say_why(sentence):
    found = check_sentence(sentence, PASSAGE)
    assert not found.supported
    assert found.reasons


@pytest.mark.parametrize("table", [TABLE_MARKDOWN, TABLE_HTML, TABLE_LINES], ids=["markdown", "html", "lines"])
@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("In 2024, Ticket sales was $31.5.", True),
        ("Ticket sales for 2023: $30.1 million.", True),
        ("Freight, net in 2024 was -365.", True),
        ("Freight, net in 2023 was 1204.", True),
        ("The 2023 value for Fuel as a % of costs was 43%.", True),
        ("In 2024, Ticket sales was $30.1.", False),
        ("In 2024, Freight, net was $31.5.", False),
        ("In 2022, Ticket sales was $31.5.", False),
        ("Ticket sales for 2023: $30.1 billion.", False),
        ("Ticket sales for 2023: \u20ac30.1 million.", False),
        ("Freight, net in 2024 was 365.", False),
        ("In 2024, Ticket sales was $31.4.", False),
        ("In 2024, Online ticket sales was $31.5.", False),
    ],
)
def test_a_cell_must_agree_with_its_row_and_header(table, sentence, supported):
    assert check_sentence(sentence, table).supported is supported


@pytest.mark.parametrize(
    ("passage", "true", "false"),
    [
        (
            "Der Umsatz stieg im Jahr 2024 um 4,5 % auf 1.234,5 Mio. EUR und wurde nicht angepasst.",
            "Der Umsatz stieg im Jahr 2024 um 4,5 Prozent auf 1.234,5 Millionen Euro und wurde nicht angepasst.",
            "Der Umsatz stieg im Jahr 2024 um 4,5 Prozent auf 1.234,5 Millionen Euro und wurde angepasst.",
        ),
        (
            "Le conseil ne paie pas de dividende le 3 mars 2025 dans les ports du nord.",
            "Le conseil ne paie pas de dividende le 03.03.2025 dans les ports du nord.",
            "Le conseil paie de dividende le 3 mars 2025 dans les ports du nord.",
        ),
        (
            "El puerto de la isla no aumentó las tarifas el 31 de diciembre de 2024.",
            "El puerto de la isla no aumentó las tarifas el 31/12/2024.",
            "El puerto de la isla aumentó las tarifas el 31 de diciembre de 2024.",
        ),
    ],
    ids=["de", "fr", "es"],
)
def test_german_french_and_spanish_write_numbers_dates_and_denials_their_own_way(passage, true, false):
    assert check_sentence(true, passage).supported, check_sentence(true, passage).reasons
    assert not check_sentence(false, passage).supported


def test_other_languages_pass_word_for_word_only_and_a_reason_says_so():
    passage = "Il traghetto non parte dal porto della citt\u00e0 alle otto. Piove."
    assert check_sentence("Il traghetto non parte dal porto della citt\u00e0 alle otto.", passage).supported
    found = check_sentence("Il traghetto non parte dal porto della citt\u00e0 alle nove.", passage)
    assert not found.supported
    assert "language" in found.reasons[0]


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        ("If the ice holds, the ferry stops in January.", "The ferry stops in January."),
        ("Critics claim that the pier is unsafe.", "The pier is unsafe."),
        ("There is no evidence that the pump works.", "The pump works."),
        ("The lamp burns only if the wind is low.", "The lamp burns."),
        ("Tolls rose 5% in Dunmere.", "Tolls rose 5%."),
        ("Island tolls were 5 crowns.", "Tolls were 5 crowns."),
        ("Tolls in Dunmere, Halvane and Ostrey rose.", "Tolls in Dunmere rose."),
        ("The pier, the lamp, and the bell cost 9 crowns.", "The bell cost 9 crowns."),
        ("Tolls were 5 crowns in 2021 and 6 crowns in 2022.", "Tolls were 6 crowns in 2021."),
        ("Dunmere sued Halvane.", "Halvane sued Dunmere."),
        ("The toll of Cash for Business rose.", "The toll of Cash for Company rose."),
        ("Dunmere sued Halvane.", "Dunmere was sued by Halvane."),
        ("The rate is 5% (7% in winter).", "The rate is 7%."),
        ("Either Dunmere or Halvane pays.", "Dunmere and Halvane pay."),
        ("The pier, which was not shut, opened in 1999.", "The pier was shut."),
    ],
)
def test_what_limits_a_statement_is_not_left_out(passage, sentence):
    assert not check_sentence(sentence, passage).supported


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        ("Tolls fell, but wages rose.", "Wages rose."),
        ("Amsel, not Ruth, won the case.", "Amsel won the case."),
        ("The pier, which was not shut, opened in 1999.", "The pier opened in 1999."),
        ("Tolls rose 5% in 2023.", "Tolls rose 5%."),
        ("We bought 10 nets.", "The company bought 10 nets."),
        ("The crew won't sail.", "The crew will not sail."),
    ],
)
def test_what_does_not_limit_a_statement_may_be_left_out_or_said_otherwise(passage, sentence):
    assert check_sentence(sentence, passage).supported


def test_passages_bear_a_sentence_together_and_one_that_bears_nothing_has_no_part():
    passages = ["The ferry carried 10 cars in May.", "Nobody lives on the rock.", "The barge carried 12 cars in June."]
    sentence = "The ferry carried 10 cars in May, and the barge carried 12 cars in June."
    assert check_sentence(sentence, passages).supported
    assert not check_sentence(sentence, passages[0]).supported
    assert [part.passage for part in bearing(sentence, passages)] == [0, 2]
    part = bearing(sentence, passages)[1]
    assert passages[2][part.start : part.end] == passages[2]


NOUNS = ["harbour", "ferry", "lantern", "winter route", "cargo deck", "pilot"]
GOODS = ["tons", "crates", "nets"]
VERBS = ["carried", "lost", "counted", "bought"]


@st.composite
def statements(draw):
    return (
        f"The {draw(st.sampled_from(NOUNS))} {draw(st.sampled_from(VERBS))} "
        f"{draw(st.integers(min_value=2, max_value=9_999_999)):,} {draw(st.sampled_from(GOODS))} in "
        f"{draw(st.integers(min_value=1901, max_value=2049))}."
    )


@given(st.lists(statements(), min_size=1, max_size=5, unique=True), st.data())
@settings(max_examples=60, deadline=None)
def test_a_verbatim_sentence_is_always_borne_out(said, data):
    chosen = data.draw(st.sampled_from(said))
    found = check_sentence(chosen, " ".join(said))
    assert found.supported
    assert found.quote == chosen


@given(statements(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_sentence_with_any_digit_changed_never_is(said, data):
    place = data.draw(st.sampled_from([n for n, ch in enumerate(said) if ch.isdigit()]))
    digit = data.draw(st.sampled_from([d for d in "123456789" if d != said[place]]))
    assert not check_sentence(said[:place] + digit + said[place + 1 :], said).supported


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        ("It is part of this Form 10-K. Readers should study it.", "Readers should study it."),
        ("It froze at -5 \u00b0C. Nobody sailed.", "Nobody sailed."),
        ("Debt was $321 million in May.", "Debt was $321  million in May."),
        ("Debt was 5 percent of it.", "Debt was 5 \npercent of it."),
    ],
)
def test_a_letter_behind_a_sign_ends_a_sentence_and_two_spaces_part_no_number_from_its_unit(passage, sentence):
    assert check_sentence(sentence, passage).supported


def test_an_initial_ends_no_sentence():
    passage = "The pier was bought by J. Amsel in May."
    assert not check_sentence("Amsel in May.", passage).supported


@pytest.mark.parametrize(
    "endless", [f"Fees rose from {'1 ' * 3000}{'to ' * 1000}", "The fee and 5 and " * 800], ids=["change", "joined"]
)
def test_a_sentence_without_end_is_refused_without_ado(endless):
    assert not check_sentence(endless, "The fee rose to 5 in 2020.").supported
