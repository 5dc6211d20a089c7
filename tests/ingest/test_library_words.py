import numpy as np

from ingest.library_words import BODY, TITLE, pack_words, word_hashes
from retrievers.check_words import stem_of
from retrievers.language import stem


def counts(title: str, body: str) -> dict[int, int]:
    packed = pack_words(title, body)
    words = np.frombuffer(packed.words, dtype="<u4").tolist()
    return dict(zip(words, packed.counts, strict=True))


def test_forms_of_a_word_and_ways_to_write_a_number_are_one_word():
    assert word_hashes("Companies 1,577") == word_hashes("company 1577")
    assert word_hashes("Café") == word_hashes("cafe")
    assert word_hashes("FY2021") == word_hashes("fy 2021")
    assert word_hashes("ferry") != word_hashes("pier")


def test_a_word_in_a_heading_counts_less_than_one_in_the_text():
    (ferry,) = word_hashes("ferry")
    assert counts("Ferries", "the ferry, a ferry")[ferry] == TITLE + 2 * BODY


def test_a_text_of_one_word_does_not_overflow():
    assert counts("", "ice " * 500) == {word_hashes("ice")[0]: 255}
    assert pack_words("", "ice " * 500).length == 500


def test_half_of_a_surrogate_pair_is_a_word_like_others():
    assert len(word_hashes("broken \ud800 text")) in (2, 3)


def test_half_of_a_surrogate_pair_leaves_no_other_reader_of_words_without_an_answer():
    assert stem("broken\ud800") == stem("broken\ud801")
    assert stem_of("broken\ud800", "en") == stem_of("broken\ud801", "en")
