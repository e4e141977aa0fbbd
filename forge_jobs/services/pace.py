"""How fast tidying goes: as fast as it can while nothing else is to do, else beside the jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from forge_jobs.models import Job

BESIDE_JOBS: Final = 6_400
"""Rows a second while jobs wait or run, at most; never more than in half of the time."""

LONGEST_REST: Final = timedelta(seconds=5)


class Pace:
    """Asks the table itself, so that the jobs of all processes count; `timer` tells seconds."""

    def __init__(self, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._began = 0.0
        self._is_beside_jobs = False

    def begin(self) -> bool:
        """Before a pass; whether it should be a short one, because jobs wait or run."""
        self._began = self._timer()
        self._is_beside_jobs = _are_at_work()
        return self._is_beside_jobs

    def rest(self, *, after: int) -> timedelta:
        """How long to rest now that so many rows are done, if there is more."""
        if not self._is_beside_jobs:
            return timedelta(0)
        took = self._timer() - self._began
        seconds = max(took, after / BESIDE_JOBS - took)
        return min(timedelta(seconds=seconds), LONGEST_REST)


def _are_at_work() -> bool:
    """In the order of an index, without which PostgreSQL might look for one through the table."""
    running = Job.objects.running().order_by("process")
    ready = Job.objects.ready().order_by("queue", "-priority", "run_at", "id")
    return any(jobs.values_list("pk").first() for jobs in (running, ready))
