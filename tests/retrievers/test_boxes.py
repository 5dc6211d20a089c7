"""The boxes of quotes over a real PDF, beside a text search of its pages by another program."""

import random
from pathlib import Path

from ingest.discover import identify
from ingest.library import Library
from ingest.partition import PartitionOptions, partition
from tests.bench.boxes import LEAST_OVERLAP, compare, samples
from tests.retrievers.made import put

REPORT = Path(__file__).parents[2] / "samples" / "report.pdf"


def test_boxes_of_quotes_lie_where_a_text_search_finds_the_words(tmp_path):
    read = partition(identify(str(REPORT), max_bytes=10**7), PartitionOptions(images="off"))
    with Library(tmp_path / "lib", create=True) as library:
        put(library, REPORT.name, read.elements, read.pages, original=REPORT, kind="pdf")
        found = [compare(library, *one) for one in samples(library, 100, random.Random(1))]
    overlaps = [c.overlap for c in found if c.overlap is not None]
    assert len(overlaps) >= 10
    assert sum(overlap >= LEAST_OVERLAP for overlap in overlaps) / len(overlaps) >= 0.98
