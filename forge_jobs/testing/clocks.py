"""A clock that stands still until a test moves it, for Python and for SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from forge_jobs import clock, db
from forge_jobs.durations import in_utc
from forge_jobs.models import Job, Schedule
from forge_jobs.services.scheduler import Scheduler
from forge_jobs.testing.inline import Inline, inline
from forge_jobs.testing.ran import Drained, Ran
from forge_jobs.wording import quoted

TABLES: Final = "forge_jobs_"
NOW: Final = {
    "postgresql": (re.compile(r"statement_timestamp\(\)", re.IGNORECASE), "'{}+00'::timestamptz"),
    "sqlite": (re.compile(r"'now'", re.IGNORECASE), "'{}'"),
}
"""What our statements, and Django's `Now()`, call the present moment."""


class FrozenClock:
    """The clock within `frozen_at()`; call it for the moment that it shows."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def __repr__(self) -> str:
        return f"<FrozenClock at {self._now.isoformat()}>"

    def move_to(self, moment: datetime) -> None:
        """Set the clock, ahead or back; nothing runs."""
        self._now = in_utc(moment, field="moment")

    def advance(self, by: timedelta | None = None, /, **units: float) -> Drained:
        """Let time pass, `by` a timedelta, its keywords, or both: what is due on the way runs then.

        Schedules fire at their moments, and jobs run when they are due, each with the clock at that
        moment, one after the other. Raises `ValueError` for what is no duration, or not ahead.
        """
        if by is not None and not isinstance(by, timedelta):
            raise ValueError(
                f"write advance(seconds={quoted(by)}) or of other units, or give a timedelta."
            )
        duration = timedelta(**units) + (by or timedelta(0))
        if duration < timedelta(0):
            raise ValueError(f"time passes forward, not by {duration}; see move_to().")
        end = self._now + duration
        with inline() as jobs:
            return Drained(self._pass(jobs, end=end))

    def _pass(self, jobs: Inline, *, end: datetime) -> Iterator[Ran]:
        scheduler = Scheduler()
        while True:
            scheduler.run_once(now=self._now)
            yield from jobs.run_all()
            following = [moment for moment in _next_moments() if self._now < moment <= end]
            if not following and self._now == end:
                return
            self._now = min(following, default=end)


@contextmanager
def frozen_at(moment: datetime) -> Iterator[FrozenClock]:
    """Let the time of forge_jobs stand at a moment, aware, until it is moved.

    Retries, delays, schedules, timeouts and budgets go by it, and so do the moments that SQL sets,
    in this thread. Django's own `timezone.now()` does not.
    """
    frozen = FrozenClock(in_utc(moment, field="moment"))
    with clock.installed(frozen), db.connection().execute_wrapper(_told_by(frozen)):
        yield frozen


def _told_by(frozen: FrozenClock) -> Callable[..., Any]:
    def execute(run: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if TABLES in sql:
            words, literal = NOW[context["connection"].vendor]
            moment = frozen().replace(tzinfo=None).isoformat(" ", "microseconds")
            sql = words.sub(literal.format(moment), sql)
        return run(sql, params, many, context)

    return execute


def _next_moments() -> Iterator[datetime]:
    if job := Job.objects.next_due():
        yield job
    planned = Schedule.objects.enabled().filter(next_fire_at__isnull=False)
    if schedule := planned.order_by("next_fire_at").values_list("next_fire_at", flat=True).first():
        yield schedule
