"""True and changed sentences of German, French and Spanish passages, by kind, and what other languages allow."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from retrievers.citations import check_sentence

DATA = Path(__file__).parent / "data"
FEWEST_TRUE, MOST_FALSE = 0.95, 0.02
"""Shares accepted, as the mean over the kinds."""


def rows(language: str) -> list[dict[str, str]]:
    lines = (DATA / f"claims_{language}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def accepted(language: str, *, supported: bool) -> dict[str, list[bool]]:
    """By kind, whether each sentence of it was accepted."""
    kinds: dict[str, list[bool]] = defaultdict(list)
    for row in rows(language):
        if row["supported"] is supported:
            kinds[row["kind"]].append(check_sentence(row["sentence"], row["passage"]).supported)
    return kinds


def mean_of_kinds(kinds: dict[str, list[bool]]) -> float:
    return sum(sum(found) / len(found) for found in kinds.values()) / len(kinds)


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_true_sentences_are_accepted(language):
    kinds = accepted(language, supported=True)
    assert sum(map(len, kinds.values())) >= 40
    assert mean_of_kinds(kinds) >= FEWEST_TRUE, {kind: found for kind, found in kinds.items() if not all(found)}


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_changed_sentences_are_refused(language):
    kinds = accepted(language, supported=False)
    assert sum(map(len, kinds.values())) >= 40
    assert mean_of_kinds(kinds) <= MOST_FALSE, {kind: found for kind, found in kinds.items() if any(found)}


@pytest.mark.parametrize(
    ("passage", "sentence", "supported"),
    [
        (
            "Im Mai verkaufte Herr Oster die Werft an Frau Brandt.",
            "Herr Oster verkaufte die Werft im Mai an Frau Brandt.",
            True,
        ),
        (
            "Herr Oster verkaufte die Werft im Mai an Frau Brandt.",
            "Im Mai verkaufte Frau Brandt die Werft an Herr Oster.",
            False,
        ),
        (
            "Der Umsatz stieg, und die Kosten sanken im Jahr 2021 um 5 Euro.",
            "Im Jahr 2021 stieg der Umsatz.",
            False,
        ),
    ],
)
def test_the_german_verb_may_move_but_its_subject_and_time_stay(passage, sentence, supported):
    assert check_sentence(sentence, passage).supported is supported


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        ("Hay al menos 12 barcos en el puerto de la isla.", "Hay menos 12 barcos en el puerto de la isla."),
        ("Il y a au moins 12 bateaux dans le port de la ville.", "Il y a moins 12 bateaux dans le port de la ville."),
    ],
)
def test_at_least_a_number_is_no_minus(passage, sentence):
    assert not check_sentence(sentence, passage).supported


def test_a_short_sentence_is_read_in_the_language_of_its_passage():
    passage = "La deuda de la isla era de 1.050 euros en el puerto. La tasa no se elev\u00f3."
    assert check_sentence("La deuda de la isla era de 1050 euros en el puerto.", passage).supported


@pytest.mark.parametrize(
    "passage",
    [
        "Il traghetto non parte dal porto della citt\u00e0 alle 8. Il molo \u00e8 chiuso.",
        "O barco n\u00e3o sai do porto da cidade \u00e0s 8. O cais est\u00e1 fechado para obras.",
        "De veerboot vaart niet van het eiland op zondag om 8 uur. Het is koud.",
    ],
)
def test_other_languages_pass_word_for_word_only_and_say_so(passage):
    first, _, _ = passage.partition(". ")
    assert check_sentence(f"{first}.", passage).supported
    found = check_sentence(f"{first.replace('8', '9')}.", passage)
    assert not found.supported
    assert "only word-for-word quotes can be checked in this language" in found.reasons
