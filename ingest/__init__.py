"""From documents to a library: discover, partition, chunk, embed, store."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.pipeline import IngestOptions, ingest
    from ingest.settings import Settings

# ONNX Runtime, which runs the models here, would tell its makers of each use, and keep a device id in the home folder;
# it looks for this when its first model is loaded, and only here.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__all__ = ["IngestOptions", "Library", "Settings", "ingest"]

_HOMES = {
    "IngestOptions": "ingest.pipeline",
    "ingest": "ingest.pipeline",
    "Library": "ingest.library",
    "Settings": "ingest.settings",
}


def __getattr__(name: str) -> object:
    """Import public names when first used, so that ``import ingest`` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ingest' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
