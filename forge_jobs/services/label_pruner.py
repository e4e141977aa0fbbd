"""Deletes the labels of jobs that are gone."""

from datetime import datetime, timedelta
from typing import Final

from forge_jobs.models import JobLabel
from forge_jobs.services.base import Service

LARGEST_PASS: Final = 5_000
"""At how many labels one pass looks, so that other services have their turn."""


class LabelPruner(Service):
    """Goes through the table bit by bit, so that to delete a job costs no look at it."""

    interval = timedelta(minutes=5)
    pause = timedelta(seconds=10)

    def __init__(self) -> None:
        self._looked_to = 0
        self._rest = self.interval

    def run_once(self, *, now: datetime) -> int:
        pruned, last = JobLabel.objects.prune(after=self._looked_to, limit=LARGEST_PASS)
        self._looked_to = last or 0
        if last is None:
            self._rest = self.interval
        else:
            self._rest = timedelta(0) if 2 * pruned > LARGEST_PASS else self.pause
        return pruned

    def rest(self, *, now: datetime) -> timedelta:
        """Until the next bit; where most of it was to be deleted, none."""
        return self._rest
