"""What an operator sees first: how many jobs, how far behind, who works, what is amiss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forge_jobs.conf import conf
from forge_jobs.dashboard.totals import Totals
from forge_jobs.models import Process, Queue
from forge_jobs.operations.status import lag_of, unserved
from forge_jobs.states import State


@dataclass(frozen=True, kw_only=True)
class QueueLine:
    """One queue in brief; `lag` is for how long its oldest ready job has waited."""

    name: str
    counts: dict[State, int]
    lag: timedelta


@dataclass(frozen=True, kw_only=True)
class Overview:
    counts: dict[State, int]
    counted_at: datetime | None
    queues: Sequence[QueueLine]
    live_processes: int
    troubles: Sequence[str]

    @property
    def longest_lag(self) -> timedelta:
        return max((queue.lag for queue in self.queues), default=timedelta(0))

    @classmethod
    def read(cls, *, now: datetime) -> Overview:
        totals = Totals.read()
        live = list(Process.objects.live(now=now))
        stored = Queue.objects.values_list("name", flat=True)
        names = sorted({*conf().queues, *stored, *totals.queues()})
        return cls(
            counts=totals.by_state(),
            counted_at=totals.counted_at,
            queues=[
                QueueLine(name=name, counts=totals.by_state(name), lag=lag_of(name, now=now))
                for name in names
            ],
            live_processes=len(live),
            troubles=troubles(live, now=now),
        )


def troubles(live: Sequence[Process], *, now: datetime) -> list[str]:
    """What somebody should look at, in sentences."""
    found = [str(nobody) for nobody in unserved(now=now)]
    found += [f"{process.name}: {process.trouble}" for process in live if process.trouble]
    return found
