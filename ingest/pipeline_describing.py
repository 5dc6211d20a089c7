"""Which stored sources have pictures or tables that a model has not described yet, and having that done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property

from ingest.enrich import Enriched, Enriching, Models
from ingest.library import SourceRecord
from ingest.pipeline_jobs import Setup
from ingest.summarize import choose_summarizer, choose_table_summarizer

log = logging.getLogger(__name__)


class Describing:
    """The sources of an ingest that lack descriptions. It runs last: all can be asked without them."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._lacking: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._lacking)

    @cached_property
    def models(self) -> Models:
        """The models that describe pictures and tables, looked for when the first source is stored.

        Raises:
            ModelError: one was asked for and is not to be had.
        """
        return Models(
            pictures=choose_summarizer(self._setup.settings, self._setup.options.partition.images),
            tables=choose_table_summarizer(self._setup.settings, self._setup.options.tables),
        )

    def note(self, record: SourceRecord, path: str) -> None:
        """Have a stored source's pictures and tables described at the end, if a model can do so."""
        if self._may_lack(record) and self.models.count_lacking(record):
            self._lacking[record.id] = path

    def path(self, source_id: str) -> str:
        """The path of a source that was noted."""
        return self._lacking[source_id]

    def run(self, store: Callable[[Enriched], None]) -> None:
        """Have what models can describe described; the library can be asked meanwhile."""
        library, settings = self._setup.library, self._setup.settings
        records = [record for record in map(library.source, self._lacking) if record is not None]
        enriching = Enriching(library, self._setup.pool, self.models, self._report, at_a_time=settings.request_count)
        for found in enriching.run(records):
            if found.is_changed:
                store(found)
            else:
                library.put_warnings(found.record.id, found.record.warnings)
        if enriching.given_up:
            log.warning("descriptions stopped: %s", enriching.given_up)

    def _report(self, source_id: str, done: int, total: int) -> None:
        self._setup.tally.report_descriptions(self._setup.library.shown(self._lacking[source_id]), done, total)

    def _may_lack(self, record: SourceRecord) -> bool:
        """Whether a source has anything that a model might describe; only then is one looked for."""
        has_pictures = self._setup.options.partition.images in ("auto", "llava") and record.elements.get("Image")
        return bool(has_pictures or (self._setup.options.tables == "summarized" and record.elements.get("Table")))
