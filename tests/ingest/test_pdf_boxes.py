"""Boxes that touch are made one, whatever the order in which they come to touch."""

import pytest

from ingest.partition.pdf_boxes import merged, overlaps, touching_groups


def test_boxes_that_touch_are_one_and_others_stay_apart():
    assert merged([(0, 0, 10, 10), (30, 0, 40, 10), (8, 5, 20, 12)]) == [(30, 0, 40, 10), (0, 0, 20, 12)]


def test_a_box_that_grows_takes_in_what_ended_above_the_last_box_added():
    tall, short, bridge = (0, 0, 5, 50), (20, 0, 25, 5), (4, 40, 30, 45)
    assert merged([tall, short, bridge]) == [(0, 0, 30, 50)]
    assert touching_groups([tall, short, bridge]) == [[0, 1, 2]]


@pytest.mark.parametrize("gap", [0.0, 3.0])
def test_no_two_of_the_merged_boxes_touch_and_every_box_is_in_one_group(gap):
    boxes = [(float(x), float(y), x + 6.0, y + 4.0) for i in range(60) for x, y in [(i * 37 % 101, i * 53 % 97)]]
    found = merged(boxes, gap)
    assert 1 < len(found) < len(boxes)
    assert not any(overlaps(a, b, gap) for i, a in enumerate(found) for b in found[:i])
    assert sorted(i for group in touching_groups(boxes, gap) for i in group) == list(range(60))
