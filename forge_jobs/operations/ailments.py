"""What an operator should be woken for, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Self

from forge_jobs.conf import conf
from forge_jobs.models import Process, Queue, RateLimitBudget, Schedule
from forge_jobs.operations.locks import held_locks, write_lock
from forge_jobs.operations.status import Unserved, lag_of, lag_since, oldest_ready, unserved_of

MAX_LAG: Final = timedelta(seconds=60)
"""How long work may wait that nobody takes, before somebody is woken for it."""


def ailments(*, now: datetime, max_lag: timedelta = MAX_LAG) -> list[str]:
    """All of it; empty if all is well."""
    return [*Care.read(now=now).ailments(max_lag), *filter(None, [write_lock()])]


@dataclass(frozen=True, kw_only=True)
class Care:
    """Which queues have ready jobs, since when, and who takes them: processes that claim."""

    at: datetime
    oldest: Mapping[str, datetime]
    live: Sequence[Process]
    unserved: Sequence[Unserved]

    @classmethod
    def read(cls, *, now: datetime) -> Self:
        oldest, live = oldest_ready(), list(Process.objects.claiming(now=now))
        return cls(at=now, oldest=oldest, live=live, unserved=unserved_of(oldest, live=live))

    def ailments(self, max_lag: timedelta = MAX_LAG) -> list[str]:
        """What reading alone tells: all but SQLite's write lock, which would have to be tried."""
        return [
            *([] if self.live else [_nobody_claims(self.at)]),
            *self._untaken(max_lag),
            *self._stuck(max_lag),
            *_late_schedules(now=self.at, max_lag=max_lag),
            *map(str, held_locks()),
        ]

    def _untaken(self, max_lag: timedelta) -> Iterator[str]:
        for nobody in self.unserved:
            lag = lag_since(self.oldest[nobody.queue], now=self.at)
            if nobody.kind and lag > max_lag:
                lag = lag_of(nobody.queue, now=self.at, kind=nobody.kind)
            if lag > max_lag:
                yield f"{nobody} Jobs have waited for {_seconds(lag)}."

    def _stuck(self, max_lag: timedelta) -> Iterator[str]:
        for queue, due_at in sorted(self.oldest.items()):
            serving = [process for process in self.live if queue in process.queues]
            lag = lag_since(due_at, now=self.at)
            if lag > max_lag and serving and (why := self._obstacle(queue, serving)):
                yield f"Jobs of queue {queue} have waited for {_seconds(lag)}, and {why}"

    def _obstacle(self, queue: str, serving: Sequence[Process]) -> str:
        """Why nothing of a queue is started though it is served, if that mends itself no more."""
        if all(process.trouble for process in serving):
            first = serving[0]
            return f"every process that serves it is in trouble. {first.name}: {first.trouble}"
        if budget := self._missing_budgets.get(queue):
            return f"it spends the budget {budget}, which does not exist."
        return ""

    @cached_property
    def _missing_budgets(self) -> dict[str, str]:
        """By queue; a paused one is meant to wait."""
        known = {*conf().budgets, *RateLimitBudget.objects.names()}
        spending = Queue.objects.filter(is_paused=False).exclude(budget__in=["", *known])
        return dict(spending.values_list("name", "budget"))


def _nobody_claims(now: datetime) -> str:
    live = Process.objects.live(now=now).order_by("host", "name")
    leaving = [f"{one.name} is {one.state}" for one in live]
    if leaving:
        return f"No process claims jobs: {', '.join(leaving)}."
    return f"No process beats, or none has for {_seconds(conf().process_timeout)}."


def _late_schedules(*, now: datetime, max_lag: timedelta) -> Iterator[str]:
    late = Schedule.objects.due(now=now - max_lag)
    first = late.only("name", "next_fire_at").first()
    if first and first.next_fire_at:
        others = late.count() - 1
        more = f" So have {others:,} others." if others > 1 else " So has one other." * others
        lag = _seconds(now - first.next_fire_at)
        yield f"Schedule {first.name} is late: it has been due for {lag}.{more}"


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():,.0f} s"
