"""Carries the wish to stop from the database to the handlers that run here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from forge_jobs.context import LOST
from forge_jobs.models import Job, Process
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.services.base import Service
from forge_jobs.states import State

UNSPOKEN: Final = "cancelled"
LONG_REST: Final = timedelta(seconds=1)
"""Where a notification makes it look sooner."""


class Cancellation(Service):
    """Whoever was asked to stop is told, and so is whoever runs a job that is no longer ours."""

    interval = timedelta(seconds=0.5)
    is_urgent = True

    def __init__(
        self, process: Process, workers: Workers, *, hears: Callable[[], bool] = lambda: False
    ) -> None:
        self._process = process
        self._workers = workers
        self._hears = hears

    def run_once(self, *, now: datetime) -> int:
        runs = {(run.job.id, run.job.started_at): run for run in self._workers.runs()}
        if not runs:
            return 0
        ours = {row[:2]: row[2:] for row in self._claimed([pk for pk, _ in runs])}
        told = 0
        for claim, run in runs.items():
            asked_at, reason, is_to_be_killed = ours.get(claim, (now, LOST, False))
            if asked_at and not run.context.cancelled:
                run.context.cancelled.set(reason or UNSPOKEN)
                told += 1
            if is_to_be_killed:
                run.kill()
        return told

    def rest(self, *, now: datetime) -> timedelta:
        return LONG_REST if self._hears() else self.interval

    def _claimed(self, ids: list[int]) -> list[tuple[Any, ...]]:
        claimed = Job.objects.filter(pk__in=ids, state=State.RUNNING, process=self._process)
        return list(
            claimed.values_list(
                "pk", "started_at", "cancel_requested_at", "cancel_reason", "is_to_be_killed"
            )
        )
