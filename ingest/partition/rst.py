"""reStructuredText, through docutils: its HTML is read like any other, so that tables and headings have one home.

Nothing that a document includes is read, be it a file or an address. Directives and roles of Sphinx, which docutils
does not know, keep their text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ingest.partition import PartitionOptions
from ingest.partition.bridge import vendor_errors
from ingest.partition.encoding import decode
from ingest.partition.web import partition_markup
from ingest.types import Partition, Source

if TYPE_CHECKING:
    from docutils import nodes

LEFT_OUT = frozenset(
    {"toctree", "index", "highlight", "currentmodule", "module", "automodule", "autoclass", "autofunction", "meta"}
    | {"tabularcolumns", "default-domain", "contents", "sectnum", "raw", "include", "literalinclude", "codeauthor"}
)
"""Directives that steer a builder, list what stands elsewhere, or name what is read from elsewhere."""
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 6,
    "embed_stylesheet": False,
    "stylesheet_path": None,
    "stylesheet": None,
    "initial_header_level": 2,
    "doctitle_xform": True,
    "sectsubtitle_xform": False,
    "math_output": "LaTeX",
    "syntax_highlight": "none",
    "smart_quotes": False,
    "line_length_limit": 100_000,
}
_DIRECTIVE = re.compile(r"^[ \t]*\.\. +(?:\|[^|\n]+\| +)?([\w:.+-]+)::", re.MULTILINE)
_ROLE = re.compile(r":([a-zA-Z][\w:.+-]*):`")
_TARGET = re.compile(r"(?s)^(.*?)\s*<[^<>]+>$")


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a reStructuredText file.

    Raises:
        BrokenError: the file is empty or holds binary data.
    """
    text = decode(source.path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    with vendor_errors("reStructuredText"):
        markup = rst_to_html(text)
    return partition_markup(f"<body>{markup}</body>", source, options)


def rst_to_html(text: str) -> str:
    """HTML of reStructuredText; what docutils complains of stays as it is written."""
    from docutils.core import publish_parts

    _know_names(text)
    parts = publish_parts(text, writer="html5", settings_overrides=_SETTINGS)
    return str(parts["html_body"])


def _know_names(text: str) -> None:
    """Teach docutils the directives and roles of a text that it does not know, so that their text is kept."""
    from docutils.parsers.rst import directives, languages, roles
    from docutils.utils import Reporter

    english = languages.get_language("en")
    known = {*english.directives, *directives._directive_registry}  # noqa: SLF001 (docutils has no other list)
    for name in {*_DIRECTIVE.findall(text)} | LEFT_OUT:
        if name in LEFT_OUT or name.lower() not in known:
            directives.register_directive(name, _directive_class(keeps_text=name not in LEFT_OUT))
    silent = Reporter("", 5, 6)
    for name in {*_ROLE.findall(text)}:
        if roles.role(name, english, 0, silent)[0] is None:
            roles.register_local_role(name, _plain_role)


def _directive_class(*, keeps_text: bool) -> type[Any]:
    """A directive that holds text of its own: its argument is a line of it, its options are not."""
    from docutils import nodes
    from docutils.parsers.rst import Directive

    class Kept(Directive):
        has_content = True
        optional_arguments = 1
        final_argument_whitespace = True

        def run(self) -> list[nodes.Node]:
            if not keeps_text:
                return []
            body = nodes.container()
            argument, lines = " ".join(self.arguments), self.content
            if argument:
                inline, problems = self.state.inline_text(argument.split("\n:")[0], self.lineno)
                body += nodes.paragraph("", "", *inline, *problems)
            while lines and re.match(r":[\w-]+:( |$)", lines[0]):
                lines = lines[1:]
            self.state.nested_parse(lines, self.content_offset, body)
            return [body]

    return Kept


def _plain_role(
    _name: str, _rawtext: str, text: str, *_rest: object, **_more: object
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """The text of a role, without the target in angle brackets that Sphinx writes after it."""
    from docutils import nodes
    from docutils.utils import unescape

    said = unescape(text)
    titled = _TARGET.match(said)
    shown = titled[1] if titled and titled[1] else said.removeprefix("~").removeprefix("!")
    return [nodes.literal(shown, shown)], []
