"""Carries the wish to stop from the database to the handlers that run here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from forge_jobs.context import LOST
from forge_jobs.models import Job
from forge_jobs.services.base import Service
from forge_jobs.states import State

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

UNSPOKEN: Final = "cancelled"


class Cancellation(Service):
    """Whoever was asked to stop is told, and so is whoever runs a job that is no longer ours."""

    interval = timedelta(seconds=0.5)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run_once(self, *, now: datetime) -> int:
        runs = {(run.job.id, run.job.started_at): run for run in self.engine.crew.runs()}
        if not runs:
            return 0
        claims = {
            (pk, started_at): (requested_at, reason)
            for pk, started_at, process, state, requested_at, reason in Job.objects.filter(
                pk__in=[pk for pk, _ in runs]
            ).values_list(
                "pk", "started_at", "process_id", "state", "cancel_requested_at", "cancel_reason"
            )
            if state == State.RUNNING and process == self.engine.process.pk
        }
        told = 0
        for claim, run in runs.items():
            requested_at, reason = claims.get(claim, (now, LOST))
            if requested_at and not run.context.cancelled:
                run.context.cancelled.set(reason or UNSPOKEN)
                told += 1
        return told
