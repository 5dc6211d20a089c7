"""Draw what a library costs against its size: ``python -m tests.make_scale_plot COSTS.jsonl [OUT.svg]``.

``COSTS.jsonl`` holds the lines that ``python -m tests.bench.scale`` printed. Both axes are logarithmic, so that what
grows with the library is a slope and what does not is a flat line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / ".github" / "pictures" / "scale.svg"
WIDTH, HEIGHT = 720, 380
LEFT, TOP, RIGHT, BOTTOM = 64, 24, 210, 48
INK, FAINT = "#57606a", "#d0d7de"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve: what it is, its colour, and (chunks, milliseconds) by rising size."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]


def lines_of(rows: Sequence[dict[str, Any]]) -> list[Line]:
    """The curves of printed costs."""

    def of(name: str, colour: str, *keys: str) -> Line:
        return Line(name=name, colour=colour, points=[(row["chunks"], _inner(row, keys)) for row in rows])

    return [
        of("store a document", "#0969da", "document_ms"),
        of("search, reranked", "#bf3989", "warm", "rerank_cpu_ms"),
        of("search", "#1a7f37", "warm", "query_cpu_ms"),
    ]


def _inner(row: Any, keys: Sequence[str]) -> float:
    for key in keys:
        row = row[key]
    return float(row[0] if isinstance(row, list) else row)


def drawn(lines: Sequence[Line]) -> str:
    """The curves as an SVG picture."""
    xs = _decades([x for line in lines for x, _ in line.points])
    ys = _decades([y for line in lines for _, y in line.points])

    def across(x: float) -> float:
        return LEFT + (log10(x) - xs[0]) / (xs[-1] - xs[0]) * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        return HEIGHT - BOTTOM - (log10(y) - ys[0]) / (ys[-1] - ys[0]) * (HEIGHT - TOP - BOTTOM)

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    for power in xs:
        at = across(10**power)
        parts.append(_stroke([(at, TOP), (at, HEIGHT - BOTTOM)], FAINT, 1))
        parts.append(_label(at, HEIGHT - BOTTOM + 18, f"{10**power:,}", "middle"))
    for power in ys:
        at = down(10**power)
        parts.append(_stroke([(LEFT, at), (WIDTH - RIGHT, at)], FAINT, 1))
        parts.append(_label(LEFT - 8, at + 4, f"{10**power:,} ms", "end"))
    for line in lines:
        points = [(across(x), down(y)) for x, y in line.points]
        parts.append(_stroke(points, line.colour, 2.5))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{line.colour}"/>' for x, y in points]
        x, y = points[-1]
        last = line.points[-1][1]
        parts.append(_label(x + 10, y + 4, f"{line.name}, {last:,.0f} ms", "start", line.colour))
    parts.append(_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "chunks in the library", "middle"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, "<title>CPU time against the size of the library</title>", *parts, "</svg>", ""])


def _decades(values: Sequence[float]) -> list[int]:
    """The powers of ten around these values."""
    low, high = int(log10(min(values)) // 1), int(-(-log10(max(values)) // 1))
    return list(range(low, max(high, low + 1) + 1))


def _stroke(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _label(x: float, y: float, text: str, anchor: str, colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="13" text-anchor="{anchor}" fill="{colour}">{text}</text>'


def main() -> None:
    """Draw the picture."""
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines() if line.strip()]
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else OUT
    out.write_text(drawn(lines_of(sorted(rows, key=lambda row: float(row["chunks"])))), "utf-8")


if __name__ == "__main__":
    main()
