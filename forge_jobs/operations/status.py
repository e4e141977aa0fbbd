"""What is going on: queues, states, lag, processes, and what nobody takes care of.

Each query walks a partial index, none the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count

from forge_jobs.conf import conf
from forge_jobs.models import (
    Job,
    Lease,
    Process,
    Queue,
    RateLimitBudget,
    Schedule,
    State,
)
from forge_jobs.models.job_queryset import JobQuerySet
from forge_jobs.models.lease import SERVICES
from forge_jobs.operations.locks import held_locks, write_lock

FRONT: Final = 1_000
"""How many jobs to look at for kinds that nobody serves: such jobs are in front."""
MAX_LAG: Final = timedelta(seconds=60)
"""How long work may wait that nobody takes, before somebody is woken for it."""


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
        leader = Lease.objects.holder(SERVICES, now=now)
        processes = list(Process.objects.order_by("host", "name"))
        leaders = [one.name for one in processes if one.pk == leader]
        return cls(
            at=now,
            queues=[
                QueueStatus(
                    name=name,
                    counts={state: n for state in State if (n := counts[name, state])},
                    lag=lag_of(name, now=now),
                    is_served=any(name in process.queues for process in live),
                    is_paused=name in rows and rows[name].is_paused,
                    cools_until=_cools_until(rows.get(name), now=now),
                )
                for name in sorted(names)
            ],
            processes=processes,
            leader="".join(leaders),
            unserved=unserved(now=now),
        )


def unserved(*, now: datetime) -> list[Unserved]:
    """Which queues and kinds with ready jobs no live process serves."""
    live = _live(now)
    found: list[Unserved] = []
    for queue in Job.objects.ready().queue_names():
        serving = [process for process in live if queue in process.queues]
        known = {kind for process in serving for kind in process.kinds}
        if not serving:
            found.append(Unserved(queue))
        else:
            found += [Unserved(queue, kind) for kind in sorted(_kinds_in_front(queue) - known)]
    return found


def ailments(*, now: datetime, max_lag: timedelta = MAX_LAG) -> list[str]:
    """What an operator should be woken for, in sentences; empty if all is well."""
    seen = symptoms(now=now, max_lag=max_lag, nobody_serves=unserved(now=now))
    return [*seen, *filter(None, [write_lock()])]


def symptoms(
    *, now: datetime, nobody_serves: Sequence[Unserved], max_lag: timedelta = MAX_LAG
) -> list[str]:
    """What reading alone tells of them: all but SQLite's write lock, which would have to be tried.

    `nobody_serves` is what `unserved()` has found.
    """
    live = _live(now)
    found = [] if live else [_nobody_claims(now)]
    for nobody in nobody_serves:
        lag = lag_of(nobody.queue, now=now, kind=nobody.kind)
        if lag > max_lag:
            found.append(f"{nobody} Jobs have waited for {_seconds(lag)}.")
    for queue in Job.objects.ready().queue_names():
        serving = [process for process in live if queue in process.queues]
        if serving and (why := _obstacle(queue, serving)):
            lag = lag_of(queue, now=now)
            if lag > max_lag:
                found.append(f"Jobs of queue {queue} have waited for {_seconds(lag)}, and {why}")
    return [*found, *_late_schedules(now=now, max_lag=max_lag), *map(str, held_locks())]


def _obstacle(queue: str, serving: Sequence[Process]) -> str:
    """Why nothing of a queue is started though it is served, if that mends itself no more."""
    if all(process.trouble for process in serving):
        first = serving[0]
        return f"every process that serves it is in trouble. {first.name}: {first.trouble}"
    open_queue = Queue.objects.filter(name=queue, is_paused=False)
    budget = open_queue.values_list("budget", flat=True).first()
    if budget and budget not in {*conf().budgets, *RateLimitBudget.objects.names()}:
        return f"it spends the budget {budget}, which does not exist."
    return ""


def _late_schedules(*, now: datetime, max_lag: timedelta) -> Iterator[str]:
    late = Schedule.objects.due(now=now - max_lag)
    first = late.only("name", "next_fire_at").first()
    if first and first.next_fire_at:
        others = late.count() - 1
        more = f" So have {others:,} others." if others > 1 else " So has one other." * others
        lag = _seconds(now - first.next_fire_at)
        yield f"Schedule {first.name} is late: it has been due for {lag}.{more}"


def _live(now: datetime) -> list[Process]:
    """Processes that beat and claim."""
    return list(Process.objects.claiming(now=now))


def _nobody_claims(now: datetime) -> str:
    live = Process.objects.live(now=now).order_by("host", "name")
    leaving = [f"{one.name} is {one.state}" for one in live]
    if leaving:
        return f"No process claims jobs: {', '.join(leaving)}."
    return f"No process beats, or none has for {_seconds(conf().process_timeout)}."


def count_jobs() -> Counter[tuple[str, str]]:
    """Jobs by queue and state."""
    return count_unfinished() + count_finished()


def count_unfinished() -> Counter[tuple[str, str]]:
    """The index of claims knows no state, and need not: all are ready."""
    counts: Counter[tuple[str, str]] = Counter()
    jobs = Job.objects
    for state, rows in (
        (State.READY, jobs.ready()),
        (State.BLOCKED, jobs.blocked()),
        (State.RUNNING, jobs.running()),
    ):
        for queue, count in rows.values_list("queue").annotate(count=Count("pk")).order_by():
            counts[queue, state] = count
    return counts + _grouped(jobs.waiting())


def count_finished() -> Counter[tuple[str, str]]:
    return _grouped(Job.objects.finished())


def _grouped(jobs: JobQuerySet) -> Counter[tuple[str, str]]:
    rows = jobs.values_list("queue", "state").annotate(count=Count("pk")).order_by()
    return Counter({(queue, state): count for queue, state, count in rows})


def _cools_until(row: Queue | None, *, now: datetime) -> datetime | None:
    return row.throttled_until if row and row.is_cooling(now=now) else None


def _kinds_in_front(queue: str) -> set[str]:
    ready = Job.objects.ready().filter(queue=queue).order_by("-priority", "run_at", "id")
    return set(ready.values_list("kind", flat=True)[:FRONT])


def lag_of(queue: str, *, now: datetime, kind: str = "") -> timedelta:
    """How long the oldest ready job has waited: of each priority, the index knows the oldest."""
    ready = Job.objects.ready().filter(queue=queue).order_by("-priority", "run_at", "id")
    if kind:
        ready = ready.filter(kind=kind)
    lag = timedelta(0)
    oldest = ready.values_list("priority", "run_at").first()
    while oldest is not None:
        priority, run_at = oldest
        lag = max(lag, now - run_at)
        oldest = ready.filter(priority__lt=priority).values_list("priority", "run_at").first()
    return lag


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():,.0f} s"
