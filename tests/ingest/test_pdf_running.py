import pytest

from ingest.partition.pdf_running import RunningTexts
from ingest.types import Element, PageBox


def text(page: int, said: str, top: float = 30.0, category: str = "NarrativeText") -> Element:
    box = PageBox(page=page, box=(72.0, top, 300.0, top + 10.0))
    return Element(element_id=f"{page}-{top}", category=category, text=said, page_number=page, boxes=(box,))


def run(*elements: Element) -> list[bool]:
    running = RunningTexts(elements)
    return [running.runs(element) for element in elements]


def test_a_text_runs_where_another_page_has_it_in_the_same_place():
    assert run(text(1, "Annual report"), text(2, "Annual report", top=33.9), text(3, "Other")) == [True, True, False]
    assert run(text(1, "Annual report"), text(2, "Annual report", top=34.1)) == [False, False]
    assert run(text(1, "Annual report"), text(1, "Annual report")) == [False, False]
    assert run(text(1, "Annual report"), text(2, "Annual report", category="Title")) == [False, False]


@pytest.mark.parametrize(
    ("one", "two", "runs"),
    [
        ("Report 1 of 9", "Report 2 of 9", True),
        ("2024, page 1", "2024, page 2", True),
        ("Report 1 of 9", "Report 3 of 9", False),
        ("Report 1 of 9", "Report 2 of 8", False),
        ("Report 1", "Annual 2", False),
        ("9" * 5000, "9" * 5000, True),
        ("8" * 5000, "9" * 5000, False),
    ],
)
def test_the_number_of_the_page_may_turn_in_it(one, two, runs):
    assert run(text(1, one), text(2, two)) == [runs, runs]


def test_a_title_that_counts_is_no_running_text():
    assert run(text(1, "Part 1", category="Title"), text(2, "Part 2", category="Title")) == [False, False]
    assert run(text(1, "Part 1", category="Title"), text(2, "Part 1", category="Title")) == [True, True]


def test_a_text_that_was_dropped_no_longer_counts():
    one, two = text(1, "Annual report"), text(2, "Annual report")
    running = RunningTexts([one, two])
    assert running.repeats(one)
    running.drop(two)
    assert not running.runs(one)
    assert not running.repeats(one)


def test_each_text_meets_only_those_like_it(monkeypatch):
    compared = []
    monkeypatch.setattr(
        "ingest.partition.pdf_running._run", lambda element, other: compared.append(other) or element is not other
    )
    elements = [text(page, f"Record {page * page}") for page in range(1, 400)]
    run(*elements)
    assert len(compared) < 10 * len(elements)
