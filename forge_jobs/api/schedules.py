"""Schedules: all verbs; what one would enqueue must be open to whoever says so."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from ninja import Query as InQuery
from ninja import Router, Status
from pydantic import Field

from forge_jobs import clock, db
from forge_jobs.api.enqueueing import refuse_closed
from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import Body, Document, Done, Id, Moment, Name, Numbered, Seconds
from forge_jobs.api.verbs import Verb, add_verbs
from forge_jobs.dashboard import schedules
from forge_jobs.dashboard.schedules import ScheduleLine
from forge_jobs.handlers.secrecy import shown
from forge_jobs.models import Schedule

router: Final = Router(tags=["Schedules"])

OverlapName = Literal["skip", "queue", "replace"]
CatchUpName = Literal["skip", "once", "all"]


class ScheduleChanges(Body):
    """What is changed; what is left out stays. `name` stays what code knows it by."""

    name: Name | None = None
    kind: str | None = Field(None, max_length=200)
    payload: dict[str, Any] | None = None
    expression: str | None = Field(None, max_length=500, examples=["0 3 * * *"])
    timezone: str | None = Field(None, max_length=100, examples=["Europe/Berlin"])
    is_enabled: bool = True
    overlap: OverlapName | None = None
    catch_up: CatchUpName | None = None
    jitter_seconds: Seconds | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    queue: str | None = Field(None, max_length=100)
    priority: Annotated[int, Field(ge=-100, le=100)] | None = None
    max_attempts: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class NewSchedule(ScheduleChanges):
    """All but these three have the defaults that the admin's form has."""

    name: Name
    kind: str = Field(max_length=200, examples=["shop.tidy_up"])
    expression: str = Field(max_length=500, examples=["0 3 * * *"])


class ScheduleDocument(Document):
    id: Id
    name: str
    kind: str
    payload: Any
    expression: str
    timezone: str
    meaning: str = Field(examples=["At 03:00 AM"])
    standing: str = Field(examples=["planned"])
    is_enabled: bool
    overlap: str
    catch_up: str
    jitter_seconds: float
    starts_at: datetime | None
    ends_at: datetime | None
    queue: str
    priority: int | None
    max_attempts: int | None
    source: str
    next_fire_at: datetime | None
    last_fired_at: datetime | None
    last_error: str
    skipped: int
    last_skipped_at: datetime | None


class SchedulePage(Document):
    schedules: list[ScheduleDocument]
    matched: int
    next_page: int | None


@router.get(
    "/schedules", response=SchedulePage, operation_id="list_schedules", summary="List schedules"
)
def list_schedules(request: HttpRequest, asked: InQuery[Numbered]) -> dict[str, Any]:
    Seat.looking(request, Schedule)
    now = clock.now()
    with db.snapshot():
        found = schedules.read(now=now, words=asked.q, page=str(asked.page))
    return {
        "schedules": [_document(line) for line in found.rows],
        "matched": found.matched,
        "next_page": found.after,
    }


@router.post(
    "/schedules",
    response={201: ScheduleDocument},
    operation_id="add_schedule",
    summary="Add a schedule",
)
def add_schedule(request: HttpRequest, new: NewSchedule) -> Any:
    """Its kind must be open to whoever adds it, as for a job."""
    return Status(201, _saved(request, new.model_dump(exclude_unset=True), None))


add_verbs(
    router,
    "/schedules/{path:name}",
    partial(Seat.of, model=Schedule),
    Verb(
        "trigger",
        "trigger_schedule",
        "Make a job of a schedule now",
        "It comes beside what is planned.",
    ),
    Verb("enable", "enable_schedule", "Let a schedule fire"),
    Verb("disable", "disable_schedule", "Let a schedule fire no more"),
)


@router.get(
    "/schedules/{path:name}",
    response=ScheduleDocument,
    operation_id="get_schedule",
    summary="Read a schedule",
)
def get_schedule(request: HttpRequest, name: Name) -> dict[str, Any]:
    return _told(Seat.looking(request, Schedule).row(name=name))


@router.patch(
    "/schedules/{path:name}",
    response=ScheduleDocument,
    operation_id="change_schedule",
    summary="Change a schedule",
)
def change_schedule(request: HttpRequest, name: Name, changes: ScheduleChanges) -> dict[str, Any]:
    """A value that was hidden, `•••`, and is sent back so, stays as it is."""
    return _saved(request, changes.model_dump(exclude_unset=True), name)


@router.delete(
    "/schedules/{path:name}",
    response=Done,
    operation_id="delete_schedule",
    summary="Delete a schedule",
)
def delete_schedule(request: HttpRequest, name: Name) -> dict[str, str]:
    """Jobs that it has made stay. One that code declares would come back: disable it."""
    Seat.of(request, Schedule).delete({"name": name})
    return {"detail": f"The schedule {name} is deleted."}


def _saved(request: HttpRequest, given: dict[str, Any], name: str | None) -> dict[str, Any]:
    seat = Seat.of(request, Schedule)
    lookup = None if name is None else {"name": name}
    seat.require_save(lookup)
    if {"kind", "payload"} & given.keys():
        kinds = [] if name is None else [seat.row(name=name).kind]
        kinds += [given["kind"]] if given.get("kind") else []
        for kind in kinds:
            refuse_closed(request.user, kind)
    return _told(seat.save(given, lookup))


def _told(row: Schedule) -> dict[str, Any]:
    return _document(ScheduleLine(row=row, at=clock.now(), last_job=None))


def _document(line: ScheduleLine) -> dict[str, Any]:
    row = line.row
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "payload": shown(row.payload, kind=row.kind),
        "expression": row.expression,
        "timezone": row.zone_name,
        "meaning": str(line.words),
        "standing": line.standing,
        "is_enabled": row.is_enabled,
        "overlap": row.overlap,
        "catch_up": row.catch_up,
        "jitter_seconds": row.jitter_seconds,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "queue": row.queue,
        "priority": row.priority,
        "max_attempts": row.max_attempts,
        "source": row.source,
        "next_fire_at": row.next_fire_at,
        "last_fired_at": row.last_fired_at,
        "last_error": row.last_error,
        "skipped": row.skipped,
        "last_skipped_at": row.last_skipped_at,
    }
