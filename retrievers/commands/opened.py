"""What a command works on, opened as its options and the environment say, and closed when it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.settings import Settings
    from retrievers.history import History
    from retrievers.multi_vector import MultiVectorRetriever


def settings_of(library: Path | None = None, **flags: object) -> Settings:
    """The settings that the environment and a command's options make together."""
    from ingest.settings import read_settings

    return read_settings({"library": library, **flags})


def open_library(settings: Settings, *, create: bool = False) -> Library:
    """The library that the settings name, else the nearest one; whoever opens it closes it."""
    from ingest.library import Library
    from ingest.settings import find_library

    return Library(find_library(settings.library), create=create)


def open_retriever(settings: Settings, *, rerank: bool = False, create: bool = False) -> MultiVectorRetriever:
    """A retriever over the library, which is closed when the command ends."""
    from retrievers.multi_vector import MultiVectorRetriever

    context = click.get_current_context()
    opened = context.with_resource(open_library(settings, create=create))
    retriever = MultiVectorRetriever(opened, settings=settings, rerank=rerank)
    context.call_on_close(retriever.close)
    return retriever


def open_history(settings: Settings, folder: Path) -> History:
    """The history of a library, which is closed when the command ends."""
    from retrievers.history import open_history as open_one

    found = open_one(folder, settings)
    click.get_current_context().call_on_close(found.close)
    return found
