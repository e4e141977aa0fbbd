"""What an operator sees of each budget: its level, who spends it, and how much waits for it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from forge_jobs.conf import conf
from forge_jobs.dashboard.totals import Totals
from forge_jobs.db.rows import BudgetLevel
from forge_jobs.durations import of_seconds
from forge_jobs.models import Queue, RateLimitBudget
from forge_jobs.states import State


@dataclass(frozen=True, kw_only=True)
class Spender:
    """A queue that takes a token for each of its jobs."""

    queue: str
    ready: int


@dataclass(frozen=True, kw_only=True)
class BudgetCard:
    row: RateLimitBudget
    level: BudgetLevel
    at: datetime
    spenders: Sequence[Spender]
    buttons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def tone(self) -> str:
        if self.level.paused_seconds:
            return "paused"
        return "empty" if self.level.tokens < 1 else "live"

    @property
    def paused_until(self) -> datetime | None:
        seconds = self.level.paused_seconds
        return self.at + of_seconds(seconds) if seconds else None

    @property
    def full_after(self) -> timedelta:
        return of_seconds(self.level.seconds_until(self.level.capacity))

    @property
    def tokens(self) -> str:
        """To a tenth, and never more than there are."""
        return f"{math.floor(self.level.tokens * 10) / 10:,.1f}".removesuffix(".0")

    @property
    def rate(self) -> str:
        return f"{self.level.refill_per_second:,.6f}".rstrip("0").rstrip(".")

    @property
    def interval(self) -> timedelta:
        """From one token to the next."""
        return of_seconds(1 / self.level.refill_per_second)

    @property
    def is_declared(self) -> bool:
        return self.row.name in conf().budgets


def read(*, now: datetime) -> list[BudgetCard]:
    totals = Totals.read()
    spenders = defaultdict(list)
    for queue in Queue.objects.exclude(budget="").order_by("name"):
        ready = totals.of(queue=queue.name, states=[State.READY])
        spenders[queue.budget].append(Spender(queue=queue.name, ready=ready))
    levels = RateLimitBudget.objects.levels()
    return [
        BudgetCard(row=row, level=levels[row.name], at=now, spenders=spenders[row.name])
        for row in RateLimitBudget.objects.order_by("name")
        if row.name in levels
    ]
