"""What is going on: queues, states, lag, processes, and what nobody takes care of.

Each query walks a partial index, none the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, QuerySet, Value

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.db.written_once import RowsWrittenOnce
from forge_jobs.models import Job, Lease, Process, Queue, State
from forge_jobs.models.job_queryset import JobQuerySet
from forge_jobs.models.lease import SERVICES

FRONT: Final = 1_000
"""How many jobs of a queue to look at for kinds that nobody serves: such jobs are in front."""
MOST_IN_FRONT: Final = 20_000
"""And how many of all queues together, where there are many."""

Grouped = QuerySet[Any, Any]
"""Rows of queue, state and count."""


@dataclass(frozen=True, kw_only=True)
class QueueStatus:
    """`lag` is for how long the job has waited that has been ready for longest."""

    name: str
    counts: dict[State, int] = field(default_factory=dict)
    lag: timedelta = timedelta(0)
    is_served: bool = True
    is_paused: bool = False
    cools_until: datetime | None = None
    """The end of its cooling down, if that is still to come."""


@dataclass(frozen=True)
class Unserved:
    """Ready jobs that no live process takes: none serves the queue, or none of them the kind."""

    queue: str
    kind: str = ""

    def __str__(self) -> str:
        if self.kind:
            return f"No live process of queue {self.queue} knows the kind {self.kind}."
        return f"No live process serves queue {self.queue}."


@dataclass(frozen=True, kw_only=True)
class Status:
    at: datetime
    queues: Sequence[QueueStatus]
    processes: Sequence[Process]
    leader: str
    unserved: Sequence[Unserved]

    @classmethod
    def read(cls, *, now: datetime) -> Status:
        counts = count_jobs()
        names = {*conf().queues, *(queue for queue, _ in counts)}
        rows = {row.name: row for row in Queue.objects.all()}
        live = _live(now)
        oldest = oldest_ready()
        leader = Lease.objects.holder(SERVICES, now=now)
        processes = list(Process.objects.order_by("host", "name"))
        leaders = [one.name for one in processes if one.pk == leader]
        return cls(
            at=now,
            queues=[
                QueueStatus(
                    name=name,
                    counts={state: n for state in State if (n := counts[name, state])},
                    lag=lag_since(oldest.get(name), now=now),
                    is_served=any(name in process.queues for process in live),
                    is_paused=name in rows and rows[name].is_paused,
                    cools_until=_cools_until(rows.get(name), now=now),
                )
                for name in sorted(names)
            ],
            processes=processes,
            leader="".join(leaders),
            unserved=unserved_of(oldest, live=live),
        )


def unserved(*, now: datetime) -> list[Unserved]:
    """Which queues and kinds with ready jobs no live process serves."""
    return unserved_of(oldest_ready(), live=_live(now))


def unserved_of(queues: Collection[str], *, live: Sequence[Process]) -> list[Unserved]:
    """The same, of queues that have ready jobs and of processes that claim."""
    known: dict[str, set[str]] = {}
    for process in live:
        for queue in set(process.queues) & set(queues):
            known.setdefault(queue, set()).update(process.kinds)
    in_front = _kinds_in_front(list(known)) if known else {}
    found: list[Unserved] = []
    for queue in sorted(queues):
        if queue not in known:
            found.append(Unserved(queue))
        else:
            missing = in_front.get(queue, set()) - known[queue]
            found += [Unserved(queue, kind) for kind in sorted(missing)]
    return found


def _live(now: datetime) -> list[Process]:
    """Processes that beat and claim."""
    return list(Process.objects.claiming(now=now))


def count_jobs() -> Counter[tuple[str, str]]:
    """Jobs by queue and state, all as of one moment."""
    return _told(ALL.read(using=db.connection().alias))


def count_unfinished() -> Counter[tuple[str, str]]:
    return _counted(*_unfinished())


def count_finished() -> Counter[tuple[str, str]]:
    return _counted(_finished())


def _unfinished() -> list[Grouped]:
    """The index of claims knows no state, and need not: all are ready."""
    jobs = Job.objects
    named = (
        (State.READY, jobs.ready()),
        (State.BLOCKED, jobs.blocked()),
        (State.HELD, jobs.held()),
    )
    return [
        *(_grouped(rows, Value(state)) for state, rows in named),
        _grouped(jobs.running(), Value(State.RUNNING)),
        _grouped(jobs.waiting(), F("state")),
    ]


def _finished() -> Grouped:
    return _grouped(Job.objects.finished(), F("state"))


def _grouped(jobs: JobQuerySet, state: Value | F) -> Grouped:
    """By what an index has in order: by an expression, SQLite would sort all rows in memory."""
    rows: Any = jobs.order_by().annotate(said=state).values_list("queue", "said")
    counted: Grouped = rows.annotate(count=Count("pk"))
    return counted


def _counted(first: Grouped, *others: Grouped) -> Counter[tuple[str, str]]:
    return _told(_together(first, *others))


def _together(first: Grouped, *others: Grouped) -> Grouped:
    """In one query, so that nobody is counted twice who goes from one to another."""
    return first.union(*others, all=True) if others else first


def _told(rows: Iterable[tuple[Any, ...]]) -> Counter[tuple[str, str]]:
    return Counter({(queue, state): count for queue, state, count in rows})


ALL: Final = RowsWrittenOnce(lambda: _together(_finished(), *_unfinished()))


def _cools_until(row: Queue | None, *, now: datetime) -> datetime | None:
    return row.throttled_until if row and row.is_cooling(now=now) else None


def _kinds_in_front(queues: Sequence[str]) -> dict[str, set[str]]:
    limit = max(1, min(FRONT, MOST_IN_FRONT // len(queues)))
    with db.connection().cursor() as cursor:
        return db.twin().kinds_in_front(cursor, queues=queues, limit=limit)


def oldest_ready() -> dict[str, datetime]:
    """Of each queue that has ready jobs, since when the oldest of them has been due."""
    with db.connection().cursor() as cursor:
        return db.twin().oldest_ready(cursor)


def lag_since(due_at: datetime | None, *, now: datetime) -> timedelta:
    """Nothing lags that nobody waits for, nor what is to come."""
    return timedelta(0) if due_at is None else max(timedelta(0), now - due_at)
