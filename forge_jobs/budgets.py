"""Rate limits that hold across the cluster: tokens taken from a bucket in the database."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.db.rows import BudgetLevel
from forge_jobs.durations import as_timedelta, clamped, of_seconds
from forge_jobs.exceptions import UnknownBudget
from forge_jobs.handlers.outcomes import Throttled
from forge_jobs.wording import listed, meant, quoted

LONGEST_NAP: Final = 1.0
"""Seconds between looks at a bucket: others may take what one waits for, or an operator refill."""


class Budget:
    """A token bucket by its name; for handlers (`ctx.budget()`), views and commands alike.

    Taking a token locks the bucket's row until the end of the current transaction, so take it
    outside of one where others should not wait.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def acquire(self, cost: float = 1) -> None:
        """Take tokens, or raise `Throttled` with the time until there are enough.

        Only the job that asked waits for them, not its whole queue.
        """
        if not self.try_acquire(cost):
            wait = self.level().seconds_until(cost)
            raise Throttled(of_seconds(wait), scope="job")

    def try_acquire(self, cost: float = 1) -> bool:
        """Take tokens if there are enough; tells whether."""
        from forge_jobs.models import RateLimitBudget

        if not (isinstance(cost, int | float) and cost > 0):
            raise ValueError(f"cost must be a number, more than 0, not {quoted(cost)}.")

        def take() -> bool:
            return bool(RateLimitBudget.objects.take(self.name, at_least=cost, at_most=cost))

        if db.unless_locked(take):
            return True
        level = self.level()
        if cost > level.capacity:
            raise ValueError(
                f"cost {cost:g} is more than budget {self.name!r} ever holds, {level.capacity:g}."
            )
        # It may have been filled, or stored for the first time, only just now.
        return level.seconds_until(cost) == 0 and db.unless_locked(take)

    def wait(self, timeout: timedelta | float, cost: float = 1) -> bool:
        """Sleep until tokens could be taken, at most so long; tells whether they were."""
        deadline = time.monotonic() + as_timedelta(timeout, field="timeout").total_seconds()
        while not self.try_acquire(cost):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, LONGEST_NAP, max(0.001, self.level().seconds_until(cost))))
        return True

    def drain(self, retry_after: timedelta | float = 0) -> None:
        """Empty the bucket after the other side has refused: everybody stops for `retry_after`."""
        from forge_jobs.models import RateLimitBudget

        self.level()
        pause = clamped(retry_after, field="retry_after")
        db.unless_locked(lambda: RateLimitBudget.objects.drain(self.name, pause=pause))

    def level(self) -> BudgetLevel:
        """What is in the bucket; raises `UnknownBudget`."""
        from forge_jobs.models import RateLimitBudget

        level = RateLimitBudget.objects.level(self.name)
        if level is None and self.name in (declared := conf().budgets):
            RateLimitBudget.objects.sow({self.name: declared[self.name].columns()})
            level = RateLimitBudget.objects.level(self.name)
        if level is None:
            known = RateLimitBudget.objects.names()
            raise UnknownBudget(
                f"There is no budget {quoted(self.name)}, only {listed(sorted(known))}."
                f'{meant(self.name, known)} Declare it in FORGE_JOBS["BUDGETS"].'
            )
        return level
