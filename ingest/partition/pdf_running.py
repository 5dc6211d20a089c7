"""Texts that run along on many pages of a document: found by what they say and where, not by a look at every other."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator

from ingest.types import Element

SAME_PLACE = 4.0
"""Points by which a running header may move from page to page."""
_NUMBER_DIGITS = 18
"""Digits of a number that may count pages; longer ones are codes."""


class RunningTexts:
    """The elements of a document by their texts and heights on the page, so that each meets those like it alone."""

    def __init__(self, elements: Iterable[Element]) -> None:
        self._alike: dict[Hashable, dict[int, Element]] = {}
        for element in elements:
            for key in _keys(element, 0):
                self._alike.setdefault(key, {})[id(element)] = element

    def drop(self, element: Element) -> None:
        """Forget an element."""
        for key in _keys(element, 0):
            self._alike.get(key, {}).pop(id(element), None)

    def runs(self, element: Element) -> bool:
        """Whether another page has the same text in the same place, but for the page's number in it."""
        keys = (key for step in (-1, 0, 1) for key in _keys(element, step))
        return any(_run(element, other) for key in keys for other in self._alike.get(key, {}).values())

    def repeats(self, element: Element) -> bool:
        """Whether another element of its category has its text, wherever it stands."""
        return len(self._alike.get((element.category, element.text), ())) > 1


def _keys(element: Element, step: int) -> Iterator[Hashable]:
    """What elements that run along have in common with each other, one of them at least; ``step`` bands lower."""
    if element.category == "Table" or not element.boxes:
        return
    parts = _parts(element.text)
    if step == 0:
        yield element.category, element.text
    band = element.boxes[0].box[1] // SAME_PLACE + step
    words = (element.category, band, tuple(parts[::2]))
    number = parts[1] if len(parts) > 1 else ""
    yield *words, number
    if (counted := _count(number)) is not None:
        yield *words, counted - (element.page_number or 0)


def _parts(text: str) -> list[str]:
    """Words and numbers in turn."""
    return re.split(r"(\d+)", text)


def _count(number: str) -> int | None:
    return int(number) if number.isdecimal() and len(number) <= _NUMBER_DIGITS else None


def _run(element: Element, other: Element) -> bool:
    """Whether two elements are the same text in the same place of two pages, but for the page's number in it."""
    if other.category != element.category or other.page_number == element.page_number:
        return False
    if abs(element.boxes[0].box[1] - other.boxes[0].box[1]) > SAME_PLACE:
        return False
    pages = (other.page_number or 0) - (element.page_number or 0)
    one, two = _parts(element.text), _parts(other.text)
    turned = element.category != "Title" and len(one) == len(two)
    return one == two or (turned and all(a == b or _differ_by(a, b, pages) for a, b in zip(one, two, strict=True)))


def _differ_by(a: str, b: str, pages: int) -> bool:
    one, two = _count(a), _count(b)
    return one is not None and two is not None and two - one == pages
