"""Stores how far runs have come, for those who watch."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final

from forge_jobs import db
from forge_jobs.db.rows import ProgressRow
from forge_jobs.handlers.secrecy import told_progress
from forge_jobs.models import Process
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.services.base import Service

IDLE: Final = timedelta(seconds=1)


class ProgressWriter(Service):
    """One statement for all runs that have told of progress since the last time.

    The last progress of a run is stored with its outcome, or later if its job is locked.
    """

    interval = timedelta(seconds=0.5)

    def __init__(
        self, process: Process, workers: Workers, *, writing: AbstractContextManager[object]
    ) -> None:
        self._process = process
        self._workers = workers
        self._writing = writing

    def run_once(self, *, now: datetime) -> int:
        untold = [(run, run.untold_progress) for run in self._workers.runs()]
        news = [(run, progress) for run, progress in untold if progress]
        if news:
            rows = [
                ProgressRow(
                    run.job.id, run.job.claimed_at, told_progress(run.job, progress.as_json())
                )
                for run, progress in news
            ]
            with self._writing, db.connection().cursor() as cursor:
                stored = db.twin().write_progress(cursor, process=self._process.pk, rows=rows)
            news = [(run, progress) for run, progress in news if run.job.id in stored]
        for run, progress in news:
            run.stored_progress = progress
        return len(news)

    def rest(self, *, now: datetime) -> timedelta:
        return self.interval if self._workers.runs() else IDLE
