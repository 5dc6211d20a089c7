"""The ingest report: one HTML page from which everything that an ingest made can be looked at, page by page."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

from ingest.errors import LibraryError, SourceError, UsageError
from ingest.library import Library, SourceRecord
from ingest.remote import is_remote, undrawn
from ingest.render import check_original
from ingest.types import Page, Partition
from ingest.urls import is_url
from ingest.workers import WorkerPool
from retrievers.query import selects
from retrievers.report_data import (
    LEAVES_OUT,
    PART,
    Told,
    bare_row,
    elements_by_page,
    page_elements_json,
    pages_of,
    source_json,
    told,
    totals,
)
from retrievers.report_pages import draw
from retrievers.show import DRAWN

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

MARK = ".pincite-report"
"""In a folder that a report made: what lies in it may be replaced by another report."""
UNDRAWN = "which encrypted ones only are with --password"
POLICY = (
    "default-src 'none'; img-src 'self' file: data:; style-src 'sha256-{style}'; "
    "script-src 'sha256-{script}'{files}; base-uri 'none'; form-action 'none'"
)
"""What the page may load: pictures and data that lie beside it, and nothing from any network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """What a report tells of: sources by a glob of their names, and so many pages of each (``None``: all).

    ``is_embedded`` puts pictures and data into the page itself. ``jobs`` processes draw the pages.
    """

    doc: str | None = None
    pages: int | None = None
    is_embedded: bool = False
    jobs: int = 1
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.pages is not None and self.pages < 0:
            raise UsageError("--pages counts from 0")


def write_report(
    library: Library, out: Path, options: ReportOptions, on_page: Callable[[int, int], None] = lambda *_: None
) -> Path:
    """Write the report to ``out``, and unless embedded what it shows into the folder ``<stem>_files`` beside it.

    ``on_page`` is told of each page that is done: how many are, and how many there are in all. An earlier report of
    this name is replaced.

    Raises:
        UsageError: the folder is there and no report made it, or no source has such a name.
    """
    rows = told(library, lambda path: options.doc is None or selects(options.doc, (Path(path).name, path)))
    if options.doc is not None and not rows:
        raise UsageError(f"no source is named {options.doc}")
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".report-") as folder:
        files = None if options.is_embedded else Path(folder) / "files"
        page = Path(folder) / "page.html"
        if files is not None:
            files.mkdir(mode=0o700)
            (files / MARK).touch()
        with page.open("w", encoding="utf-8", newline="\n") as text, WorkerPool(options.jobs) as pool:
            _Writing(
                library=library,
                rows=rows,
                options=options,
                text=text,
                files=files,
                address=quote(files_name(out)),
                on_page=on_page,
                pool=pool,
            ).run()
        beside = out.with_name(files_name(out))
        if files is not None:
            _replace(files, beside)
        page.replace(out)
    return out


def files_name(out: Path) -> str:
    """The name of the folder with what a report shows."""
    return f"{out.stem}_files"


def _replace(made: Path, beside: Path) -> None:
    if beside.exists():
        if not (beside / MARK).is_file():
            raise UsageError(f"{beside} is there and is no report's: choose another name with -o")
        shutil.rmtree(beside)
    made.replace(beside)


@dataclass(slots=True, kw_only=True)
class _Writing:
    """One report while it is written into ``text``, and the folder ``files`` unless all is in the page.

    ``address`` is what the page knows that folder by.
    """

    library: Library
    rows: Sequence[Told]
    options: ReportOptions
    text: TextIO
    files: Path | None
    address: str
    on_page: Callable[[int, int], None]
    pool: WorkerPool
    done: int = 0
    categories: dict[str, None] = field(default_factory=dict)
    tiers: dict[str, None] = field(default_factory=dict)

    def run(self) -> None:
        """Write the page, a source after the other."""
        assets = resources.files("retrievers") / "report_page"
        style, script = _asset(assets, "report.css"), _asset(assets, "report.js")
        policy = POLICY.format(
            style=_digest(style), script=_digest(script), files=" 'self' file:" if self.files else ""
        )
        head, tail = _asset(assets, "report.html").split("{{data}}")
        self.text.write(head.replace("{{policy}}", html.escape(policy)).replace("{{style}}", style))
        listed = [self._source(row, number) for number, row in enumerate(self.rows)]
        self._inline("index", self._index(listed))
        self.text.write(tail.replace("{{script}}", script))

    def _index(self, listed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        return {
            "library": str(self.library.folder),
            "made": time.strftime("%Y-%m-%d %H:%M"),
            "files": self.address,
            "totals": totals(self.rows, self.library.counts()),
            "states": sorted({row.result.state for row in self.rows}),
            "categories": sorted(self.categories),
            "tiers": sorted(self.tiers),
            "sources": listed,
        }

    def _source(self, row: Told, number: int) -> Mapping[str, Any]:
        if row.record is None:
            return bare_row(row, number)
        partition = self.library.partition(row.record.id)
        original, undrawn = self._original(row.record)
        shown = list(pages_of(partition))[: self.options.pages]
        drawn = self._write_parts(number, partition, shown, original, row.record.format)
        if original is not None and shown and not drawn:
            undrawn = f"its pages could not be drawn, {UNDRAWN}; {LEAVES_OUT}"
        self.categories.update(dict.fromkeys(element.category for element in partition.elements))
        self.tiers.update(dict.fromkeys(page.tier for page in shown if page.tier))
        return source_json(row, number, partition, pages=self.options.pages, undrawn=undrawn)

    def _original(self, record: SourceRecord) -> tuple[Path | None, str]:
        """The file whose pages are drawn, or why none is; nothing is said of a format that has no pages to draw."""
        path = self.library.paths_of([record.id]).get(record.id)
        if record.format not in DRAWN or path is None:
            return None, ""
        if is_remote(path) and record.parent_id is None:
            return None, f"{undrawn(path)}; {LEAVES_OUT}"
        is_kept = record.parent_id is not None or is_url(path)
        original = self.library.member_path(record.id, record.format) if is_kept else Path(path)
        try:
            if record.parent_id is None:
                check_original(original, record.id)
        except SourceError as exc:
            return None, f"{exc.reason}; {LEAVES_OUT}"
        return original, ""

    def _write_parts(
        self, number: int, partition: Partition, shown: Sequence[Page], original: Path | None, form: str
    ) -> int:
        """Write the elements of a source's pages, a part after the other, and their pictures; how many are drawn."""
        by_page, count = elements_by_page(partition), 0
        drawn = self._pictures(shown, original, form)
        total = sum(_count(row, self.options.pages) for row in self.rows)
        for part, start in enumerate(range(0, len(shown), PART)):
            told_of = []
            for page in shown[start : start + PART]:
                elements = by_page.get(page.page, ())
                picture = next(drawn) if original is not None else None
                count += picture is not None
                address = self._address(f"s{number}-{page.page}.webp", picture) if picture else None
                crops = {e.image_path: self._crop(e.image_path) for e in elements if e.image_path}
                told_of.append(page_elements_json(page, elements, address, {k: v for k, v in crops.items() if v}))
                self.done += 1
                self.on_page(self.done, total)
            self._part(f"s{number}", part, told_of)
        return count

    def _pictures(self, shown: Sequence[Page], original: Path | None, form: str) -> Iterator[bytes | None]:
        if original is None:
            return
        numbers = [page.page for page in shown]
        yield from draw(self.pool, self.options.jobs, original, form, numbers, self.options.password)

    def _crop(self, image_path: str) -> str | None:
        try:
            return self._address(Path(image_path).name, self.library.image(image_path))
        except LibraryError:
            return None

    def _address(self, name: str, data: bytes) -> str:
        """Where the page finds a picture: in the folder beside it, or in itself."""
        if self.files is None:
            kind = name.rpartition(".")[2]
            return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
        file = self.files / name
        if not file.exists():
            file.write_bytes(data)
        return f"{self.address}/{name}"

    def _part(self, source: str, part: int, pages: Sequence[Mapping[str, Any]]) -> None:
        if self.files is None:
            self._inline(f"part-{source}-{part}", pages)
        else:
            call = f"pinciteReport({json.dumps(f'{source}/{part}')}, {safe_json(pages)});\n"
            (self.files / f"{source}-{part}.js").write_text(call, encoding="ascii")

    def _inline(self, name: str, value: object) -> None:
        self.text.write(f'<script type="application/json" id="{name}">{safe_json(value)}</script>\n')


def _count(row: Told, pages: int | None) -> int:
    """How many pages are told of, at most."""
    if row.record is None:
        return 0
    count = max(row.record.pages or 0, 1)
    return count if pages is None else min(count, pages)


def safe_json(value: object) -> str:
    """JSON in ASCII that can stand in a script: nothing in it ends the script or opens a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(folder: Traversable, name: str) -> str:
    return (folder / name).read_text("utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
