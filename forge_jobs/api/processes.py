"""Processes: how they are, and wishes that they be quiet, claim again, or stop."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from forge_jobs import clock, db
from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import Document, Id
from forge_jobs.api.verbs import Verb, add_verbs
from forge_jobs.dashboard.processes import Fleet, ProcessCard
from forge_jobs.models import Process

router: Final = Router(tags=["Processes"])


class ProcessDocument(Document):
    """`pulse` is `live`, `late` or `silent`; `wish` is what was asked of it and not done yet.

    `threads` is how many jobs it could run at once, in threads and as coroutines.
    """

    id: Id
    name: str
    host: str
    pid: int
    state: str = Field(examples=["running"])
    pulse: str = Field(examples=["live"])
    wish: str
    leads: bool
    version: str
    queues: list[str]
    kinds: list[str]
    threads: int
    running: int
    abandoned_threads: int
    rss_bytes: int
    cpu_percent: float | None
    started_at: datetime
    heartbeat_at: datetime
    trouble: str


class ProcessList(Document):
    """`troubles` are sentences about work that nobody takes."""

    processes: list[ProcessDocument]
    troubles: list[str]


@router.get(
    "/processes", response=ProcessList, operation_id="list_processes", summary="List processes"
)
def list_processes(request: HttpRequest) -> dict[str, Any]:
    Seat.looking(request, Process)
    with db.snapshot():
        fleet = Fleet.read(now=clock.now())
    return {
        "processes": [_document(card) for card in fleet.cards],
        "troubles": list(fleet.troubles),
    }


add_verbs(
    router,
    "/processes/{int:id}",
    partial(Seat.of, model=Process),
    Verb("quiet", "quiet_process", "Let a process claim nothing more"),
    Verb("claim", "unquiet_process", "Let a quiet process claim again"),
    Verb(
        "stop",
        "stop_process",
        "Let a process end in order",
        "As by SIGTERM. Whatever started it may start another one.",
    ),
)


def _document(card: ProcessCard) -> dict[str, Any]:
    row = card.row
    return {
        "id": row.pk,
        "name": row.name,
        "host": row.host,
        "pid": row.pid,
        "state": row.state,
        "pulse": card.pulse,
        "wish": card.wish,
        "leads": card.leads,
        "version": row.version,
        "queues": row.queues,
        "kinds": row.kinds,
        "threads": row.threads,
        "running": row.running,
        "abandoned_threads": row.abandoned_threads,
        "rss_bytes": row.rss_bytes,
        "cpu_percent": card.cpu_percent,
        "started_at": row.started_at,
        "heartbeat_at": row.heartbeat_at,
        "trouble": row.trouble,
    }
