"""What an ingest can be told, and the versions by which it knows what an earlier one made."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ingest.chunk import ChunkOptions
from ingest.crawl import CrawlOptions
from ingest.errors import NewerSchemaError
from ingest.library import Library
from ingest.partition import CloudAccess, PartitionOptions
from ingest.settings import Settings
from ingest.summarize import TableMode
from ingest.types import stable_id

log = logging.getLogger(__name__)

PARTITION_VERSION = "4"
"""Counts changes of what partitioning gives; sources of another version are read again."""
CHUNK_VERSION = "2"
"""Counts changes of what chunking gives; sources of another version are chunked again from their stored elements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """What an ingest does beyond its roots. Files touched in the last ``still`` seconds are left as they are known.

    ``tables="summarized"`` has the chat model say what each table is about. That is left to the asking: the words of a
    table are found as they are, those of a picture are not, and a library of reports has thousands of tables.
    """

    partition: PartitionOptions = field(default_factory=PartitionOptions)
    chunk: ChunkOptions = field(default_factory=ChunkOptions)
    crawl: CrawlOptions = field(default_factory=CrawlOptions)
    tables: TableMode = "plain"
    prune: bool = False
    retry_failed: bool = False
    follow_symlinks: bool = False
    still: float = 0.0
    wait: bool = True

    @property
    def partition_key(self) -> str:
        """Changes when partitioning would give something else."""
        return f"{PARTITION_VERSION}-{stable_id(json.dumps(self.partition.key, sort_keys=True))}"

    @property
    def chunk_key(self) -> str:
        """Changes when chunking would give something else."""
        return f"{CHUNK_VERSION}-{stable_id(json.dumps(asdict(self.chunk), sort_keys=True))}"


def check_versions(library: Library) -> None:
    """Say so when stored sources were partitioned or chunked by an earlier version, which are then redone.

    Raises:
        NewerSchemaError: some were by a later one.
    """
    own = int(PARTITION_VERSION), int(CHUNK_VERSION)
    older = 0
    for partition_key, chunk_key, count in library.derivations():
        found = _version_of(partition_key), _version_of(chunk_key)
        if found[0] > own[0] or found[1] > own[1]:
            raise NewerSchemaError(
                f"{library.folder} holds documents that a newer pincite read: upgrade pincite, or name another library"
                " with --library"
            )
        older += count if found != own else 0
    if older:
        log.warning("%s: what an earlier pincite read is brought up to date now: %d documents", library.folder, older)


def _version_of(key: str) -> int:
    """The version in a key of ``IngestOptions``; 0 of a key from before there was one in it."""
    version, mark, _ = key.partition("-")
    return int(version) if mark and version.isdigit() else 0


def with_cloud(options: PartitionOptions, settings: Settings, folder: Path | None) -> PartitionOptions:
    """The options with the way to LlamaParse, where that was asked for.

    Raises:
        UsageError: there is no key.
        MissingExtraError: its client is not installed.
    """
    if options.parser != "llamaparse" or options.cloud is not None:
        return options
    from ingest.partition.llamaparse import check_access

    access = CloudAccess(
        url=settings.llama_cloud_url, key=settings.llama_cloud_api_key, tier=settings.llama_cloud_tier, folder=folder
    )
    check_access(access)
    return replace(options, cloud=access)
