"""Markdown and plain text. Markdown becomes HTML first, so that its tables and headings are read in one place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingest.partition import PartitionOptions
from ingest.partition.bridge import offline_unstructured, to_elements, vendor_errors
from ingest.partition.encoding import decode
from ingest.partition.web import partition_markup
from ingest.types import Partition, Source

if TYPE_CHECKING:
    from unstructured.documents.elements import Element as UnstructuredElement

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<fields>.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a Markdown or plain text file.

    Raises:
        BrokenError: the file is empty or holds binary data.
    """
    text = decode(source.path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    if source.format == "md":
        return partition_markup(markdown_to_html(text), source, options)
    return _partition_plain(text, source)


def markdown_to_html(text: str) -> str:
    """HTML of Markdown as GitHub reads it; a front matter stays as it is written, as a block of code."""
    from markdown_it import MarkdownIt

    text = _FRONT_MATTER.sub(lambda found: f"```yaml\n{found['fields']}\n```\n", text, count=1)
    html: str = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return f"<body>{html}</body>"


def _partition_plain(text: str, source: Source) -> Partition:
    offline_unstructured()
    from unstructured.partition.text import partition_text

    with vendor_errors("text"):
        found = [_no_false_title(e) for e in partition_text(text=text, languages=[""])]
    return Partition(elements=to_elements(found, source.id))


def _no_false_title(element: UnstructuredElement) -> UnstructuredElement:
    """A short sentence is no title, though unstructured takes one without a verb that it knows for one."""
    from unstructured.documents.elements import NarrativeText

    is_sentence = element.category == "Title" and element.text.rstrip().endswith((".", ";", ","))
    return NarrativeText(element.text, metadata=element.metadata) if is_sentence else element
