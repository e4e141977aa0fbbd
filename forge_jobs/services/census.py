"""Counts all jobs now and then, so that nobody who looks has to wait for it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final

from forge_jobs.models.job_total import JobTotal
from forge_jobs.operations.status import count_jobs
from forge_jobs.services.base import Service

SHARE: Final = 50
"""It rests for this many times as long as the last count took."""

LONGEST_REST: Final = timedelta(minutes=5)

JOBS_A_SECOND: Final = 2_000_000
"""About how many are counted; of a count by somebody else nobody knows how long it took."""


class Census(Service):
    """The more jobs there are, the less often, whoever leads.

    A count of millions at each change of the leader would slow the jobs down that it begins with.
    """

    interval = timedelta(seconds=10)

    def __init__(self) -> None:
        self._rest: timedelta | None = None
        """None before it has begun."""

    def run_once(self, *, now: datetime) -> int:
        if self._rest is None and (left := self._left(now)):
            self._rest = left
            return 0
        began = time.monotonic()
        counts = count_jobs()
        self._rest = self._after(timedelta(seconds=time.monotonic() - began))
        return JobTotal.objects.retake(counts, now=now)

    def rest(self, *, now: datetime) -> timedelta:
        return self._rest or self.interval

    def _after(self, took: timedelta) -> timedelta:
        return max(self.interval, min(LONGEST_REST, SHARE * took))

    def _left(self, now: datetime) -> timedelta:
        """What is left of the rest after the last count, by whomever."""
        counted, counted_at = JobTotal.objects.last_count()
        if counted_at is None:
            return timedelta(0)
        rest = self._after(timedelta(seconds=counted / JOBS_A_SECOND))
        return max(timedelta(0), min(rest, counted_at + rest - now))
