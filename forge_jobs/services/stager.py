"""Moves due jobs into the claim index, so that future work never stands in a claim's way."""

from datetime import datetime, timedelta
from typing import Final

from forge_jobs import wake
from forge_jobs.models import Job
from forge_jobs.services.base import Service

BATCH: Final = 1_000


class Stager(Service):
    """`scheduled` and `retrying` jobs that are due become `ready`; their queues are woken."""

    interval = timedelta(seconds=1)

    def run_once(self, *, now: datetime) -> int:
        staged = 0
        while self.rest(now=now) <= timedelta(0):
            queues = Job.objects.stage(now=now, limit=BATCH)
            for queue in set(queues):
                wake.send(queue)
            staged += len(queues)
            if len(queues) < BATCH:
                break
        return staged

    def rest(self, *, now: datetime) -> timedelta:
        """Until the next job is due, at most the interval: a sooner one may be enqueued."""
        due = Job.objects.next_due()
        return self.interval if due is None else min(self.interval, due - now)
