"""Budgets: how much is in them, and how they are sized, drained and filled."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from forge_jobs import clock, db
from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import Body, Document, Done, Name, Seconds
from forge_jobs.api.verbs import Verb, add_verbs
from forge_jobs.conf.bounds import LEAST_TOKENS, MOST_TOKENS
from forge_jobs.dashboard import budgets
from forge_jobs.dashboard.budgets import BudgetCard
from forge_jobs.models import RateLimitBudget

router: Final = Router(tags=["Budgets"])

Tokens = Annotated[float, Field(ge=LEAST_TOKENS, lt=MOST_TOKENS)]


class BudgetSize(Body):
    """What is changed; what is left out stays."""

    capacity: Tokens | None = None
    refill_per_second: Tokens | None = None


class NewBudget(Body):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    capacity: Tokens
    refill_per_second: Tokens


class Drain(Body):
    """For how long nothing flows in; 0 only empties it."""

    pause_seconds: Seconds = 60.0


SHORT: Final = Drain()


class BudgetDocument(Document):
    """`state` is `live`, `empty` or `paused`."""

    name: str
    state: str = Field(examples=["live"])
    tokens: float
    capacity: float
    refill_per_second: float
    paused_seconds: float
    queues: list[str]
    is_declared: bool


class BudgetList(Document):
    budgets: list[BudgetDocument]


@router.get("/budgets", response=BudgetList, operation_id="list_budgets", summary="List budgets")
def list_budgets(request: HttpRequest) -> dict[str, Any]:
    Seat.looking(request, RateLimitBudget)
    with db.snapshot():
        cards = budgets.read(now=clock.now())
    return {"budgets": [_document(card) for card in cards]}


@router.post(
    "/budgets", response={201: BudgetDocument}, operation_id="add_budget", summary="Add a budget"
)
def add_budget(request: HttpRequest, new: NewBudget) -> Any:
    row = Seat.of(request, RateLimitBudget).save(new.model_dump())
    return Status(201, _read(row))


@router.post(
    "/budgets/{path:name}/drain",
    response=Done,
    operation_id="drain_budget",
    summary="Empty a budget",
)
def drain_budget(request: HttpRequest, name: Name, drain: Drain = SHORT) -> dict[str, str]:
    """Jobs of the queues that spend it wait; what runs goes on."""
    seat = Seat.of(request, RateLimitBudget)
    return seat.press("forge_jobs_drain_budget", {"name": name}, pause=drain.pause_seconds)


add_verbs(
    router,
    "/budgets/{path:name}",
    partial(Seat.of, model=RateLimitBudget),
    Verb("refill", "refill_budget", "Fill a budget"),
)


@router.get(
    "/budgets/{path:name}",
    response=BudgetDocument,
    operation_id="get_budget",
    summary="Read a budget",
)
def get_budget(request: HttpRequest, name: Name) -> dict[str, Any]:
    return _read(Seat.looking(request, RateLimitBudget).row(name=name))


@router.patch(
    "/budgets/{path:name}",
    response=BudgetDocument,
    operation_id="change_budget",
    summary="Change the size of a budget",
)
def change_budget(request: HttpRequest, name: Name, size: BudgetSize) -> dict[str, Any]:
    given = size.model_dump(exclude_none=True)
    return _read(Seat.of(request, RateLimitBudget).save(given, {"name": name}))


@router.delete(
    "/budgets/{path:name}", response=Done, operation_id="delete_budget", summary="Delete a budget"
)
def delete_budget(request: HttpRequest, name: Name) -> dict[str, str]:
    """One that neither settings declare nor a queue spends."""
    Seat.of(request, RateLimitBudget).delete({"name": name})
    return {"detail": f"The budget {name} is deleted."}


def _read(row: RateLimitBudget) -> dict[str, Any]:
    with db.snapshot():
        card = next(one for one in budgets.read(now=clock.now()) if one.row.pk == row.pk)
    return _document(card)


def _document(card: BudgetCard) -> dict[str, Any]:
    level = card.level
    return {
        "name": card.row.name,
        "state": card.tone,
        "tokens": level.tokens,
        "capacity": level.capacity,
        "refill_per_second": level.refill_per_second,
        "paused_seconds": level.paused_seconds,
        "queues": [spender.queue for spender in card.spenders],
        "is_declared": card.is_declared,
    }
