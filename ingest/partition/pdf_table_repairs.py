"""What a page's own words and lines mend in its tables, before a model is asked."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.partition.pdf_table_heads import with_heads
from ingest.partition.pdf_table_numbers import with_number_tables
from ingest.partition.pdf_table_ruled import with_ruled_tables
from ingest.partition.pdf_words import PageText
from ingest.types import Element


def mended(work: PageText, elements: Sequence[Element]) -> list[Element]:
    """The elements of a page with tables made whole from what is drawn and written on it."""
    return with_heads(work, with_number_tables(work, with_ruled_tables(work, elements)))
