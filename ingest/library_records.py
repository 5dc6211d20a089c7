"""What a library says of a path, of a source and of its embedder, without the contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.types import State


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRecord:
    """One known path: the source it holds, how its last ingest went, and its size and time when it was read."""

    path: str
    source_id: str | None
    state: State
    reason: str | None
    size: int | None
    mtime_ns: int | None
    failed_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """One stored source without its contents."""

    id: str
    format: str
    size: int
    partition_key: str
    chunk_key: str
    pages: int | None
    elements: Mapping[str, int]
    warnings: tuple[str, ...]
    seconds: float
    chunks: int = 0
    parent_id: str | None = None
    member: str | None = None
    enrich_key: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderRecord:
    """The embedder whose vectors a library holds."""

    name: str
    dimension: int
