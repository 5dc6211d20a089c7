import pytest

from ingest.library_search import Outline, rarest
from ingest.library_words import pack_words
from retrievers.wording import rarities, word_scores


def outline(key: int, text: str, title: str = "") -> Outline:
    return Outline(key, "s", key, "text", "[1]", *pack_words(title, text))


RARITY = rarities({"ferry": 50, "halibut": 2}, 100)


def test_a_rare_word_counts_more_than_a_common_one():
    scores = word_scores(RARITY, [outline(1, "a ferry sails"), outline(2, "halibut is sold")])
    assert scores[2] > 10 * scores[1] > 0


def test_a_chunk_without_the_words_has_no_score():
    assert word_scores(RARITY, [outline(1, "ice and rope"), outline(2, "the halibuts")]).keys() == {2}
    assert word_scores({}, [outline(1, "halibut")]) == {}
    assert word_scores(RARITY, []) == {}


def test_of_two_chunks_with_a_word_the_shorter_and_the_one_that_repeats_it_score_higher():
    short, long = outline(1, "halibut here"), outline(2, "halibut here " + "and rope " * 30)
    twice = outline(3, "halibut halibut")
    scores = word_scores(RARITY, [short, long, twice])
    assert scores[3] > scores[1] > scores[2]


def test_a_word_that_all_have_still_tells_a_chunk_from_one_without_it():
    scores = word_scores(rarities({"ferry": 100}, 100), [outline(1, "ferry"), outline(2, "pier")])
    assert scores[1] > 0
    assert 2 not in scores


@pytest.mark.parametrize(
    ("places", "first"), [(100, ["a", "b", "c"]), (60, ["a", "b", "c"]), (59, ["a", "b"]), (1, ["a"])]
)
def test_the_rarest_words_choose_up_to_a_number_of_places(places, first):
    assert rarest({"c": 40, "a": 2, "b": 18}, places) == (first, [t for t in "abc" if t not in first])
