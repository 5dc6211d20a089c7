"""OCR of made pictures, a small part of ``tests.bench.ocr_pictures``: what is planted is found."""

import pytest

from tests.bench.ocr_pictures import KINDS, made, missed


@pytest.mark.parametrize("number", [0, 4], ids=["bars", "letter"])
def test_the_strings_of_a_chart_and_of_a_photographed_letter_are_read(number):
    planted = made(number)
    assert planted.kind in KINDS
    assert len(missed(planted)) <= 0.05 * len(planted.strings)
