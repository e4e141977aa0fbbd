"""Deletes finished jobs that have been kept for long enough."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import OuterRef, Subquery

from forge_jobs.durations import of_seconds
from forge_jobs.models import Job, JobStep, Queue, State
from forge_jobs.services.base import Service
from forge_jobs.states import TERMINAL

LARGEST_PASS: Final = 5_000
"""How many jobs one pass deletes, so that other services have their turn; and at how many steps
it looks."""


class Pruner(Service):
    """Goes by what each queue's row says of successes, and of dead and cancelled jobs.

    What jobs had stored for later runs goes after them, however they went.
    """

    interval = timedelta(minutes=5)

    def __init__(self) -> None:
        self._has_more = False
        self._swept: int | None = None
        """The last row of a job's steps that was looked at; None when all have been."""

    def run_once(self, *, now: datetime) -> int:
        pruned = 0
        for queue, state, end in _past_retention(now):
            if pruned < LARGEST_PASS:
                old = Job.objects.ended_as(state).filter(queue=queue, finished_at__lt=end)
                old = old.order_by("finished_at")
                chosen = list(old.values_list("pk", flat=True)[: LARGEST_PASS - pruned])
                pruned += Job.objects.filter(pk__in=chosen).purge()
        self._swept = JobStep.objects.sweep(
            Job.objects.all(), after=self._swept or 0, limit=LARGEST_PASS
        )
        self._has_more = pruned >= LARGEST_PASS or self._swept is not None
        return pruned

    def rest(self, *, now: datetime) -> timedelta:
        return timedelta(0) if self._has_more else self.interval


def _past_retention(now: datetime) -> Iterator[tuple[str, State, datetime]]:
    """The queues that have jobs of a state that ended before their time is up, and that moment.

    Asked once for all queues: there may be thousands, and few with anything to delete.
    """
    oldest = {
        state.value: Subquery(
            Job.objects.ended_as(state)
            .filter(queue=OuterRef("name"))
            .order_by("finished_at")
            .values("finished_at")[:1]
        )
        for state in TERMINAL
    }
    columns = ("name", "retain_succeeded_seconds", "retain_failed_seconds")
    queues = Queue.objects.order_by("name").annotate(**oldest).values_list(*columns, *oldest)
    for queue, successes_for, failures_for, *firsts in queues:
        for state, first in zip(TERMINAL, firsts, strict=True):
            seconds = successes_for if state is State.SUCCEEDED else failures_for
            if seconds is None or first is None:
                continue
            if first < (end := now - of_seconds(seconds)):
                yield queue, state, end
