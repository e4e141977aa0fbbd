"""What an operator sees of the work: how much waits, how far behind it is, who works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Final

from forge_jobs.conf import conf
from forge_jobs.dashboard.totals import Totals
from forge_jobs.operations.ailments import Care
from forge_jobs.operations.status import lag_since
from forge_jobs.states import UNFINISHED, State

MOST_LINES: Final = 50


@dataclass(frozen=True, kw_only=True)
class QueueLine:
    """One queue in brief; its oldest ready job has been due since `due_at`, for `lag`."""

    name: str
    counts: dict[State, int]
    due_at: datetime | None
    lag: timedelta


@dataclass(frozen=True, kw_only=True)
class Overview:
    """`queues` are as many as there is room for: those first of which there is something to say."""

    totals: Totals
    oldest: Mapping[str, datetime]
    queues: Sequence[QueueLine]
    names: Sequence[str]
    live_processes: int

    @property
    def more(self) -> int:
        """How many queues there are besides."""
        return len(self.names) - len(self.queues)

    def backlog(self, queue: str = "") -> dict[State, int]:
        """How many jobs are unfinished, of one queue or of all, by state."""
        counts = self.totals.by_state(queue)
        return {state: counts[state] for state in UNFINISHED}

    def kept(self, state: State, queue: str = "") -> int:
        """How many finished jobs there still are."""
        return self.totals.of(queue=queue, states=[state])

    def due_since(self, queue: str = "") -> datetime | None:
        """Since when the ready job has been due that waits for longest; None if none waits."""
        return self.oldest.get(queue) if queue else min(self.oldest.values(), default=None)

    @classmethod
    def read(cls, care: Care) -> Overview:
        """`care` is what the verdict goes by: all numbers are of one moment."""
        totals = Totals.read()
        stored = [queue.name for queue in care.queues]
        names = sorted({*conf().queues, *stored, *totals.queues()})
        lines = [
            QueueLine(
                name=name,
                counts=totals.by_state(name),
                due_at=care.oldest.get(name),
                lag=lag_since(care.oldest.get(name), now=care.at),
            )
            for name in names
        ]
        return cls(
            totals=totals,
            oldest=care.oldest,
            queues=sorted(nlargest(MOST_LINES, lines, key=_weight), key=lambda line: line.name),
            names=names,
            live_processes=len(care.live),
        )


def _weight(line: QueueLine) -> tuple[timedelta, int, int]:
    unfinished = sum(line.counts[state] for state in UNFINISHED)
    return line.lag, unfinished, sum(line.counts.values())
