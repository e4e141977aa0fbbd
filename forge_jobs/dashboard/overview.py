"""What an operator sees first: how many jobs wait, how far behind they are, who works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forge_jobs.conf import conf
from forge_jobs.dashboard.totals import Totals
from forge_jobs.models import Process, Queue
from forge_jobs.operations.status import lag_of
from forge_jobs.states import UNFINISHED, State


@dataclass(frozen=True, kw_only=True)
class QueueLine:
    """One queue in brief; `lag` is for how long its oldest ready job has waited."""

    name: str
    counts: dict[State, int]
    lag: timedelta


@dataclass(frozen=True, kw_only=True)
class Overview:
    """`counted_at` is None where all jobs were counted just now."""

    counted_at: datetime | None
    queues: Sequence[QueueLine]
    live_processes: int

    def backlog(self, queue: str = "") -> dict[State, int]:
        """How many jobs are unfinished, of one queue or of all, by state."""
        return {state: self._count(state, queue) for state in UNFINISHED}

    def kept(self, state: State, queue: str = "") -> int:
        """How many finished jobs there still are."""
        return self._count(state, queue)

    def longest_lag(self, queue: str = "") -> timedelta:
        lags = [line.lag for line in self.queues if queue in ("", line.name)]
        return max(lags, default=timedelta(0))

    def _count(self, state: State, queue: str) -> int:
        return sum(line.counts[state] for line in self.queues if queue in ("", line.name))

    @classmethod
    def read(cls, *, now: datetime) -> Overview:
        totals = Totals.read()
        stored = Queue.objects.values_list("name", flat=True)
        names = sorted({*conf().queues, *stored, *totals.queues()})
        return cls(
            counted_at=totals.counted_at,
            queues=[
                QueueLine(name=name, counts=totals.by_state(name), lag=lag_of(name, now=now))
                for name in names
            ],
            live_processes=Process.objects.live(now=now).count(),
        )
