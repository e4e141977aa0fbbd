"""Moves due jobs into the claim index, so that future work never stands in a claim's way."""

from datetime import datetime, timedelta
from typing import Final

from forge_jobs import wake
from forge_jobs.db import signs
from forge_jobs.models import Job
from forge_jobs.services.base import Service
from forge_jobs.services.horizon import Horizon

BATCH: Final = 1_000


class Stager(Service):
    """`scheduled` and `retrying` jobs that are due become `ready`; their queues are woken."""

    interval = timedelta(seconds=1)
    is_urgent = True

    def __init__(self, horizon: Horizon | None = None) -> None:
        self._horizon = horizon or Horizon()
        self._seen: signs.Horizon | None = None

    def run_once(self, *, now: datetime) -> int:
        staged = 0
        self._seen = self._horizon.look(self)
        while (due := self._seen.job) and due <= now:
            queues = Job.objects.stage(now=now, limit=BATCH)
            for queue in set(queues):
                wake.send(queue)
            staged += len(queues)
            self._seen = self._horizon.look_again(self)
            if len(queues) < BATCH:
                break
        return staged

    def rest(self, *, now: datetime) -> timedelta:
        """Until the next job is due, at most until it is known that a sooner one was enqueued."""
        seen, self._seen = self._seen or self._horizon.look(self), None
        rest = self._horizon.rest(at_most=self.interval)
        return min(rest, seen.job - now) if seen.job else rest
