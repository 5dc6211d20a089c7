import pytest

from ingest.types import Chunk, Hit
from retrievers.comparison import FOREMOST, compared, in_turn, sides_of, with_sides
from retrievers.query import read_query

SIDES = {
    "How did dues differ between Halvane and Brackholm?": [
        "How did dues differ Halvane ?",
        "How did dues differ Brackholm ?",
    ],
    "What is the difference between 2019 and 2020 in sales?": [
        "What is the difference 2019 in sales?",
        "What is the difference 2020 in sales?",
    ],
    "Is ice sold for both herring and cod?": ["Is ice sold for herring ?", "Is ice sold for cod ?"],
    "Cod vs. eel": ["Cod", "eel"],
    "How did sales change from 2019 to 2020?": ["How did sales change 2019 ?", "How did sales change 2020 ?"],
    "Unterschied zwischen Dorsch und Hering": ["Unterschied Dorsch", "Unterschied Hering"],
    "Was dues revenue higher in 2021 compared to 2022?": [
        "Was dues revenue higher in 2021 ?",
        "Was dues revenue higher in 2022 ?",
    ],
    "Who chairs the board?": [],
    "c" * 60_000: [],
    "What stands between the lines?": [],
}


def hit(number: int, source: str = "s") -> Hit:
    chunk = Chunk(chunk_id=str(number), source_id=source, index=number, kind="text", text="t")
    return Hit(chunk=chunk, doc=source, path=source, score=1 - number / 100, matched="text")


def numbers(hits) -> list[int]:
    return [hit.chunk.index for hit in hits]


@pytest.mark.parametrize("question", SIDES)
def test_a_comparison_is_asked_for_each_of_its_sides(question):
    assert sides_of(question) == SIDES[question]


def test_only_documents_of_which_each_has_a_name_of_its_own_are_set_side_by_side():
    asked = read_query("Compare North Quay and Tidemark")
    assert compared(asked, {"a": {"northquay": 1.0}, "b": {"tidemark": 0.6}}) == ["a", "b"]
    assert compared(asked, {"a": {"northquay": 1.0}, "b": {"tidemark": 0.3}}) == []
    assert compared(asked, {"a": {"northquay": 1.0}, "b": {"northquay": 1.0}}) == []


def test_compared_documents_come_in_turn_and_scores_still_fall():
    hits = [hit(0, "a"), hit(1, "a"), hit(2, "a"), hit(3, "b"), hit(4, "c")]
    turned = in_turn(hits, ["b", "a"])
    assert numbers(turned) == [0, 3, 1, 2, 4]
    assert [h.score for h in turned] == [h.score for h in hits]
    assert in_turn(hits, []) == hits
    assert in_turn([], ["a"]) == []


def test_a_side_that_is_missing_takes_a_place_among_the_first():
    hits = [hit(n) for n in range(9)]
    assert numbers(with_sides(hits, [hit(0), hit(2)])) == list(range(9))
    assert numbers(with_sides(hits, [hit(7), hit(50)]))[:FOREMOST] == [0, 1, 2, 7, 50]
    assert sorted(numbers(with_sides(hits, [hit(7), hit(50)]))) == [*range(9), 50]
    assert with_sides([], [hit(1)]) == []
