"""What a page's elements have of its words: what is lost, what is said twice."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.partition.pdf_loss import is_said, loss_warnings, lost_words
from ingest.partition.pdf_words import page_element
from ingest.types import Element, Word

BOX = (0.0, 0.0, 1.0, 1.0)
TEXT = "The cooperative runs four ferry routes between the port and the islands of the sound"


def words(text: str) -> list[Word]:
    return [Word(word, BOX) for word in text.split()]


def elements(*texts: str) -> list[Element]:
    return [page_element(4, "NarrativeText", text, BOX) for text in texts]


def test_words_that_are_all_in_elements_are_no_loss_in_whatever_order():
    loss = lost_words(words(TEXT), elements(TEXT[21:], TEXT[:21]))
    assert (loss.share, loss.lost, loss.twice) == (1.0, (), ())
    assert list(loss_warnings(4, loss)) == []


def test_hyphens_spaces_and_marks_do_not_count():
    assert (
        lost_words(
            words("the co- operative runs (2 .4) routes,now"), elements("the cooperative runs (2.4) routes, now")
        ).share
        == 1
    )


def test_a_warning_names_the_page_and_the_first_words_that_were_dropped():
    loss = lost_words(words(TEXT), elements(TEXT.replace("four ferry routes ", "")))
    assert loss.lost == ("four", "ferry", "routes")
    assert list(loss_warnings(4, loss)) == ["page 4: 21% of its text was lost, first: “four ferry routes”"]


def test_a_word_that_is_there_once_too_seldom_is_lost_though_it_stands_elsewhere():
    assert lost_words(words("no dogs and no cats"), elements("no dogs and cats")).lost == ("no",)


def test_the_letters_of_one_word_do_not_make_up_for_another():
    assert lost_words(words("listen now"), elements("silent now")).lost == ("listen",)


def test_text_that_stands_in_two_elements_is_said_twice():
    loss = lost_words(words(TEXT), elements(TEXT, TEXT))
    assert loss.twice == tuple(TEXT.split())
    assert "15 words are there twice, first: “The cooperative runs" in next(loss_warnings(4, loss))


def test_text_that_the_page_does_not_have_is_not_said_twice():
    assert lost_words(words(TEXT), elements(TEXT, "a text read from a picture that is drawn on this page")).twice == ()


def test_a_page_without_words_has_no_share():
    assert lost_words([], elements("read from a picture")).share is None


@given(st.lists(st.text("abcd-", min_size=1, max_size=6), min_size=1), st.data())
def test_the_share_is_what_is_left_of_the_letters(parts, data):
    kept = data.draw(st.lists(st.sampled_from(parts), max_size=len(parts), unique=True))
    share = lost_words(words(" ".join(parts)), elements(" ".join(kept))).share
    assert share is None or 0 <= share <= 1
    assert lost_words(words(" ".join(parts)), elements(" ".join(parts))).share in (None, 1)


def test_a_line_is_said_where_its_words_stand_in_its_order_not_where_each_stands_somewhere():
    said = "Theflowisneitherlaminarnorturbulentforallifthevelocityislow"
    assert not is_said(words("called low if it is for the turbine"), said)
    assert is_said(words("neither laminar nor turbulent"), said)
