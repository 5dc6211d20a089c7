from ingest.library_names import forms_in, names_of
from ingest.library_words import word_hash

PAGES = [
    "FORM 10-K of Northquay plc for the year ended June 30, 2023",
    "Northquay sold more ferries in 2023 than in 2022. The harbour was full.",
    "In 2023 the board of Northquay met often. Ferries were repaired.",
    "The auditors were paid in 2023, as the ferries were.",
    "Northquay\u2019s harbour. Trading began in 1998.",
]


def weight(word: str, pages: list[str] = PAGES) -> float:
    return names_of(pages).get(word_hash(word), 0.0)


def test_a_name_that_recurs_names_its_document_and_one_that_does_not_does_not():
    assert weight("northquay") == 1.0
    assert weight("trading") == 0.0


def test_a_word_that_is_also_written_small_is_no_name():
    assert weight("ferries") == 0.0
    assert weight("the") == 0.0


def test_of_the_years_the_one_that_stands_most_often_counts_most():
    assert weight("2023") == 1.0
    assert weight("2022") == 0.0
    assert weight("2022", [*PAGES, "As in 2022."]) == 0.5


def test_the_kind_of_a_form_names_the_document_on_whose_first_page_it_stands():
    assert weight("10k") == 1.0
    assert weight("10k", PAGES[1:]) == 0.0
    assert forms_in("the 8k filing and the 10-Q") == ["8k", "10q"]


def test_a_short_document_is_not_about_all_names_in_it():
    assert weight("northquay", PAGES[:3]) == 0.0
    assert names_of([]) == {}
