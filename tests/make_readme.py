"""The README's generated tables: ``python -m tests.make_readme`` writes them, a test holds them against the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ingest.partition import FORMATS
from ingest.settings import Settings, variable_of

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def formats_table() -> str:
    """Every format that is read, from the registry."""
    rows = ["| files | read with | what is kept | extra |", "|---|---|---|---|"]
    for form in FORMATS.values():
        files = ", ".join(f"`{e}`" for e in form.extensions) or "saved add-on pages, API records, lists of add-ons"
        rows.append(f"| {files} | {form.library} | {form.keeps} | {form.extra or '-'} |")
    return "\n".join(rows)


def settings_table() -> str:
    """Every setting, from the comments of its class."""
    source = (ROOT / "ingest" / "settings.py").read_text("utf-8")
    said = dict(re.findall(r"^    (\w+): [^#\n]+# (.+)$", source, re.MULTILINE))
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.__dataclass_fields__.items():
        default = "\u2013" if field.default in (None, ()) else f"`{field.default}`"
        rows.append(f"| `{variable_of(name)}` | {default} | {said[name]} |")
    return "\n".join(rows)


TABLES = {"formats": formats_table, "settings": settings_table}


def with_tables(text: str) -> str:
    """The README with its generated tables in their places."""
    for name, table in TABLES.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        text = mark.sub(lambda m, table=table: f"{m[1]}{table()}{m[2]}", text)
    return text


def python_blocks(text: str) -> list[str]:
    """The README's Python examples; each must at least be Python."""
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for block in blocks:
        ast.parse(block)
    return blocks


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
