"""Text fragments of web pages, as browsers read them (wicg.github.io/scroll-to-text-fragment)."""

import pytest

from retrievers.links import text_fragment

PAGE = "https://example.org/notice"


def link(text: str, quote: str, *, path: str = PAGE, cells=()) -> str | None:
    start = text.index(quote)
    return text_fragment(path, text, start, start + len(quote), cells)


def test_a_quote_of_a_file_has_no_link():
    assert link("The pier opens.", "The pier", path="docs/notice.html") is None


def test_a_short_quote_is_given_whole():
    assert link("The pier opens at six.", "The pier opens") == f"{PAGE}#:~:text=The%20pier%20opens"


def test_what_the_format_itself_uses_is_encoded():
    found = link("Ends, starts & re-opens: 50% off", "Ends, starts & re-opens: 50% off")
    assert found == f"{PAGE}#:~:text=Ends%2C%20starts%20%26%20re%2Dopens%3A%2050%25%20off"


def test_other_scripts_are_encoded_as_utf8():
    assert link("\u6771\u4eac", "\u6771\u4eac") == f"{PAGE}#:~:text=%E6%9D%B1%E4%BA%AC"


def test_a_long_quote_is_given_by_its_ends():
    words = [f"word{n}" for n in range(30)]
    assert link(" ".join(words), " ".join(words)) == (
        f"{PAGE}#:~:text=word0%20word1%20word2%20word3%20word4,word25%20word26%20word27%20word28%20word29"
    )


def test_a_quote_over_lines_is_given_by_its_first_and_last_line():
    assert link("Fares rose:\nAdults 8 euros.\n", "Fares rose:\nAdults 8 euros.") == (
        f"{PAGE}#:~:text=Fares%20rose%3A,Adults%208%20euros."
    )


def test_a_table_row_is_given_by_its_first_and_last_cell():
    assert link("Adult 7.80 8.20", "Adult 7.80 8.20", cells=["Adult", "7.80", "8.20"]) == f"{PAGE}#:~:text=Adult,8.20"


def test_a_quote_that_stands_twice_is_told_apart_by_what_is_beside_it():
    text = "On Monday the pier is shut, on Sunday the pier is shut too."
    start = text.rindex("the pier is shut")
    assert text_fragment(PAGE, text, start, start + len("the pier is shut")) == (
        f"{PAGE}#:~:text=shut%2C%20on%20Sunday-,the%20pier%20is%20shut,-too."
    )


def test_words_of_another_line_are_no_context():
    text = "shut\nshut"
    assert text_fragment(PAGE, text, 5, 9) == f"{PAGE}#:~:text=shut"


@pytest.mark.parametrize(
    ("path", "begin"), [(f"{PAGE}#top", f"{PAGE}#top:~:text="), (f"{PAGE}?a=1", f"{PAGE}?a=1#:~:text=")]
)
def test_an_address_keeps_its_own_fragment_and_query(path, begin):
    assert link("The pier", "The pier", path=path) == f"{begin}The%20pier"
