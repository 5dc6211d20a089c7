"""The library: SQLite is the truth, and ``library_*`` hold the only SQL; images lie beside it, by their hash."""

from __future__ import annotations

from ingest.library_contents import Contents
from ingest.library_paths import KnownPaths
from ingest.library_records import EmbedderRecord, PathRecord, SourceRecord
from ingest.library_sources import StoredSources
from ingest.library_sweep import Sweep
from ingest.library_vectors import Vectors

__all__ = ["EmbedderRecord", "Library", "PathRecord", "SourceRecord"]


class Library(KnownPaths, StoredSources, Contents, Vectors, Sweep):
    """A library folder. Safe for use by many threads; one process at a time may hold ``writing()``."""
