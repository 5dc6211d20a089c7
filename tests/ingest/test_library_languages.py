import pytest

from ingest.library_languages import (
    function_words_of,
    in_english,
    language_of,
    languages_of,
    marked_stem,
    may_be_in,
    parted,
    stems_in,
    stems_of,
)

TOLD = {
    "english": "How many houses were built in the year of the flood?",
    "german": "Wie viele Häuser wurden im Jahr der Flut gebaut?",
    "french": "Combien de maisons ont été construites dans l'année ?",
    "spanish": "¿Cuántas viviendas se construyeron en el año de la inundación?",
    "italian": "Quante case sono state costruite nell'anno della piena?",
    "portuguese": "Quantas casas foram construídas no ano da cheia?",
    "dutch": "Hoeveel huizen zijn er in het jaar van de vloed gebouwd?",
    "swedish": "Hur många hus byggdes och när var det?",
    "danish": "Hvor mange huse blev bygget efter det, og hvornår?",
    "finnish": "Kuinka monta taloa rakennettiin, ja milloin se oli?",
    "romanian": "Câte case au fost construite în anul acela și unde?",
    "hungarian": "Hány ház épült, és hol van az a falu?",
    "russian": "Сколько домов было построено и где?",
    "turkish": "Kaç ev yapıldı ve bu ne kadar sürdü?",
}


@pytest.mark.parametrize("language", TOLD)
def test_a_language_is_told_by_the_words_that_every_text_has(language):
    assert language_of(TOLD[language]) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Revenue 42 17",
        "Umsatz 2021",
        "東京の人口",
        "Ferry Pier Crane Hull Mast Keel Rope Sail, the Anchor, Winch Buoy Deck Gaff ",
    ],
)
def test_of_names_and_numbers_no_language_is_told(text):
    assert language_of(text) is None


def test_a_page_that_does_not_tell_its_language_has_that_of_most_pages():
    german, dutch, english = TOLD["german"], TOLD["dutch"], TOLD["english"]
    assert languages_of([german, "Umsatz 2021", english, german]) == ["german", "german", "german", "german"]
    assert languages_of([german, english, german, english, dutch])[-1] == "english"
    assert languages_of([german]) == ["german"]
    assert languages_of(["Umsatz 2021"]) == [None]
    assert languages_of([]) == []


def test_a_question_is_looked_for_in_its_own_language_or_in_all_where_it_does_not_tell():
    assert may_be_in(TOLD["german"], ["german", "spanish"]) == ["german"]
    assert may_be_in(TOLD["english"], ["german", "spanish"]) == []
    assert may_be_in("Haus", ["german", "spanish"]) == ["german", "spanish"]


def test_letters_that_no_space_parts_are_taken_in_pairs():
    assert parted("人口数は 5 万, 猫").split() == ["人口", "口数", "数は", "5", "万", ",", "猫"]
    assert parted("Fähre nach Brackholm") == "Fähre nach Brackholm"


def test_forms_of_a_word_have_one_stem_which_no_word_of_another_language_has():
    assert stems_in("Die Häuser und das Haus", "german") == ["haus0ger", "haus0ger"]
    assert stems_of("häusern", ["german", "spanish"])[0] == "haus0ger"
    assert stems_of("l'activité", ["french"]) == stems_in("activités", "french")
    assert stems_of("häuser", ["english"]) == stems_in("houses", "english") == stems_in("houses", None) == []
    assert stems_of("2021", ["german"]) == stems_of("p-10", ["german"]) == []


def test_half_of_a_surrogate_pair_is_a_word_like_others():
    assert stems_in("Häuser kaputt\ud800e", "german")[0] == "haus0ger"
    assert len(stems_of("kaputt\ud800e", ["german"])) == 1
    assert marked_stem("kaputt\ud800", "german") == "kaputt\ud8000ger"


def test_only_of_other_languages_than_english_the_common_words_are_told():
    assert {"wie", "viele", "im"} <= function_words_of(TOLD["german"])
    assert function_words_of(TOLD["english"]) == function_words_of("Kind") == frozenset()


@pytest.mark.parametrize("text", [TOLD["english"], "house price 2021", "2021", ""])
def test_what_no_other_language_claims_may_be_english(text):
    assert in_english(text)


@pytest.mark.parametrize(
    "text", [*(TOLD[language] for language in TOLD if language != "english"), "東京の人口", "Афины"]
)
def test_another_language_or_script_is_not_english(text):
    assert not in_english(text)
