"""Deletes the labels of jobs that are gone."""

from datetime import datetime, timedelta
from typing import Final

from forge_jobs.models import JobLabel
from forge_jobs.services.base import Service
from forge_jobs.services.pace import Pace

LARGEST_PASS: Final = 5_000
"""At how many labels one pass looks, so that other services have their turn."""


class LabelPruner(Service):
    """Goes through the table bit by bit, so that to delete a job costs no look at it."""

    interval = timedelta(minutes=5)
    pause = timedelta(seconds=10)

    def __init__(self) -> None:
        self._looked_to = 0
        self._rest = self.interval
        self._pace = Pace()

    def run_once(self, *, now: datetime) -> int:
        self._pace.begin()
        pruned, last = JobLabel.objects.prune(after=self._looked_to, limit=LARGEST_PASS)
        self._looked_to = last or 0
        if last is None:
            self._rest = self.interval
        elif 2 * pruned > LARGEST_PASS:
            self._rest = self._pace.rest(after=LARGEST_PASS)
        else:
            self._rest = self.pause
        return pruned

    def rest(self, *, now: datetime) -> timedelta:
        """Until the next bit; where most of it was to be deleted, as short as jobs allow."""
        return self._rest
