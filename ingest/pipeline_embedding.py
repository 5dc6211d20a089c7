"""Which embedder an ingest uses, and texts embedded by it in the workers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from ingest.bundles import Bundles, Task
from ingest.embed import Embedder, asks_server, embedder_name, load_embedder
from ingest.library import EmbedderRecord, Library
from ingest.pipeline_tasks import TASK_SECONDS
from ingest.settings import DEFAULT_EMBEDDER, Settings
from ingest.workers import Engine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

EMBED_BATCH = 256
"""Texts in one embedding task."""
FEW_TEXTS = 8
"""Texts that are embedded together with those of other sources."""


def chosen_embedder(library: Library, settings: Settings, given: Embedder | None) -> str:
    """The embedder to use: the given object, the setting, the library's own, or the default.

    Raises:
        EmbedderMismatchError: the library holds another embedder's vectors.
    """
    stored = library.embedder
    name = given.name if given else wanted_embedder(stored, settings.embedder)
    if stored is not None and stored.name != name:
        library.claim_embedder(name, given.dimension if given else load_embedder(name, settings).dimension)
    return name


def wanted_embedder(stored: EmbedderRecord | None, named: str | None) -> str:
    """The name of the embedder that was asked for, the library's own, or the default.

    Raises:
        UsageError: there is none of the name that was asked for.
    """
    return embedder_name(named) if named else stored.name if stored else DEFAULT_EMBEDDER


@lru_cache(maxsize=2)
def _loaded(name: str, settings: Settings) -> Embedder:
    return load_embedder(name, settings)


def embed_texts(name: str, settings: Settings, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts in a worker, with the embedder loaded once a process."""
    return _loaded(name, settings).embed(texts)


def submit_embedding(pool: Engine, name: str, settings: Settings, texts: Sequence[str]) -> Future[NDArray[np.float32]]:
    """Have texts embedded; the future has a matrix of (texts, dimension)."""
    network = asks_server(name)
    return pool.submit(embed_texts, name, settings, texts, timeout=TASK_SECONDS, network=network)


def submit_few(bundles: Bundles, name: str, settings: Settings, texts: Sequence[str]) -> Future[NDArray[np.float32]]:
    """Have a few texts embedded together with those of other sources."""
    return bundles.submit(Task(function=embed_texts, args=(name, settings, texts), seconds=TASK_SECONDS))


def in_batches(items: Sequence[T]) -> list[Sequence[T]]:
    """What is embedded, in parts of one task each."""
    return [items[i : i + EMBED_BATCH] for i in range(0, len(items), EMBED_BATCH)]
