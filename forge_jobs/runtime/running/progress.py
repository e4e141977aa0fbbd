"""Stores how far runs have come, for those who watch."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forge_jobs import db
from forge_jobs.db.rows import ProgressRow
from forge_jobs.services.base import Service

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine


class Advance(Service):
    """One statement for all runs that have told of progress since the last time.

    The last progress of a run is stored with its outcome.
    """

    interval = timedelta(seconds=0.5)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run_once(self, *, now: datetime) -> int:
        told = [(run, run.untold_progress) for run in self.engine.crew.runs()]
        news = [(run, progress) for run, progress in told if progress]
        if news:
            rows = [
                ProgressRow(run.job.id, run.job.claimed_at, progress.as_json())
                for run, progress in news
            ]
            with self.engine.writing, db.connection().cursor() as cursor:
                db.twin().write_progress(cursor, process=self.engine.process.pk, rows=rows)
        for run, progress in news:
            run.stored_progress = progress
        return len(news)
