"""Stores what runs keep, under their claims, and sees to it when they are over."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, Final, TypeVar

from django.db import DataError, Error, IntegrityError, ProgrammingError

from forge_jobs import db
from forge_jobs.db.rows import ClaimedJob, StepRow
from forge_jobs.exceptions import ClaimLost
from forge_jobs.handlers.outcomes import Done, Outcome, Released
from forge_jobs.handlers.secrecy import shown_job
from forge_jobs.models import Job, JobStep, Process
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.signals import outcome_ignored

if TYPE_CHECKING:
    from forge_jobs.runtime.running.run import Run

R = TypeVar("R")

NOT_OURS_TO_MEND: Final = (DataError, IntegrityError, ProgrammingError)


class Claimed:
    """The job database, for what a process's workers have claimed."""

    def __init__(self, process: Process, *, stopping: Event) -> None:
        self._process = process
        self._stopping = stopping

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def read(self, job: ClaimedJob) -> list[StepRow]:
        return JobStep.objects.of(job.id)

    def write(self, job: ClaimedJob, row: StepRow) -> None:
        """What a step did is done: its record waits until the database takes it."""

        def store() -> bool:
            return JobStep.objects.store(row, job=job, process=self._process.pk)

        if not self._through(lambda: db.unless_locked(store)):
            raise ClaimLost(f"{job.kind} #{job.id} is no longer this process's.")

    def complete(self, job: ClaimedJob, result: str | None) -> None:
        if not Job.objects.complete(job, result, process=self._process):
            raise ClaimLost(f"{job.kind} #{job.id} is no longer this process's.")

    def is_complete(self, job: ClaimedJob) -> bool:
        """As the database says, for nobody else knows whether a transaction was committed."""
        ours = Job.objects.running().completed().filter(pk=job.id, process=self._process)
        return ours.filter(started_at=job.started_at).exists()

    def _through(self, step: Callable[[], R]) -> R:
        try:
            return ride_out(
                step, doing="storing a step", stopping=self._stopping, unless=NOT_OURS_TO_MEND
            )
        except Stopped as stopped:
            raise stopped.__cause__ or stopped from None


def concluded(run: Run, outcome: Outcome) -> Outcome:
    """What a run comes to that has kept something: where its walks are is stored once more."""
    context = run.context
    try:
        if context.completion is not None and context.store.is_complete(run.job):
            if not _says_nothing_else(outcome, context.completion):
                job = shown_job(run.job)
                outcome_ignored.send_robust(type(run), job=job, ignored=type(outcome).__name__)
            return context.completion
        if type(outcome) is not Done:
            context.steps.flush()
    except ClaimLost:
        return Released()
    except Error:  # then rows are visited again, and the database itself knows what is complete
        db.connection().close()
    return outcome


def _says_nothing_else(outcome: Outcome, completion: Done) -> bool:
    return isinstance(outcome, Done) and outcome.result in (None, completion.result)
