"""What an operator should be woken for, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Self

from django.db.models import Count, Exists, Min, OuterRef, Window

from forge_jobs.conf import conf
from forge_jobs.durations import spelled
from forge_jobs.models import Job, Process, ProcessState, Queue, RateLimitBudget, Schedule
from forge_jobs.operations.locks import held_locks, write_lock
from forge_jobs.operations.status import Unserved, lag_since, oldest_ready, unserved_of

MAX_LAG: Final = timedelta(seconds=60)
"""How long work may wait that nobody takes, before somebody is woken for it."""


def ailments(*, now: datetime, max_lag: timedelta = MAX_LAG) -> list[str]:
    """All of it; empty if all is well."""
    return [*Care.read(now=now).ailments(max_lag), *filter(None, [write_lock()])]


@dataclass(frozen=True, kw_only=True)
class Care:
    """Which queues have ready jobs, since when, and who is there to take them."""

    at: datetime
    oldest: Mapping[str, datetime]
    live: Sequence[Process]

    @classmethod
    def read(cls, *, now: datetime) -> Self:
        return cls.of(Process.objects.live(now=now).order_by("host", "name"), now=now)

    @classmethod
    def of(cls, processes: Iterable[Process], *, now: datetime) -> Self:
        """The same, by processes that were read already."""
        live = [process for process in processes if process.is_live(now=now)]
        return cls(at=now, oldest=oldest_ready(), live=live)

    @property
    def claiming(self) -> list[Process]:
        return [process for process in self.live if process.state == ProcessState.RUNNING]

    @cached_property
    def unserved(self) -> Sequence[Unserved]:
        return unserved_of(self.oldest, live=self.claiming)

    def ailments(self, max_lag: timedelta = MAX_LAG) -> list[str]:
        """What reading alone tells: all but SQLite's write lock, which would have to be tried."""
        return [
            *([] if self.claiming else [_nobody_claims(self.live)]),
            *self._untaken(max_lag),
            *self._stuck(max_lag),
            *_late_schedules(now=self.at, max_lag=max_lag),
            *map(str, held_locks()),
        ]

    def _untaken(self, max_lag: timedelta) -> Iterator[str]:
        for nobody in self.unserved:
            due_at = self.oldest[nobody.queue]
            if nobody.kind and lag_since(due_at, now=self.at) > max_lag:
                due_at = self._oldest_of_kinds.get((nobody.queue, nobody.kind), self.at)
            if (lag := lag_since(due_at, now=self.at)) > max_lag:
                yield f"{nobody} Jobs have waited for {_told(lag)}."

    def _stuck(self, max_lag: timedelta) -> Iterator[str]:
        for queue, due_at in sorted(self.oldest.items()):
            serving = [process for process in self.claiming if queue in process.queues]
            lag = lag_since(due_at, now=self.at)
            if lag > max_lag and serving and (why := self._obstacle(queue, serving)):
                yield f"Jobs of queue {queue} have waited for {_told(lag)}, and {why}"

    def _obstacle(self, queue: str, serving: Sequence[Process]) -> str:
        """Why nothing of a queue is started though it is served, if that mends itself no more."""
        if all(process.trouble for process in serving):
            first = serving[0]
            return f"every process that serves it is in trouble. {first.name}: {first.trouble}"
        if budget := self._missing_budgets.get(queue):
            return f"it spends the budget {budget}, which does not exist."
        return ""

    @cached_property
    def _oldest_of_kinds(self) -> dict[tuple[str, str], datetime]:
        """By queue and kind, of those that nobody knows."""
        queues = {nobody.queue for nobody in self.unserved if nobody.kind}
        kinds = {nobody.kind for nobody in self.unserved if nobody.kind}
        ready = Job.objects.ready().filter(queue__in=queues, kind__in=kinds)
        rows = ready.values_list("queue", "kind").annotate(due_at=Min("run_at")).order_by()
        return {(queue, kind): due_at for queue, kind, due_at in rows}

    @cached_property
    def queues(self) -> list[Queue]:
        """All that are stored; `has_budget` tells whether there is the one that each spends."""
        stored = RateLimitBudget.objects.filter(name=OuterRef("budget"))
        rows = Queue.objects.only("name", "is_paused", "budget")
        return list(rows.annotate(has_budget=Exists(stored)))

    @cached_property
    def _missing_budgets(self) -> dict[str, str]:
        """By queue; a paused one is meant to wait."""
        known = {"", *conf().budgets}
        return {
            queue.name: queue.budget
            for queue in self.queues
            if not (queue.is_paused or queue.has_budget or queue.budget in known)  # type: ignore[attr-defined] # annotated
        }


def _nobody_claims(live: Sequence[Process]) -> str:
    leaving = [f"{one.name} is {one.state}" for one in live]
    if leaving:
        return f"No process claims jobs: {', '.join(leaving)}."
    return f"No process beats, or none has for {_told(conf().process_timeout)}."


def _late_schedules(*, now: datetime, max_lag: timedelta) -> Iterator[str]:
    late = Schedule.objects.due(now=now - max_lag).annotate(late=Window(Count("pk")))
    first = late.values_list("name", "next_fire_at", "late").first()
    if first:
        name, due_at, others = first[0], first[1] or now, first[2] - 1
        more = f" So have {others:,} others." if others > 1 else " So has one other." * others
        lag = _told(now - due_at)
        yield f"Schedule {name} is late: it has been due for {lag}.{more}"


def _told(duration: timedelta) -> str:
    """To the second, for whoever is woken."""
    return spelled(round(duration.total_seconds()))
