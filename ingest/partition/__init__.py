"""Partition: ``Source -> Partition``, one module a family of formats.

Each module has ``partition(source: Source, options: PartitionOptions) -> Partition``. ``FORMATS`` is the only
list of what is read; discovery, help texts and the README's table come from it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from ingest.errors import MissingExtraError, UnsupportedError, UsageError
from ingest.types import Partition, Source

ImageMode = Literal["auto", "llava", "ocr", "off"]
Parser = Literal["auto", "fast", "careful"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionOptions:
    """What changes the outcome of a partition; part of the key under which it is cached.

    ``pages`` limits a paged source to these pages (from 1); ``None`` reads all.
    """

    parser: Parser = "auto"
    images: ImageMode = "auto"
    pages: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.parser not in get_args(Parser):
            raise UsageError(f"unknown parser {self.parser!r}; known are {', '.join(get_args(Parser))}")
        if self.pages is not None and min(self.pages, default=1) < 1:
            raise UsageError("pages count from 1")


class Partitioner(Protocol):
    """The seat of a partitioner: a module or object with this one function."""

    def partition(self, source: Source, options: PartitionOptions) -> Partition:
        """Read a source.

        Raises:
            SourceError: the source is encrypted, broken or not of its type.
        """
        ...


class PagedPartitioner(Partitioner, Protocol):
    """A partitioner that leaves pages ``unread`` and reads them later, one by one and in parallel."""

    def read_pages(self, source: Source, pages: Sequence[int], options: PartitionOptions) -> Partition:
        """Read these pages (from 1) the slow way."""
        ...

    def join(self, source: Source, first: Partition, parts: Sequence[Partition]) -> Partition:
        """The whole of a partition and the parts that were read later."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that is read: its name, file extensions, the module and library that read it, and what is kept.

    ``needs`` is the package that the ``extra`` installs.
    """

    name: str
    extensions: tuple[str, ...]
    module: str
    library: str
    keeps: str
    extra: str | None = None
    needs: str | None = None


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format(
            name="pdf",
            extensions=(".pdf",),
            module="ingest.partition.pdf",
            library="liteparse",
            keeps="headings, paragraphs, lists, tables with cell boxes, pictures, captions, word boxes",
        ),
        Format(
            name="docx",
            extensions=(".docx",),
            module="ingest.partition.office",
            library="unstructured, python-docx",
            keeps="headings, paragraphs, lists, tables with merged cells, pictures with captions",
        ),
        Format(
            name="html",
            extensions=(".html", ".htm", ".xhtml"),
            module="ingest.partition.web",
            library="unstructured, lxml",
            keeps="headings, paragraphs, lists, tables with merged cells, code, pictures in the page, captions",
        ),
        Format(
            name="md",
            extensions=(".md", ".markdown"),
            module="ingest.partition.text",
            library="unstructured, markdown-it-py",
            keeps="headings, paragraphs, lists, tables, code",
        ),
        Format(
            name="txt",
            extensions=(".txt", ".text", ".log"),
            module="ingest.partition.text",
            library="unstructured",
            keeps="titles, paragraphs, lists",
        ),
        Format(
            name="pptx",
            extensions=(".pptx",),
            module="ingest.partition.slides",
            library="python-pptx, unstructured",
            keeps="titles, text, lists, tables with merged cells, charts' data, diagrams, pictures, notes, shape boxes",
        ),
        Format(
            name="eml",
            extensions=(".eml",),
            module="ingest.partition.mail",
            library="email (standard library), unstructured",
            keeps="subject, sender, date, text, pictures in the text; what is attached is read as documents of its own",
        ),
        Format(
            name="image",
            extensions=(".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif"),
            module="ingest.partition.picture",
            library="pillow, rapidocr",
            keeps="the picture, its text by OCR with word boxes; a frame of a TIFF is a page",
        ),
        Format(
            name="xlsx",
            extensions=(".xlsx", ".xlsm"),
            module="ingest.partition.sheets",
            library="lxml",
            keeps="each block of cells a table as the sheet shows it, merged cells, headers, titles, notes",
        ),
        Format(
            name="csv",
            extensions=(".csv", ".tsv"),
            module="ingest.partition.sheets",
            library="csv (standard library)",
            keeps="the records as a table; encoding, delimiter and quotes are found, broken lines named",
        ),
        Format(
            name="parquet",
            extensions=(".parquet",),
            module="ingest.partition.sheets",
            library="pyarrow",
            keeps="the records as a table",
            extra="parquet",
            needs="pyarrow",
        ),
        # Told by content alone: most .html and .json files are none.
        Format(
            name="addon",
            extensions=(),
            module="ingest.partition.addons",
            library="lxml",
            keeps="description, permissions, release notes, a table of facts; each add-on of a list by itself",
        ),
    )
}


def lacking(name: str) -> MissingExtraError | None:
    """The error, with its install line, of a format whose package is not installed."""
    form = FORMATS[name]
    if form.extra is None or form.needs is None or importlib.util.find_spec(form.needs) is not None:
        return None
    return MissingExtraError(form.extra, f"reading {name}")


def partitioner_for(source: Source) -> Partitioner:
    """The partitioner of a source's format.

    Raises:
        UnsupportedError: the format is not read.
    """
    found = FORMATS.get(source.format)
    if found is None:
        raise UnsupportedError(f"not a type that is read: {source.format}")
    module: Partitioner = importlib.import_module(found.module)
    return module


def partition(source: Source, options: PartitionOptions | None = None) -> Partition:
    """Partition one source in this process, without limits; ``ingest.pipeline`` does it in a worker.

    Raises:
        SourceError: the source is encrypted, broken or not of a type that is read.
    """
    options = options or PartitionOptions()
    first = partition_text(source, options)
    return join(source, first, [read_pages(source, first.unread, options)]) if first.unread else first


def partition_text(source: Source, options: PartitionOptions) -> Partition:
    """Partition one source but for the pages that need OCR, which are named in ``unread``.

    Raises:
        SourceError: as ``partition``.
    """
    return partitioner_for(source).partition(source, options)


def read_pages(source: Source, pages: Sequence[int], options: PartitionOptions) -> Partition:
    """Read pages that a partition left ``unread``: by OCR, seconds a page.

    Raises:
        SourceError: a page cannot be read.
    """
    return _paged(source).read_pages(source, pages, options)


def join(source: Source, first: Partition, parts: Sequence[Partition]) -> Partition:
    """A partition with its unread pages, read since, in their places."""
    return _paged(source).join(source, first, parts)


def _paged(source: Source) -> PagedPartitioner:
    found: PagedPartitioner = importlib.import_module(FORMATS[source.format].module)
    return found


def count_by_category(result: Partition) -> dict[str, int]:
    """How many elements of each category a partition has, by falling count."""
    counts: dict[str, int] = {}
    for element in result.elements:
        counts[element.category] = counts.get(element.category, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def format_of_extension(suffix: str) -> str | None:
    """The name of the format that has this extension (with its dot), if any."""
    wanted = suffix.lower()
    return next((f.name for f in FORMATS.values() if wanted in f.extensions), None)


def format_of_text(head: bytes) -> str | None:
    """The format of a text whose extension does not tell it, by its first bytes: an add-on's page or record."""
    addons = importlib.import_module(FORMATS["addon"].module)
    tests = (addons.is_addon_page, addons.is_addon_record, addons.is_addon_list)
    return "addon" if any(test(head) for test in tests) else None


def extensions() -> Sequence[str]:
    """Every extension that is read, in the order of ``FORMATS``."""
    return [e for f in FORMATS.values() for e in f.extensions]
