"""Queues: how they are, and how they are paused, resumed and limited."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query as InQuery
from ninja import Router
from pydantic import Field

from forge_jobs import clock, db
from forge_jobs.api.problems import not_found
from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import Body, Document, Done, Name, Numbered, Seconds
from forge_jobs.api.verbs import Verb, add_verbs
from forge_jobs.conf import conf
from forge_jobs.dashboard import queues
from forge_jobs.dashboard.queues import QueueCard
from forge_jobs.models import Queue

router: Final = Router(tags=["Queues"])

AboveZero = Annotated[float, Field(gt=0, le=36_500 * 86_400.0)]
COLUMNS: Final = (
    "max_workers",
    "budget",
    "retries",
    "retry_base_seconds",
    "retry_cap_seconds",
    "throttle_base_seconds",
    "throttle_cap_seconds",
    "retain_succeeded_seconds",
    "retain_failed_seconds",
)


class Limits(Body):
    """What is changed of a queue; what is left out stays, and null stands for no limit."""

    max_workers: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    budget: str | None = Field(None, max_length=100)
    retries: bool = True
    retry_base_seconds: AboveZero | None = None
    retry_cap_seconds: AboveZero | None = None
    throttle_base_seconds: Seconds = 5.0
    throttle_cap_seconds: Seconds = 900.0
    retain_succeeded_seconds: Seconds | None = None
    retain_failed_seconds: Seconds | None = None


class QueueSettings(Document):
    max_workers: int | None
    budget: str
    retries: bool
    retry_base_seconds: float | None
    retry_cap_seconds: float | None
    throttle_base_seconds: float
    throttle_cap_seconds: float
    retain_succeeded_seconds: float | None
    retain_failed_seconds: float | None


class QueueDocument(Document):
    """`moods` say all that keeps its jobs; `settings` are null before it was stored."""

    name: str = Field(examples=["default"])
    moods: list[str] = Field(examples=[["paused"]])
    counts: dict[str, int] = Field(examples=[{"ready": 12, "running": 4}])
    running: int
    lag_seconds: float
    processes: int
    threads: int
    cools_until: datetime | None
    is_declared: bool
    settings: QueueSettings | None


class QueuePage(Document):
    queues: list[QueueDocument]
    matched: int
    next_page: int | None


@router.get("/queues", response=QueuePage, operation_id="list_queues", summary="List queues")
def list_queues(request: HttpRequest, asked: InQuery[Numbered]) -> dict[str, Any]:
    Seat.looking(request, Queue)
    with db.snapshot():
        shown = queues.read(now=clock.now(), words=asked.q, page=str(asked.page))
    return {
        "queues": [_document(card) for card in shown.rows],
        "matched": shown.matched,
        "next_page": shown.after,
    }


class QueueSeat(Seat):
    """A queue that is declared gets its row once somebody steers it who may."""

    def row(self, rows: QuerySet[Any] | None = None, /, **lookup: Any) -> Any:
        if declared := conf().queues.get(lookup.get("name", "")):
            Queue.objects.sow({lookup["name"]: declared.columns()})
        return super().row(rows, **lookup)


add_verbs(
    router,
    "/queues/{path:name}",
    partial(QueueSeat.of, model=Queue),
    Verb(
        "pause",
        "pause_queue",
        "Pause a queue",
        "Nothing of it is started until it is resumed; what runs finishes.",
    ),
    Verb("resume", "resume_queue", "Resume a queue"),
    Verb(
        "cool-off", "cool_off_queue", "End the cooling of a queue", button="forge_jobs_end_cooling"
    ),
)


@router.get(
    "/queues/{path:name}", response=QueueDocument, operation_id="get_queue", summary="Read a queue"
)
def get_queue(request: HttpRequest, name: Name) -> dict[str, Any]:
    Seat.looking(request, Queue)
    return _read(name)


@router.patch(
    "/queues/{path:name}",
    response=QueueDocument,
    operation_id="change_queue",
    summary="Change the limits of a queue",
)
def change_queue(request: HttpRequest, name: Name, limits: Limits) -> dict[str, Any]:
    """What settings declare differently later on wins again."""
    QueueSeat.of(request, Queue).save(limits.model_dump(exclude_unset=True), {"name": name})
    return _read(name)


@router.delete(
    "/queues/{path:name}", response=Done, operation_id="delete_queue", summary="Delete a queue"
)
def delete_queue(request: HttpRequest, name: Name) -> dict[str, str]:
    """One that is not declared any more, and has no unfinished jobs."""
    Seat.of(request, Queue).delete({"name": name})
    return {"detail": f"The queue {name} is deleted."}


def _read(name: str) -> dict[str, Any]:
    with db.snapshot():
        shown = queues.named(name, now=clock.now())
    if shown is None:
        raise not_found(f"There is no such queue: {name}.")
    return _document(shown)


def _document(card: QueueCard) -> dict[str, Any]:
    row = card.row
    return {
        "name": card.name,
        "moods": [mood for mood, _ in card.moods],
        "counts": {str(state): count for state, count in card.counts.items()},
        "running": card.busy,
        "lag_seconds": card.lag.total_seconds(),
        "processes": card.processes,
        "threads": card.threads,
        "cools_until": card.cools_until,
        "is_declared": card.is_declared,
        "settings": row and {column: getattr(row, column) for column in COLUMNS},
    }
