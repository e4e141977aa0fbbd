"""Cancels what has not begun by the time it expires, so that no queue counts it any more."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from forge_jobs import db
from forge_jobs.models import Job
from forge_jobs.services.base import Service
from forge_jobs.services.horizon import Horizon

BATCH: Final = 500
LARGEST_PASS: Final = 5_000
"""How many jobs one pass cancels, so that other services have their turn."""


class Expirer(Service):
    """No worker begins an expired job; this one sees to those that no worker comes to."""

    interval = timedelta(seconds=5)

    def __init__(self, horizon: Horizon | None = None) -> None:
        self._horizon = horizon or Horizon()
        self._has_more = False

    def run_once(self, *, now: datetime) -> int:
        first = self._horizon.look(self).expiry
        if first is None or first > now:
            return 0
        expired = 0
        jobs = Job.objects.all()
        while expired < LARGEST_PASS and jobs.expired(now=now).exists():
            batch = db.unless_locked(partial(jobs.expire, now=now, limit=BATCH))
            expired += batch
            if batch < BATCH:
                break
        self._has_more = expired >= LARGEST_PASS
        return expired

    def rest(self, *, now: datetime) -> timedelta:
        return timedelta(0) if self._has_more else self.interval
