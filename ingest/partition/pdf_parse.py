"""LiteParse on PDFs: its options, its batches, and its errors made ours. The only place that parses with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ingest.errors import BrokenError
from ingest.render import unlocked
from ingest.types import Source

if TYPE_CHECKING:
    from liteparse import LiteParse
    from liteparse.types import ParsedPage, ParseResult

BATCH_PAGES = 100
"""Pages that are parsed together; repeated headers and heading levels are judged within them."""


def parse_pages(source: Source, pages: Sequence[int], password: str | None = None) -> ParseResult:
    """These pages (from 1); those that the document does not have are left out.

    Raises:
        EncryptedError: the file needs a password.
        BrokenError: the file is damaged or is no PDF.
    """
    with _errors_of(source):
        result: ParseResult = unlocked(lambda given: _parser(pages, given).parse(source.path), password)
        return result


def parse_first(source: Source, password: str | None = None) -> tuple[ParseResult, int]:
    """The first ``BATCH_PAGES`` pages, and how many the document has.

    Raises:
        EncryptedError: the file needs a password.
        BrokenError: the file is damaged or is no PDF.
    """
    with _errors_of(source):
        for batch in unlocked(lambda given: _parser((), given).parse_batches(source.path, BATCH_PAGES), password):
            return batch.result, batch.total_pages
    raise BrokenError("broken PDF: it has no pages")


def parse_sheet(pdf: bytes) -> ParsedPage:
    """The one page of a PDF that was typeset from recognised lines."""
    page: ParsedPage = _parser(()).parse(pdf).pages[0]
    return page


@contextmanager
def _errors_of(source: Source) -> Iterator[None]:
    from liteparse import ParseError

    try:
        yield
    except FileNotFoundError as exc:
        raise BrokenError("the file vanished while it was read") from exc
    except ParseError as exc:
        raise _mapped(source, exc) from exc


def _parser(pages: Sequence[int], password: str | None = None) -> LiteParse:
    from liteparse import LiteParse

    return LiteParse(
        ocr_enabled=False,
        quiet=True,
        output_format="markdown",
        extract_blocks=True,
        emit_word_boxes=True,
        include_complexity=True,
        extract_images=True,
        extract_vector_graphics=True,
        extract_links=False,
        extract_text_metadata=True,
        continue_on_page_error=True,
        target_pages=",".join(map(str, pages)) if pages else None,
        password=password,
    )


def _mapped(source: Source, exc: Exception) -> BrokenError:
    if source.size == 0:
        return BrokenError("empty file (0 bytes)")
    return BrokenError(f"broken PDF: {exc}")
