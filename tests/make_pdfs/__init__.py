"""Makes the small PDFs that ``tests/expected_pdfs.py`` is about, one a difficulty.

Each run makes the same bytes, but for the salt of those that are encrypted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.make_pdfs import damaged, figures, geometry, hidden, scripts, structure, tables

FILES: Mapping[str, Callable[[], bytes]] = {
    **tables.FILES,
    **structure.FILES,
    **figures.FILES,
    **geometry.FILES,
    **scripts.FILES,
    **hidden.FILES,
    **damaged.FILES,
}
