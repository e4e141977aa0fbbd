"""Batches: how far they are, and how they are cancelled, requeued and sealed."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from django.http import HttpRequest
from ninja import Query as InQuery
from ninja import Router
from pydantic import Field

from forge_jobs import clock, db
from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import UNSAID, Document, Done, Id, Numbered, Why
from forge_jobs.api.verbs import Verb, add_verbs
from forge_jobs.dashboard import batches
from forge_jobs.dashboard.batches import BatchLine, BatchPage
from forge_jobs.models import Batch

router: Final = Router(tags=["Batches"])


class BatchListing(Numbered):
    state: Literal["open", "sealed", "succeeded", "failed"] | None = None


class BatchDocument(Document):
    id: Id
    name: str
    state: str = Field(examples=["sealed"])
    percent: int
    counts: dict[str, int] = Field(examples=[{"succeeded": 90, "running": 10}])
    opened_at: datetime
    sealed_at: datetime | None
    ended_at: datetime | None
    expected_end_at: datetime | None
    part_of: Id | None


class WholeBatch(BatchDocument):
    parts: list[BatchDocument]
    has_more_parts: bool


class BatchPageDocument(Document):
    batches: list[BatchDocument]
    matched: int
    next_page: int | None


@router.get(
    "/batches", response=BatchPageDocument, operation_id="list_batches", summary="List batches"
)
def list_batches(request: HttpRequest, asked: InQuery[BatchListing]) -> dict[str, Any]:
    """The newest first."""
    Seat.looking(request, Batch)
    now = clock.now()
    with db.snapshot():
        found = batches.read(now=now, words=asked.q, state=asked.state or "", page=str(asked.page))
    return {
        "batches": [_document(line) for line in found.rows],
        "matched": found.matched,
        "next_page": found.after,
    }


@router.get(
    "/batches/{int:id}", response=WholeBatch, operation_id="get_batch", summary="Read a batch"
)
def get_batch(request: HttpRequest, id: Id) -> dict[str, Any]:
    batch = Seat.looking(request, Batch).row(pk=id)
    with db.snapshot():
        page = BatchPage.read(batch, now=clock.now())
    parts = [_document(part) for part in page.parts]
    return {**_document(page.line), "parts": parts, "has_more_parts": page.has_more_parts}


@router.post(
    "/batches/{int:id}/cancel",
    response=Done,
    operation_id="cancel_batch",
    summary="Cancel all that is left of a batch",
)
def cancel_batch(request: HttpRequest, id: Id, why: Why = UNSAID) -> dict[str, str]:
    seat = Seat.of(request, Batch)
    return seat.press("forge_jobs_cancel_batch", {"pk": id}, reason=why.reason)


add_verbs(
    router,
    "/batches/{int:id}",
    partial(Seat.of, model=Batch),
    Verb("requeue", "requeue_batch", "Requeue the failed jobs of a batch"),
    Verb(
        "seal",
        "seal_batch",
        "Seal a batch",
        "It is complete: it ends with the last of its jobs.",
    ),
)


def _document(line: BatchLine) -> dict[str, Any]:
    row = line.row
    return {
        "id": row.pk,
        "name": row.name,
        "state": row.state,
        "percent": line.percent,
        "counts": {str(state): count for state, count in line.states},
        "opened_at": row.opened_at,
        "sealed_at": row.sealed_at,
        "ended_at": row.ended_at,
        "expected_end_at": line.ends_at,
        "part_of": row.parent_id,
    }
