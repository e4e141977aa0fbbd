"""Budgets without a database: as full as a test wants them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from forge_jobs.budgets import Budget
from forge_jobs.db.rows import BudgetLevel


class FakeBudget:
    """A bucket that nobody refills; `taken` counts the tokens that were granted."""

    def __init__(self, tokens: float) -> None:
        self.tokens = tokens
        self.taken = 0.0
        self.was_drained = False

    def take(self, cost: float) -> bool:
        if cost > self.tokens:
            return False
        self.tokens -= cost
        self.taken += cost
        return True

    def drain(self) -> None:
        self.tokens, self.was_drained = 0.0, True

    def level(self) -> BudgetLevel:
        return BudgetLevel(math.inf, 1.0, self.tokens, 0.0)


@contextmanager
def fake_budget(name: str, *, tokens: float = math.inf) -> Iterator[FakeBudget]:
    """Let handlers and views that ask for a budget by its name ask this one; by default it is full.

    Queues that spend a budget take their tokens from the database nevertheless.
    """
    fake = FakeBudget(tokens)
    try_acquire, level, drain = Budget.try_acquire, Budget.level, Budget.drain

    def fake_try(budget: Budget, cost: float = 1) -> bool:
        return fake.take(cost) if budget.name == name else try_acquire(budget, cost)

    def fake_level(budget: Budget) -> BudgetLevel:
        return fake.level() if budget.name == name else level(budget)

    def fake_drain(budget: Budget, retry_after: Any = 0) -> None:
        if budget.name == name:
            fake.drain()
        else:
            drain(budget, retry_after)

    with mock.patch.multiple(Budget, try_acquire=fake_try, level=fake_level, drain=fake_drain):
        yield fake
