"""Equations of office documents (OMML, ECMA-376 part 1, section 22.1) as one line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element  # type: ignore[import-untyped]

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"


def equation_text(node: _Element) -> str:
    """An equation as it is typed: ``(a+b)/c``, ``x^2``, ``x_i``, ``√(x)``; spaces as they stand."""
    kind = node.tag.removeprefix(_M) if isinstance(node.tag, str) else ""
    if kind == "t":
        return node.text or ""
    if kind.endswith("Pr"):
        return ""
    written = _written(kind, node)
    return "".join(map(equation_text, node)) if written is None else written


def _written(kind: str, node: _Element) -> str | None:
    """A construct with its parts in their places; ``None`` for one that is its parts in a row."""
    if kind == "f":
        return f"{_grouped(_part(node, 'num'))}/{_grouped(_part(node, 'den'))}"
    if kind in ("sSup", "sSub", "sSubSup"):
        return f"{_part(node, 'e')}{_marked('_', _part(node, 'sub'))}{_marked('^', _part(node, 'sup'))}"
    if kind == "rad":
        return f"{_part(node, 'deg')}√({_part(node, 'e')})"
    if kind == "nary":
        sign = _property(node, "naryPr", "chr", "∫")
        return f"{sign}{_marked('_', _part(node, 'sub'))}{_marked('^', _part(node, 'sup'))} {_part(node, 'e')}"
    if kind == "d":
        start, end = _property(node, "dPr", "begChr", "("), _property(node, "dPr", "endChr", ")")
        return f"{start}{', '.join(map(equation_text, node.findall(f'{_M}e')))}{end}"
    if kind == "m":
        rows = (", ".join(map(equation_text, row.findall(f"{_M}e"))) for row in node.findall(f"{_M}mr"))
        return f"[{'; '.join(rows)}]"
    return None


def _part(node: _Element, name: str) -> str:
    found = node.find(f"{_M}{name}")
    return "" if found is None else equation_text(found)


def _property(node: _Element, group: str, name: str, default: str) -> str:
    found = node.find(f"{_M}{group}/{_M}{name}")
    return default if found is None else str(found.get(f"{_M}val", ""))


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"


def _marked(mark: str, text: str) -> str:
    return f"{mark}{_grouped(text)}" if text else ""


# MathML.

_MML = "{http://www.w3.org/1998/Math/MathML}"


def mathml_text(node: _Element) -> str:
    """An equation in MathML as it is typed; its source in another language (an annotation) is left out."""
    if not isinstance(node.tag, str):
        return ""
    kind = node.tag.removeprefix(_MML)
    if kind.startswith("annotation"):
        return ""
    parts = [text for text in map(mathml_text, node) if text]
    if not len(node):
        return " ".join((node.text or "").split())
    if kind == "mfrac" and len(parts) == 2:
        return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
    if kind in ("msup", "msub") and len(parts) == 2:
        return f"{parts[0]}{_marked('^' if kind == 'msup' else '_', parts[1])}"
    if kind == "msqrt":
        return f"√({''.join(parts)})"
    return "".join(parts)
