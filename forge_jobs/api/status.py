"""How things are: status, health, readiness, and what was measured."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from ninja import Query as InQuery
from ninja import Router, Status
from pydantic import Field

from forge_jobs import clock, db
from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import Document, Query
from forge_jobs.dashboard.gauges import GaugeSeries
from forge_jobs.dashboard.series import JobSeries
from forge_jobs.dashboard.window import Window
from forge_jobs.models import Job
from forge_jobs.operations.ailments import MAX_LAG, Care
from forge_jobs.operations.status import QueueStatus
from forge_jobs.operations.status import Status as Present

router: Final = Router(tags=["Status"])

WindowName = Literal["5m", "30m", "1h", "3h", "6h", "24h", "7d"]
Column = list[float | None]


class QueueLine(Document):
    name: str
    counts: dict[str, int]
    lag_seconds: float
    is_served: bool
    is_paused: bool
    cools_until: datetime | None


class UnservedLine(Document):
    queue: str
    kind: str | None
    message: str


class StatusDocument(Document):
    """`unserved` is work that is ready, and that no live process takes."""

    at: datetime
    leader: str | None
    live_processes: int
    queues: list[QueueLine]
    unserved: list[UnservedLine]


class Patience(Query):
    max_lag_seconds: Annotated[float, Field(ge=0, le=86_400)] = MAX_LAG.total_seconds()


class HealthDocument(Document):
    """`ailments` are sentences that somebody should be woken for."""

    is_well: bool
    ailments: list[str]


class Ready(Document):
    status: Literal["ready"]


class OverTime(Query):
    window: WindowName = "1h"


class JobsOverTime(OverTime):
    queue: str = Field("", max_length=100)
    kind: str = Field("", max_length=200)


class Percentiles(Document):
    """Seconds, by percent: in each step, and over the whole window."""

    steps: dict[str, Column]
    whole: dict[str, float | None]


class JobSeriesDocument(Document):
    """Columns are as long as `moments`, which are when the steps begin, in seconds since 1970."""

    moments: list[int]
    step_seconds: int
    counts: dict[str, Column]
    totals: dict[str, int]
    durations: dict[str, Percentiles]


class GaugeSeriesDocument(Document):
    moments: list[int]
    step_seconds: int
    processes: dict[str, dict[str, Column]]
    database: dict[str, Column]


@router.get(
    "/status", response=StatusDocument, operation_id="get_status", summary="Read the status"
)
def get_status(request: HttpRequest) -> dict[str, Any]:
    Seat.looking(request, Job)
    with db.snapshot():
        status = Present.read(now=clock.now())
    live = [one for one in status.processes if one.is_live(now=status.at)]
    return {
        "at": status.at,
        "leader": status.leader or None,
        "live_processes": len(live),
        "queues": [_queue(queue) for queue in status.queues],
        "unserved": [
            {"queue": nobody.queue, "kind": nobody.kind or None, "message": str(nobody)}
            for nobody in status.unserved
        ],
    }


@router.get(
    "/health",
    response={200: HealthDocument, 503: HealthDocument},
    operation_id="get_health",
    summary="Ask whether all is well",
)
def get_health(request: HttpRequest, asked: InQuery[Patience]) -> Any:
    """503 if somebody should be woken; as `manage.py jobs health`, without taking locks."""
    Seat.looking(request, Job)
    with db.snapshot():
        found = Care.read(now=clock.now()).ailments(timedelta(seconds=asked.max_lag_seconds))
    return Status(503 if found else 200, {"is_well": not found, "ailments": found})


@router.get("/ready", response=Ready, operation_id="get_ready", summary="Ask whether it can answer")
def get_ready(request: HttpRequest) -> dict[str, str]:
    """For load balancers, without a token: 503 while the database can't be read."""
    Job.objects.values_list("pk").first()
    return {"status": "ready"}


@router.get(
    "/series/jobs",
    response=JobSeriesDocument,
    operation_id="get_job_series",
    summary="Read what came of jobs over time",
)
def get_job_series(request: HttpRequest, asked: InQuery[JobsOverTime]) -> dict[str, Any]:
    """The numbers of the charts: how many jobs, and how long they waited and ran."""
    Seat.looking(request, Job)
    window = Window.last(asked.window, now=clock.now())
    with db.snapshot():
        series = JobSeries.read(window, queue=asked.queue, kind=asked.kind)
    return {
        "moments": series.moments,
        "step_seconds": series.step_seconds,
        "counts": series.counts,
        "totals": series.totals,
        "durations": {
            name: {
                "steps": {f"p{percent}": column for percent, column in one.columns.items()},
                "whole": {f"p{percent}": value for percent, value in one.whole.items()},
            }
            for name, one in series.durations.items()
        },
    }


@router.get(
    "/series/gauges",
    response=GaugeSeriesDocument,
    operation_id="get_gauge_series",
    summary="Read how processes and the database were over time",
)
def get_gauge_series(request: HttpRequest, asked: InQuery[OverTime]) -> dict[str, Any]:
    Seat.looking(request, Job)
    window = Window.last(asked.window, now=clock.now())
    with db.snapshot():
        series = GaugeSeries.read(window)
    return {
        "moments": series.moments,
        "step_seconds": series.step_seconds,
        "processes": series.processes,
        "database": series.database,
    }


def _queue(queue: QueueStatus) -> dict[str, Any]:
    return {
        "name": queue.name,
        "counts": {str(state): count for state, count in queue.counts.items()},
        "lag_seconds": queue.lag.total_seconds(),
        "is_served": queue.is_served,
        "is_paused": queue.is_paused,
        "cools_until": queue.cools_until,
    }
