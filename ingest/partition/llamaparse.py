"""LlamaParse, in the cloud and only when asked for: a document is sent there, its pages come back as Markdown.

The only home of ``llama_cloud``. What was paid for is kept in the library's folder, with the source it belongs to and
as long as that is in the library: first the number of the job, then its pages. So a run that was stopped goes on with
the job that was paid for, and the same bytes are never sent twice, be it under another path or in a message.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import BrokenError, SourceError, UnavailableError, UsageError
from ingest.fetch import Fetcher, FetchOptions
from ingest.models import is_loopback
from ingest.partition import CloudAccess, PartitionOptions
from ingest.partition.headings import nest_under_headings
from ingest.partition.text import markdown_to_html
from ingest.partition.web import partition_markup
from ingest.types import Element, Page, Partition, Source, stable_id

if TYPE_CHECKING:
    from llama_cloud import LlamaCloud
    from llama_cloud.types import ParsingGetResponse

VERSION = "latest"
EXPAND = ("markdown", "metadata", "images_content_metadata")
REQUEST_SECONDS = 60.0
SEND_TRIES = 3
"""Times that a document is offered to a server that says it has no time for it."""
MAX_WAIT_SECONDS = 30.0
POLL_SECONDS = 1.0
PICTURE_BYTES = 20_000_000
ALL_PICTURES_BYTES = 100_000_000
_PICTURE = re.compile(r"""(<img\b[^>]*?\ssrc=)("[^"]*"|'[^']*')""", re.IGNORECASE)


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a document as LlamaParse does. Pages that it could not read are named in ``warnings``.

    Raises:
        UnavailableError: no key, a wrong one, no credit left, no answer in time; nothing is wrong with the document.
        BrokenError: LlamaParse could not read the document.
    """
    access = options.cloud
    if access is None or not access.key:
        raise UnavailableError("LlamaParse needs a key: set LLAMA_CLOUD_API_KEY")
    content = source.path.read_bytes()
    with _kept(source, content, access) as kept:
        if "pages" not in kept.held:
            kept.put(_parsed(source, content, access, kept))
        return _assembled(kept.held, source, options)


# What was paid for.


@dataclass(slots=True)
class _Kept:
    """What is held of a document: ``{"job"}`` while it is read, then ``{"pages", "pictures"}``."""

    file: Path | None
    held: dict[str, Any]

    def put(self, held: dict[str, Any]) -> None:
        """Keep it, whole or not at all."""
        self.held = held
        if self.file is not None:
            self.file.parent.mkdir(exist_ok=True)
            temporary = self.file.with_name(f"{self.file.name}.{os.getpid()}.tmp")
            temporary.write_text(json.dumps(held, ensure_ascii=False), "utf-8", "backslashreplace")
            temporary.replace(self.file)


@contextmanager
def _kept(source: Source, content: bytes, access: CloudAccess) -> Iterator[_Kept]:
    """What is held of a document, found by its bytes, while no other process reads the same."""
    if access.folder is None:
        yield _Kept(None, {})
        return
    from filelock import FileLock

    digest = hashlib.sha256(content).hexdigest()
    # A file of the library's members lives as long as the source that its name begins with.
    name = f"llamaparse-{access.tier}-{digest[:32]}"
    own = access.folder / "members" / f"{source.id}.{name}"
    own.parent.mkdir(exist_ok=True)
    lock = FileLock(own.parent / f"{digest[:32]}.lock") if access.folder.is_dir() else nullcontext()
    with lock:
        for file in (own, *own.parent.glob(f"*.{name}")):
            found = _read(file)
            if found:
                kept = _Kept(own, found)
                if file != own:
                    kept.put(found)
                yield kept
                return
        yield _Kept(own, {})


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


# The service.


def _parsed(source: Source, content: bytes, access: CloudAccess, kept: _Kept) -> dict[str, Any]:
    """Send a document, or go on with the job that was sent, and take what it gives."""
    from llama_cloud import LlamaCloud

    name = f"document{source.path.suffix or '.' + source.format}"
    with (
        _cloud_errors(access),
        LlamaCloud(api_key=access.key, base_url=access.url, timeout=REQUEST_SECONDS, max_retries=2) as client,
    ):
        job = str(kept.held.get("job", ""))
        if not job:
            job = _sent(client, (name, content), access)
            kept.put({"job": job})
        try:
            client.parsing.wait_for_completion(job, polling_interval=POLL_SECONDS, timeout=access.seconds)
            found = client.parsing.get(job, expand=list(EXPAND))
        except SourceError:
            raise
        except _job_errors() as exc:
            kept.put({})
            raise BrokenError(f"LlamaParse could not read it: {_line(exc)}") from exc
    return {"pages": _pages(found), "pictures": _pictures(found, access)}


def _job_errors() -> tuple[type[Exception], ...]:
    """What ends a job for good: that it failed, or that the service does not know it any more."""
    from llama_cloud import NotFoundError
    from llama_cloud._polling import PollingError

    return (PollingError, NotFoundError)


def _sent(client: LlamaCloud, file: tuple[str, bytes], access: CloudAccess) -> str:
    """The job of a document that was sent.

    It is offered again only to a server that has refused it for lack of time: a request that was lost on its way may
    have been taken, and paid for.
    """
    from llama_cloud import APIStatusError

    once = client.with_options(max_retries=0)
    saved: Any = {"images_to_save": ["embedded", "layout"]}
    for attempt in range(1, SEND_TRIES + 1):
        try:
            return once.parsing.create(
                upload_file=file, tier=access.tier, version=VERSION, output_options=saved, client_name="pincite"
            ).id
        except APIStatusError as exc:
            wait = exc.response.headers.get("retry-after", "")
            if exc.status_code not in (429, 503) or attempt == SEND_TRIES:
                raise
            time.sleep(min(float(wait) if wait.isdecimal() else 2.0**attempt, MAX_WAIT_SECONDS))
    raise AssertionError("unreachable")


def _pages(found: ParsingGetResponse) -> list[dict[str, Any]]:
    pages = found.markdown.pages if found.markdown else []
    out: list[dict[str, Any]] = []
    for page in pages:
        if page.success:
            out.append({"page": page.page_number, "markdown": page.markdown, "header": page.header or "",
                        "footer": page.footer or ""})  # fmt: skip
        else:
            out.append({"page": page.page_number, "error": page.error})
    return sorted(out, key=lambda page: int(page["page"]))


def _pictures(found: ParsingGetResponse, access: CloudAccess) -> dict[str, str]:
    """The pictures of a document by file name, in base64. They come from addresses that the service signs."""
    listed = found.images_content_metadata.images if found.images_content_metadata else []
    pictures: dict[str, str] = {}
    room = ALL_PICTURES_BYTES
    options = FetchOptions(allow_private=is_loopback(access.url), max_bytes=PICTURE_BYTES)
    with Fetcher(options) as fetcher:
        for image in listed:
            if not image.presigned_url or image.category == "screenshot" or room <= 0:
                continue
            try:
                content = fetcher.get(
                    image.presigned_url, types=("image/", "application/octet-stream", "binary/")
                ).content
            except SourceError:
                continue
            room -= len(content)
            pictures[image.filename] = base64.b64encode(content).decode()
    return pictures


@contextmanager
def _cloud_errors(access: CloudAccess) -> Iterator[None]:
    """The client's errors as ours, each with what to do."""
    from llama_cloud import APIConnectionError, APIError, APIStatusError, APITimeoutError
    from llama_cloud._polling import PollingTimeoutError

    try:
        yield
    except APIStatusError as exc:
        raise _refusal(exc.status_code, _line(exc), access) from exc
    except (APITimeoutError, PollingTimeoutError) as exc:
        raise UnavailableError(
            f"LlamaParse did not finish in time; the next ingest asks for the same job again ({_line(exc)})"
        ) from exc
    except APIConnectionError as exc:
        raise UnavailableError(f"LlamaParse at {access.url} cannot be reached") from exc
    except APIError as exc:
        raise UnavailableError(f"LlamaParse gave an answer that is none: {_line(exc)}") from exc


def _refusal(status: int, said: str, access: CloudAccess) -> SourceError:
    if status in (401, 403):
        return UnavailableError(f"LlamaParse refuses the key ({status}): look at LLAMA_CLOUD_API_KEY")
    if status == 402:
        return UnavailableError("the LlamaParse account has no credit left (402)")
    if status == 429:
        return UnavailableError("LlamaParse takes no more requests now (429): its quota or rate limit is reached")
    if status in (400, 413, 415, 422):
        return BrokenError(f"LlamaParse does not take it ({status}): {said}")
    return UnavailableError(f"LlamaParse at {access.url} failed ({status})")


def _line(exc: Exception) -> str:
    return " ".join(str(exc).split())[:200]


# Elements.


def _assembled(held: Mapping[str, Any], source: Source, options: PartitionOptions) -> Partition:
    """One partition of all pages; headings of one page hold what follows on the next."""
    elements: list[Element] = []
    images: dict[str, bytes] = {}
    warnings: list[str] = []
    pages: list[Page] = []
    for page in held["pages"]:
        number = int(page["page"])
        pages.append(Page(page=number, width=0.0, height=0.0, tier="llamaparse"))
        if "error" in page:
            warnings.append(f"page {number}: could not be read (LlamaParse: {str(page['error'])[:200]})")
            continue
        for category, text in (("Header", page["header"]), ("", page["markdown"]), ("Footer", page["footer"])):
            found = partition_markup(_markup(str(text), held.get("pictures", {})), source, options)
            images |= found.images
            warnings += [w for w in found.warnings if w not in warnings]
            elements += _on_page(found.elements, number, category, len(elements))
    return Partition(
        elements=tuple(_identified(elements, source.id)), pages=tuple(pages), images=images, warnings=tuple(warnings)
    )


def _markup(markdown: str, pictures: Mapping[str, str]) -> str:
    """HTML of a page's Markdown, with the pictures that came with it set in."""

    def shown(found: re.Match[str]) -> str:
        name = html.unescape(found[2][1:-1]).rpartition("/")[2]
        content = pictures.get(name)
        return f'{found[1]}"data:image/png;base64,{content}"' if content else found[0]

    return _PICTURE.sub(shown, markdown_to_html(markdown))


def _on_page(found: Sequence[Element], page: int, category: str, start: int) -> list[Element]:
    """Elements with their page; ``element_id`` is unique in the document, and captions keep their owner."""
    owners = {e.element_id: f"{start}:{e.element_id}" for e in found}
    return [
        replace(
            e,
            element_id=owners[e.element_id],
            category=category or e.category,
            category_depth=None if category else e.category_depth,
            page_number=page,
            parent_id=owners.get(e.parent_id or "") if e.category == "FigureCaption" else None,
            cells=tuple(replace(cell, page=page) for cell in e.cells),
        )
        for e in found
    ]


def _identified(elements: Sequence[Element], source_id: str) -> list[Element]:
    ids = {e.element_id: stable_id(source_id, i, e.category, e.text) for i, e in enumerate(elements)}
    return nest_under_headings(
        replace(e, element_id=ids[e.element_id], parent_id=ids.get(e.parent_id or "")) for e in elements
    )


def check_access(access: CloudAccess) -> None:
    """Make sure that a document can be sent and that its key is not sent in the clear.

    Raises:
        UsageError: no key, or an address that is not encrypted.
        MissingExtraError: the client is not installed.
    """
    import importlib.util

    from ingest.errors import MissingExtraError

    if importlib.util.find_spec("llama_cloud") is None:
        raise MissingExtraError("llamaparse", "--parser llamaparse")
    if not access.key:
        raise UsageError("--parser llamaparse needs a key: set LLAMA_CLOUD_API_KEY")
    if not access.url.startswith("https://") and not is_loopback(access.url):
        raise UsageError(f"the key would be sent to {access.url} in the clear: name it with https://")
