"""Deletes finished jobs that have been kept for long enough."""

from datetime import datetime, timedelta
from typing import Final

from forge_jobs.durations import of_seconds
from forge_jobs.models import Job, JobStep, Queue, State
from forge_jobs.models.base import constants
from forge_jobs.services.base import Service

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
        for queue in Queue.objects.order_by("name"):
            for states, seconds in (
                ((State.SUCCEEDED,), queue.retain_succeeded_seconds),
                ((State.DEAD, State.CANCELLED), queue.retain_failed_seconds),
            ):
                if seconds is not None and pruned < LARGEST_PASS:
                    old = Job.objects.filter(
                        queue=queue.name,
                        state__in=constants(states),
                        finished_at__lt=now - of_seconds(seconds),
                    )
                    ids = old.order_by("finished_at").values_list("pk", flat=True)
                    chosen = list(ids[: LARGEST_PASS - pruned])
                    pruned += Job.objects.filter(pk__in=chosen).purge() if chosen else 0
        self._swept = JobStep.objects.sweep(
            Job.objects.all(), after=self._swept or 0, limit=LARGEST_PASS
        )
        self._has_more = pruned >= LARGEST_PASS or self._swept is not None
        return pruned

    def rest(self, *, now: datetime) -> timedelta:
        return timedelta(0) if self._has_more else self.interval
