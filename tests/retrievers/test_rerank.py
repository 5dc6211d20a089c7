import pytest

from ingest.errors import ModelError, WeightsError
from ingest.types import Chunk, Hit
from retrievers.rerank import AT_ONCE, RERANKED, CrossEncoder, load_reranker, reorder


def hit(number: int, text: str = "text", score: float = 0.5) -> Hit:
    chunk = Chunk(chunk_id=str(number), source_id="s", index=number, kind="text", text=text)
    return Hit(chunk=chunk, doc="a.pdf", path="a.pdf", score=score, matched="text")


class ByNumber:
    """Likes the hits with high numbers."""

    name = "by number"

    def scores(self, question, hits):
        return [float(h.chunk.index) for h in hits]


class Failing:
    name = "failing"

    def scores(self, question, hits):
        raise ModelError("no")


def test_both_scores_count():
    before = [hit(3, score=0.2), hit(9, score=0.1), hit(1, score=0.9)]
    assert [h.chunk.index for h in reorder(ByNumber(), "q", before)] == [1, 9, 3]


def test_a_hit_that_the_reranker_likes_best_rises():
    before = [hit(n) for n in (0, 1, 9, 2, 3)]
    assert [h.chunk.index for h in reorder(ByNumber(), "q", before)] == [9, 3, 2, 1, 0]


def test_the_score_of_a_hit_does_not_hang_on_the_others():
    alone, beside = reorder(ByNumber(), "q", [hit(4)]), reorder(ByNumber(), "q", [hit(n) for n in (7, 4, 0)])
    assert 0 < alone[0].score < 1
    assert alone[0] == beside[1]


def test_scores_fall_and_what_is_not_read_again_stays_behind():
    before = [hit(n, score=1 - n / 100) for n in range(RERANKED + 5)]
    found = reorder(ByNumber(), "q", before, seconds=60)
    assert [h.chunk.index for h in found[RERANKED:]] == list(range(RERANKED, RERANKED + 5))
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)
    assert sorted(h.chunk.index for h in found) == list(range(RERANKED + 5))


class Slow(ByNumber):
    """Takes a second for each time that it is asked, by a clock of its own."""

    def __init__(self):
        self.now, self.asked = 0.0, []

    def scores(self, question, hits):
        self.now += 1.0
        self.asked.append(len(hits))
        return super().scores(question, hits)


@pytest.mark.parametrize(("seconds", "times"), [(0.1, 1), (1.9, 1), (2.0, 2), (99.0, 3)])
def test_what_is_not_read_in_time_keeps_its_place_behind_what_was(seconds, times):
    before = [hit(n, score=1 - n / 100) for n in range(RERANKED)]
    slow = Slow()
    found = reorder(slow, "q", before, seconds, lambda: slow.now)
    assert slow.asked == [AT_ONCE] * times
    assert found[0].chunk.index < times * AT_ONCE
    assert [h.chunk.index for h in found[times * AT_ONCE :]] == list(range(times * AT_ONCE, RERANKED))
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)


def test_where_nothing_is_found_nothing_is_read():
    assert reorder(Failing(), "q", []) == []


def test_log_odds_beyond_all_measure_are_a_likelihood_too():
    found = reorder(ByNumber(), "q", [hit(-1_000_000), hit(1_000_000)])
    assert [h.score for h in found] == [1.0, 0.0]


def test_a_model_that_fails_is_no_silent_loss():
    with pytest.raises(ModelError):
        reorder(Failing(), "q", [hit(0), hit(1)])


def test_a_broken_model_is_named():
    with pytest.raises(WeightsError, match="reranker broken"):
        CrossEncoder("broken", b"no model", b"{}")


@pytest.fixture(scope="module")
def packaged():
    return load_reranker()


def test_the_packaged_model_tells_an_answer_from_other_text(packaged):
    texts = ["The canteen serves fish on Fridays.", "The harbour master of Halvane is Ida Brandt.", "Ice is cold."]
    scores = packaged.scores("Who is the harbour master of Halvane?", [hit(n, t) for n, t in enumerate(texts)])
    assert scores.index(max(scores)) == 1


def test_a_pair_has_the_same_score_beside_others_and_alone(packaged):
    hits = [hit(0, "Ida Brandt is the harbour master."), hit(1, "ice " * 700), hit(2, "")]
    together = packaged.scores("Who is harbour master?", hits)
    assert together == [packaged.scores("Who is harbour master?", [h])[0] for h in hits]


def test_of_a_long_passage_the_part_with_the_words_is_read(packaged):
    filler = "The weather was fair and nothing else was noted on that day. " * 60
    long = hit(0, filler + "The harbour master is Ida Brandt. " + filler)
    (with_answer, without) = packaged.scores("Who is the harbour master?", [long, hit(1, filler)])
    assert with_answer > without + 2
