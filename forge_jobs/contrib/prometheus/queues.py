"""How queues are at this moment: what they hold, what waits for how long, who could run it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import OuterRef, Subquery
from prometheus_client import Metric

from forge_jobs.conf import conf
from forge_jobs.contrib.prometheus.families import Said, seconds_between
from forge_jobs.dashboard.totals import Totals
from forge_jobs.models import Job, Process, Queue, State
from forge_jobs.operations.status import oldest_ready

QUEUE: Final = ("queue",)

JOBS: Final = Said("jobs", "Jobs that there are, by state.", (*QUEUE, "state"))
COUNT_AGE: Final = Said(
    "count_age_seconds", "How long ago the jobs were counted; 0 if that was just now."
)
LAG: Final = Said(
    "lag_seconds", "For how long the job has waited that has been ready for longest.", QUEUE
)
SLOTS: Final = Said("slots", "How many of its jobs live processes could run at once.", QUEUE)
PAUSED: Final = Said("paused", "1 if the queue is paused.", QUEUE)
COOLING: Final = Said("cooling_seconds", "How much longer the queue cools down.", QUEUE)
OLDEST_DEAD: Final = Said(
    "oldest_dead_seconds", "How long ago the oldest dead letter died; 0 if there is none.", QUEUE
)


def families(*, now: datetime) -> Iterator[Metric]:
    totals, due = Totals.read(), oldest_ready()
    rows = {row.name: row for row in with_oldest_dead()}
    names = sorted({*conf().queues, *rows, *totals.queues()})
    live = list(Process.objects.claiming(now=now))
    yield JOBS.gauge(
        ((name, state), count) for name in names for state, count in totals.by_state(name).items()
    )
    yield COUNT_AGE.gauge([((), seconds_between(totals.counted_at, now))])
    yield LAG.gauge(((name,), seconds_between(due.get(name), now)) for name in names)
    yield SLOTS.gauge(((name,), _slots(name, rows.get(name), live)) for name in names)
    yield PAUSED.gauge(((name,), row.is_paused) for name, row in rows.items())
    yield COOLING.gauge(
        ((name,), seconds_between(now, row.throttled_until)) for name, row in rows.items()
    )
    yield OLDEST_DEAD.gauge(
        ((name,), seconds_between(row.oldest_dead, now)) for name, row in rows.items()
    )


def with_oldest_dead() -> Any:
    """The rows of queues, each with one look into the index of finished jobs."""
    dead = Job.objects.ended_as(State.DEAD).filter(queue=OuterRef("name"))
    oldest = dead.order_by("finished_at").values("finished_at")[:1]
    return Queue.objects.annotate(oldest_dead=Subquery(oldest)).order_by("name")


def _slots(name: str, row: Queue | None, live: Sequence[Process]) -> int:
    threads = sum(process.threads for process in live if name in process.queues)
    limit = row.max_workers if row else None
    return threads if limit is None else min(threads, limit)
