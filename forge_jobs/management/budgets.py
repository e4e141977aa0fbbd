"""`manage.py jobs budget`: shows the budgets, and resizes, drains, fills or adds one."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.management import CommandError

from forge_jobs.conf import conf
from forge_jobs.dashboard import budgets
from forge_jobs.dashboard.budgets import BudgetCard
from forge_jobs.management import parsing
from forge_jobs.management.rendering import NOTHING, document, lasting, table
from forge_jobs.models import Queue, RateLimitBudget
from forge_jobs.wording import listed, meant

HEADS: Final = ("budget", "tokens", "capacity", "per second", "state", "spent by")
COLUMNS: Final = ("capacity", "refill_per_second")
LONGEST_NAME: Final = 100
STATES: Final = {"live": "grants", "empty": "empty"}


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    parsing.add_name(parser, "budget")
    add("--capacity", type=parsing.amount, metavar="N", help="how many tokens it holds at most")
    add("--refill-per-second", type=parsing.amount, metavar="N", help="how many flow in")
    add("--add", action="store_true", help="store a new one, with these two")
    level = parser.add_mutually_exclusive_group()
    level.add_argument(
        "--drain",
        nargs="?",
        type=parsing.duration,
        const=timedelta(0),
        metavar="30s",
        help="empty it, and let nothing flow in for so long (default: 0s)",
    )
    level.add_argument("--refill", action="store_true", help="fill it, and let it grant again")
    add("--json", dest="as_json", action="store_true", help="one JSON document")


def carry_out(*, name: str | None, add: bool, as_json: bool, now: datetime, **options: Any) -> str:
    """Do what is asked for; returns what there is to say."""
    columns = {column: options[column] for column in COLUMNS if options[column] is not None}
    if name is None and (add or columns or options["drain"] is not None or options["refill"]):
        raise CommandError("Say which budget: jobs budget NAME ...")
    rows = RateLimitBudget.objects
    rows.sow({key: one.columns() for key, one in conf().budgets.items()})
    Queue.objects.sow({key: one.columns() for key, one in conf().queues.items()})
    told = []
    if name and add:
        told = [_added(name, columns)]
    elif name:
        refuse_unknown(name)
        told = _steered(name, columns, drain=options["drain"], refill=options["refill"])
    cards = [card for card in budgets.read(now=now) if name in (None, card.row.name)]
    if as_json:
        return document([_fields(card) for card in cards])
    return "\n".join([*told, *([""] if told else []), *_shown(cards)])


def refuse_unknown(name: str) -> None:
    known = sorted(RateLimitBudget.objects.names())
    if name not in known:
        raise CommandError(f"There is no budget {name}, only {listed(known)}.{meant(name, known)}")


def _added(name: str, columns: dict[str, float]) -> str:
    if len(columns) < len(COLUMNS):
        raise CommandError("A new budget needs --capacity and --refill-per-second.")
    if len(name) > LONGEST_NAME:
        raise CommandError(f"A budget's name has at most {LONGEST_NAME} characters.")
    if name in RateLimitBudget.objects.names():
        raise CommandError(f"There is a budget {name} already.")
    RateLimitBudget.planted(name, columns).save(force_insert=True)
    return "Added."


def _steered(
    name: str, columns: dict[str, float], *, drain: timedelta | None, refill: bool
) -> list[str]:
    told = []
    if columns:
        if not RateLimitBudget.objects.resize(name, **columns):
            raise CommandError("Somebody else has changed it at the same moment; try again.")
        told.append("Changed.")
    if drain is not None:
        RateLimitBudget.objects.drain(name, pause=drain)
        told.append(f"Empty, and grants nothing for {lasting(drain)}." if drain else "Empty.")
    if refill:
        RateLimitBudget.objects.refill(name)
        told.append("Full.")
    return told


def _shown(cards: list[BudgetCard]) -> list[str]:
    if not cards:
        return ["There are no budgets."]
    return table(HEADS, map(_cells, cards), right={"tokens", "capacity", "per second"})


def _cells(card: BudgetCard) -> list[str]:
    paused = card.level.paused_seconds
    return [
        card.row.name,
        card.tokens,
        f"{card.level.capacity:,g}",
        card.rate,
        f"drained for {lasting(timedelta(seconds=paused))}" if paused else STATES[card.tone],
        ", ".join(spender.queue for spender in card.spenders) or NOTHING,
    ]


def _fields(card: BudgetCard) -> dict[str, Any]:
    return {
        "name": card.row.name,
        "tokens": card.level.tokens,
        "capacity": card.level.capacity,
        "refill_per_second": card.level.refill_per_second,
        "paused_seconds": card.level.paused_seconds,
        "queues": [spender.queue for spender in card.spenders],
        "is_declared": card.is_declared,
    }
