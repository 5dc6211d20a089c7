"""Partition: ``Source -> Partition``, one module a family of formats.

Each module has ``partition(source: Source, options: PartitionOptions) -> Partition``. ``FORMATS`` is the only
list of what is read; discovery, help texts and the README's table come from it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol, get_args

from ingest.errors import MissingExtraError, UnsupportedError, UsageError
from ingest.images import without_decoration
from ingest.types import Partition, Source

ImageMode = Literal["auto", "llava", "ocr", "off"]
Parser = Literal["auto", "fast", "careful", "llamaparse"]
CLOUD_FORMATS = ("pdf", "docx", "pptx", "xlsx", "doc", "ppt", "xls", "odt", "ods", "odp", "rtf", "epub", "image")
"""Formats that LlamaParse reads when it is asked for; texts, web pages and mail gain nothing by leaving the machine."""

OWN_PICTURES = ("pdf", "image")
"""Formats whose readers tell decoration themselves: by its size on the page, or a file that is a picture is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAccess:
    """How LlamaParse is reached, how long one document may take in seconds, and the library that keeps what it gave."""

    url: str
    key: str | None = field(default=None, repr=False)
    tier: str = "agentic"
    seconds: float = 550.0
    folder: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionOptions:
    """What changes the outcome of a partition; part of the key under which it is cached.

    ``pages`` limits a paged source to these pages (from 1); ``None`` reads all. ``cloud`` is how the parser
    ``llamaparse`` reaches its service. ``password`` opens encrypted PDFs; it changes no outcome, so it is no part of
    the key, and it is shown and stored nowhere.
    """

    parser: Parser = "auto"
    images: ImageMode = "auto"
    pages: tuple[int, ...] | None = None
    cloud: CloudAccess | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.parser not in get_args(Parser):
            raise UsageError(f"unknown parser {self.parser!r}; known are {', '.join(get_args(Parser))}")
        if self.pages is not None and min(self.pages, default=1) < 1:
            raise UsageError("pages count from 1")

    @property
    def key(self) -> dict[str, Any]:
        """What changes the outcome, by name: all but the password, and of ``images`` whether there are any."""
        options = {**asdict(self), "images": self.images != "off"}
        del options["password"]
        del options["cloud"]
        if self.cloud is not None:
            options["tier"] = self.cloud.tier
        return options


class Partitioner(Protocol):
    """The seat of a partitioner: a module or object with this one function."""

    def partition(self, source: Source, options: PartitionOptions) -> Partition:
        """Read a source.

        Raises:
            SourceError: the source is encrypted, broken or not of its type.
        """
        ...


class PagedPartitioner(Partitioner, Protocol):
    """A partitioner that leaves groups of pages ``unread`` and reads them later, in parallel."""

    def read_pages(
        self, source: Source, pages: Sequence[int], draft: Partition, options: PartitionOptions
    ) -> Partition:
        """Read these pages (from 1); ``draft`` has what is known of them. The result may leave some unread again."""
        ...

    def count_pages(self, source: Source, options: PartitionOptions) -> int:
        """How many pages the source has, told without reading them all."""
        ...

    def join(self, source: Source, first: Partition, parts: Sequence[Partition]) -> Partition:
        """The whole of a partition and the parts that were read later."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that is read: its name, file extensions, the module and library that read it, and what is kept.

    The module of a ``paged`` format is a ``PagedPartitioner``. ``needs`` is the package that the ``extra`` installs.
    """

    name: str
    extensions: tuple[str, ...]
    module: str
    library: str
    keeps: str
    extra: str | None = None
    paged: bool = False
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
            paged=True,
        ),
        Format(
            name="docx",
            extensions=(".docx", ".docm", ".dotx", ".dotm"),
            module="ingest.partition.office",
            library="unstructured, python-docx",
            keeps="headings, also those only bold, paragraphs, lists, notes, tables with merged cells and tables in"
            " them, pictures with captions, charts' data, equations, headers and footers",
        ),
        Format(
            name="html",
            extensions=(".html", ".htm", ".xhtml"),
            module="ingest.partition.web",
            library="unstructured, lxml",
            keeps="headings, paragraphs, lists, tables with merged cells, code, pictures in the page, captions",
        ),
        Format(
            name="mhtml",
            extensions=(".mhtml", ".mht"),
            module="ingest.partition.mhtml",
            library="email (standard library), unstructured, lxml",
            keeps="what is kept of HTML, and the pictures that were saved with the page",
        ),
        Format(
            name="md",
            extensions=(".md", ".markdown"),
            module="ingest.partition.text",
            library="unstructured, markdown-it-py",
            keeps="headings, paragraphs, lists, tables, code",
        ),
        Format(
            name="rst",
            extensions=(".rst", ".rest"),
            module="ingest.partition.rst",
            library="docutils, unstructured",
            keeps="headings, paragraphs, lists, tables with merged cells, code, captions",
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
            extensions=(".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"),
            module="ingest.partition.slides",
            library="python-pptx, unstructured",
            keeps="titles, text, lists, tables with merged cells, charts' data, diagrams, pictures, notes, shape boxes",
        ),
        Format(
            name="odt",
            extensions=(".odt", ".ott", ".odp", ".otp", ".fodt", ".fodp"),
            module="ingest.partition.opendocument",
            library="lxml",
            keeps="headings, paragraphs, lists, notes, tables with merged cells, pictures with captions, charts' data,"
            " slides as pages",
        ),
        Format(
            name="rtf",
            extensions=(".rtf",),
            module="ingest.partition.richtext",
            library="own reader",
            keeps="headings, paragraphs, lists, notes, tables with merged cells, pictures with captions",
        ),
        Format(
            name="epub",
            extensions=(".epub",),
            module="ingest.partition.epub",
            library="unstructured, lxml",
            keeps="chapters in reading order as web pages are read, with the pictures in the book",
        ),
        *(
            Format(
                name=name,
                extensions=extensions,
                module="ingest.partition.legacy",
                library="LibreOffice, where it is installed",
                keeps=f"what its successor {name}x keeps",
            )
            for name, extensions in (
                ("doc", (".doc", ".dot")),
                ("ppt", (".ppt", ".pps", ".pot")),
                ("xls", (".xls", ".xlt")),
            )
        ),
        Format(
            name="eml",
            extensions=(".eml",),
            module="ingest.partition.mail",
            library="email (standard library), unstructured",
            keeps="subject, sender, date, text, pictures in the text; what is attached is read as documents of its own",
        ),
        Format(
            name="msg",
            extensions=(".msg",),
            module="ingest.partition.mail_msg",
            library="python-oxmsg, unstructured",
            keeps="what is kept of a message in `.eml`, from a message that Outlook saved",
        ),
        Format(
            name="image",
            extensions=(".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif"),
            module="ingest.partition.picture",
            library="pillow, rapidocr",
            keeps="the picture, its text by OCR with word boxes; a frame of a TIFF is a page",
        ),
        Format(
            name="svg",
            extensions=(".svg",),
            module="ingest.partition.svg",
            library="lxml",
            keeps="title, description and words of the drawing; it is not drawn, and its scripts are not run",
        ),
        Format(
            name="xlsx",
            extensions=(".xlsx", ".xlsm"),
            module="ingest.partition.sheets",
            library="lxml",
            keeps="each block of cells a table as the sheet shows it, merged cells, headers, titles, notes",
        ),
        Format(
            name="ods",
            extensions=(".ods", ".ots", ".fods"),
            module="ingest.partition.sheets",
            library="lxml",
            keeps="what is kept of a workbook in `.xlsx`",
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
    return join(source, first, list(_later_parts(source, first, options))) if first.unread else first


def _later_parts(source: Source, found: Partition, options: PartitionOptions) -> Iterator[Partition]:
    for pages in found.unread:
        part = read_pages(source, pages, found.on(pages), options)
        yield part
        yield from _later_parts(source, part, options)


def partition_text(source: Source, options: PartitionOptions) -> Partition:
    """Partition one source but for the pages that are left to later tasks, which are named in ``unread``.

    Raises:
        SourceError: as ``partition``.
    """
    if is_in_cloud(source, options):
        cloud: Partitioner = importlib.import_module("ingest.partition.llamaparse")
        return cloud.partition(source, options)
    with _plainly_named(source) as named:
        found = partitioner_for(source).partition(named, options)
    return found if source.format in OWN_PICTURES else without_decoration(found)


@contextmanager
def _plainly_named(source: Source) -> Iterator[Source]:
    """The source under a name that every library takes: those not written in Python refuse some."""
    if _is_plain(source):
        yield source
        return
    with TemporaryDirectory(prefix="pincite-") as folder:
        link = Path(folder) / f"source.{source.format}"
        link.symlink_to(source.path.absolute())
        yield replace(source, path=link)


def _is_plain(source: Source) -> bool:
    """Whether a name is UTF-8, and that of a PDF ends as one's: LiteParse tells types by names."""
    try:
        str(source.path).encode()
    except UnicodeEncodeError:
        return False
    return source.format != "pdf" or source.path.suffix.lower() == ".pdf"


def read_pages(source: Source, pages: Sequence[int], draft: Partition, options: PartitionOptions) -> Partition:
    """Read a group of pages that a partition left ``unread``; ``draft`` is what that partition has on them.

    Raises:
        SourceError: a page cannot be read.
    """
    with _plainly_named(source) as named:
        return _paged(source).read_pages(named, pages, draft, options)


def has_bare_text(source: Source) -> bool:
    """Whether the words of a page can be had without its layout."""
    return source.format == "pdf"


def read_bare(source: Source, page: int, reason: str, options: PartitionOptions) -> Partition:
    """The words of a page whose layout cannot be read, and a warning with the reason for that.

    Raises:
        SourceError: it has none.
    """
    with _plainly_named(source) as named:
        bare = importlib.import_module("ingest.partition.pdf_bare")
        found: Partition = bare.read_bare(named.path, page, options.password)
    return replace(found, warnings=(f"page {page}: its layout could not be read, only its words ({reason})",))


def join(source: Source, first: Partition, parts: Sequence[Partition]) -> Partition:
    """A partition with its unread pages, read since, in their places; parts in the order in which they were read."""
    return _paged(source).join(source, first, parts)


def is_in_cloud(source: Source, options: PartitionOptions) -> bool:
    """Whether LlamaParse reads a source."""
    return options.parser == "llamaparse" and source.format in CLOUD_FORMATS


def is_paged(source: Source, options: PartitionOptions) -> bool:
    """Whether the pages of a source can be read apart; what LlamaParse reads comes whole."""
    return FORMATS[source.format].paged and not is_in_cloud(source, options)


def count_pages(source: Source, options: PartitionOptions) -> int:
    """How many pages a source has whose pages can be read apart.

    Raises:
        SourceError: it cannot be opened.
    """
    with _plainly_named(source) as named:
        return _paged(source).count_pages(named, options)


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


def missing_program(name: str) -> str | None:
    """Why a format that another program reads cannot be read here, with what to do about it."""
    legacy = importlib.import_module(FORMATS[name].module)
    reason: str | None = legacy.missing_program(name)
    return reason


def extensions() -> Sequence[str]:
    """Every extension that is read, in the order of ``FORMATS``."""
    return [e for f in FORMATS.values() for e in f.extensions]
