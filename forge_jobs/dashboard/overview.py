"""What an operator sees first: how many jobs, how far behind, who works, what is amiss."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Final

from django.utils.translation import gettext as _

from forge_jobs.conf import conf
from forge_jobs.dashboard.totals import Totals
from forge_jobs.models import Process, ProcessState, Queue
from forge_jobs.operations.status import lag_since, oldest_ready, unserved_of
from forge_jobs.states import UNFINISHED, State

MOST_LINES: Final = 50
MOST_TROUBLES: Final = 20


@dataclass(frozen=True, kw_only=True)
class QueueLine:
    """One queue in brief; its oldest ready job has been due since `due_at`, for `lag`."""

    name: str
    counts: dict[State, int]
    due_at: datetime | None
    lag: timedelta


@dataclass(frozen=True, kw_only=True)
class Overview:
    """`queues` are as many as there is room for: those first of which there is something to say.

    The oldest ready job of all has been due since `due_at`.
    """

    counts: dict[State, int]
    counted_at: datetime | None
    queues: Sequence[QueueLine]
    names: Sequence[str]
    due_at: datetime | None
    live_processes: int
    troubles: Sequence[str]

    @property
    def more(self) -> int:
        """How many queues there are besides."""
        return len(self.names) - len(self.queues)

    @classmethod
    def read(cls, *, now: datetime) -> Overview:
        totals = Totals.read()
        live = list(Process.objects.live(now=now))
        stored = Queue.objects.values_list("name", flat=True)
        names = sorted({*conf().queues, *stored, *totals.queues()})
        oldest = oldest_ready()
        lines = [
            QueueLine(
                name=name,
                counts=totals.by_state(name),
                due_at=oldest.get(name),
                lag=lag_since(oldest.get(name), now=now),
            )
            for name in names
        ]
        return cls(
            counts=totals.by_state(),
            counted_at=totals.counted_at,
            queues=sorted(nlargest(MOST_LINES, lines, key=_weight), key=lambda line: line.name),
            names=names,
            due_at=min(oldest.values(), default=None),
            live_processes=len(live),
            troubles=troubles(live, oldest),
        )


def troubles(live: Sequence[Process], queues: Collection[str]) -> list[str]:
    """What somebody should look at, in sentences; `queues` are those that have ready jobs."""
    claiming = [process for process in live if process.state == ProcessState.RUNNING]
    found = [str(nobody) for nobody in unserved_of(queues, live=claiming)]
    found += [f"{process.name}: {process.trouble}" for process in live if process.trouble]
    return bounded(found)


def bounded(troubles: Sequence[str]) -> list[str]:
    """As many as somebody reads, and how many there are besides."""
    more = len(troubles) - MOST_TROUBLES
    if more <= 0:
        return list(troubles)
    return [*troubles[:MOST_TROUBLES], _("… and %(more)s more.") % {"more": more}]


def _weight(line: QueueLine) -> tuple[timedelta, int, int]:
    unfinished = sum(line.counts[state] for state in UNFINISHED)
    return line.lag, unfinished, sum(line.counts.values())
