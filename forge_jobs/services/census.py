"""Counts all jobs now and then, so that nobody who looks has to wait for it."""

import time
from datetime import datetime, timedelta
from typing import Final

from forge_jobs.models.job_total import JobTotal
from forge_jobs.operations.status import count_jobs
from forge_jobs.services.base import Service

SHARE: Final = 50
"""It rests for this many times as long as the last count took."""

LONGEST_REST: Final = timedelta(minutes=5)


class Census(Service):
    """The more jobs there are, the less often."""

    interval = timedelta(seconds=10)

    def __init__(self) -> None:
        self._took = timedelta(0)

    def run_once(self, *, now: datetime) -> int:
        began = time.monotonic()
        counts = count_jobs()
        self._took = timedelta(seconds=time.monotonic() - began)
        return JobTotal.objects.retake(counts, now=now)

    def rest(self, *, now: datetime) -> timedelta:
        return max(self.interval, min(LONGEST_REST, SHARE * self._took))
