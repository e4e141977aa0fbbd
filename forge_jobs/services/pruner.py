"""Deletes finished jobs that have been kept for long enough."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import OuterRef, Subquery

from forge_jobs.durations import of_seconds
from forge_jobs.models import Job, JobStep, Queue, State
from forge_jobs.models.job_queryset import Ending
from forge_jobs.services.base import Service
from forge_jobs.services.pace import Pace
from forge_jobs.states import TERMINAL

LARGEST_PASS: Final = 5_000
"""How many jobs one pass looks at, so that other services have their turn; and how many steps."""

SLICE: Final = 1_000
"""How many one statement does, and one pass beside jobs: on SQLite nobody writes meanwhile."""

FEWEST: Final = 50
"""As how many jobs the last ones of a queue count: to look for them costs as much."""


class Pruner(Service):
    """Goes by what each queue's row says of successes, and of dead and cancelled jobs.

    What jobs had stored for later runs goes after them, however they went.
    """

    interval = timedelta(minutes=5)

    def __init__(self, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(timer=timer)
        self._rest = self.interval
        self._ahead: deque[Lane] = deque()
        self._swept: int | None = None
        """The last row of a job's steps that was looked at; None when all have been."""

    def run_once(self, *, now: datetime) -> int:
        size = SLICE if self._pace.begin() else LARGEST_PASS
        if not self._has_more:
            self._ahead.extend(_past_retention(now))
        pruned, looked = self._prune(size, now=now)
        if not self._ahead:
            self._swept = JobStep.objects.sweep(
                Job.objects.all(), after=self._swept or 0, limit=size
            )
            looked = size
        self._rest = self._pace.rest(after=looked) if self._has_more else self.interval
        return pruned

    def rest(self, *, now: datetime) -> timedelta:
        return self._rest

    @property
    def _has_more(self) -> bool:
        return bool(self._ahead) or self._swept is not None

    def _prune(self, limit: int, *, now: datetime) -> tuple[int, int]:
        """Look at so many jobs or some more; how many are gone, and as how many it counts."""
        pruned = looked = 0
        while self._ahead and looked < limit:
            lane, size = self._ahead[0], min(SLICE, limit - looked)
            gone = lane.prune(size, now=now)
            if lane.is_over:
                self._ahead.popleft()
            pruned += gone
            looked += max(gone, min(FEWEST, size)) if lane.is_over else size
        return pruned, looked


@dataclass
class Lane:
    """The jobs of a queue that ended in one state, the first first; `last` is how far it is."""

    queue: str
    state: State
    last: Ending | None = None
    is_over: bool = False

    def prune(self, size: int, *, now: datetime) -> int:
        """Those that may be kept now for less long than at the beginning stay, too."""
        if (end := self._end(now)) is None:
            self.is_over = True
            return 0
        old = Job.objects.ended_as(self.state).filter(queue=self.queue, finished_at__lt=end)
        pruned, self.last = old.purge_next(size, after=self.last)
        self.is_over = self.last is None
        return pruned

    def _end(self, now: datetime) -> datetime | None:
        """Which of them have been kept for long enough, as the queue's row says by now."""
        kind = "succeeded" if self.state is State.SUCCEEDED else "failed"
        rows = Queue.objects.filter(name=self.queue)
        seconds = rows.values_list(f"retain_{kind}_seconds", flat=True).first()
        return None if seconds is None else now - of_seconds(seconds)


def _past_retention(now: datetime) -> Iterator[Lane]:
    """What there is to prune, asked once for all queues: there may be thousands, with little."""
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
            if first < now - of_seconds(seconds):
                yield Lane(queue, state)
