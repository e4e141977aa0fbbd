"""How processes, budgets, schedules and batches are at this moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, Count, Min, Q, When
from prometheus_client import Metric

from forge_jobs.contrib.prometheus.families import Said, seconds_between
from forge_jobs.models import (
    Batch,
    BatchState,
    ChildRestart,
    Lease,
    Process,
    ProcessState,
    RateLimitBudget,
    Schedule,
)
from forge_jobs.models.lease import SERVICES

LOST: Final = "lost"
OTHER: Final = "other"

MOST_SCHEDULES: Final = 100
"""Those that were made first have labels of their own."""

MOST_RESTARTS: Final = 500
"""Pairs of a kind and a reason, those first that came first: seven reasons a kind, at most."""

MOST_BATCHES: Final = 10_000
"""So far they are counted."""

PROCESSES: Final = Said("processes", "Processes, by state; the lost ones are silent.", ("state",))
THREADS: Final = Said(
    "threads", "How many jobs live processes could run at once, in threads and as coroutines."
)
BUSY: Final = Said("threads_busy", "How many of these places have a job.")
ABANDONED: Final = Said("threads_abandoned", "Threads that were given up with what they ran.")
TROUBLED: Final = Said("processes_troubled", "Live processes that something keeps from work.")
LEADERS: Final = Said("leaders", "1 if a process runs the services, such as the scheduler.")

RESTARTS: Final = Said(
    "child_restarts", "Children that made way for others, by why they did.", ("kind", "reason")
)

BUDGET: Final = ("budget",)
TOKENS: Final = Said("budget_tokens", "Tokens that are in the budget.", BUDGET)
CAPACITY: Final = Said("budget_capacity_tokens", "Tokens that the budget holds at most.", BUDGET)
DRAINED: Final = Said("budget_drained_seconds", "For how much longer it grants nothing.", BUDGET)

SCHEDULE: Final = ("schedule",)
LATE: Final = Said("schedule_late_seconds", "For how long it should have fired.", SCHEDULE)
FAILING: Final = Said("schedule_failing", "1 if its last fire made no job.", SCHEDULE)

BATCHES: Final = Said("batches", "Batches that have not ended, by state.", ("state",))
OLDEST_BATCH: Final = Said("oldest_batch_seconds", "How long ago the oldest of them was opened.")


def families(*, now: datetime) -> Iterator[Metric]:
    yield from _processes(now)
    yield from _children()
    yield from _budgets()
    yield from _schedules(now)
    yield from _batches(now)


def _processes(now: datetime) -> Iterator[Metric]:
    rows = list(Process.objects.all())
    live = [row for row in rows if row.is_live(now=now)]
    states = Counter(row.state for row in live) + Counter({LOST: len(rows) - len(live)})
    yield PROCESSES.gauge(((state,), states[state]) for state in (*ProcessState, LOST))
    yield THREADS.gauge([((), sum(row.threads for row in live))])
    yield BUSY.gauge([((), sum(row.running for row in live))])
    yield ABANDONED.gauge([((), sum(row.abandoned_threads for row in live))])
    yield TROUBLED.gauge([((), sum(bool(row.trouble) for row in live))])
    yield LEADERS.gauge([((), Lease.objects.holder(SERVICES, now=now) is not None)])


def _children() -> Iterator[Metric]:
    rows = ChildRestart.objects.order_by("pk").values_list("kind", "reason", "times")
    yield RESTARTS.counter(((kind, reason), times) for kind, reason, times in rows[:MOST_RESTARTS])


def _budgets() -> Iterator[Metric]:
    levels = sorted(RateLimitBudget.objects.levels().items())
    yield TOKENS.gauge(((name,), level.tokens) for name, level in levels)
    yield CAPACITY.gauge(((name,), level.capacity) for name, level in levels)
    yield DRAINED.gauge(((name,), level.paused_seconds) for name, level in levels)


def _schedules(now: datetime) -> Iterator[Metric]:
    """Those that were made first by name; the others by the latest of them, and how many fail."""
    due = Case(When(is_enabled=True, is_over=False, then="next_fire_at"))
    schedules: Any = Schedule.objects.annotate(due_at=due).order_by("pk")
    rows = list(schedules.values_list("name", "due_at", "last_error", "pk")[:MOST_SCHEDULES])
    late = {name: seconds_between(due_at, now) for name, due_at, _, _ in rows}
    failing = {name: int(error != "") for name, _, error, _ in rows}
    if len(rows) == MOST_SCHEDULES:
        others = schedules.filter(pk__gt=rows[-1][-1]).aggregate(
            latest=Min("due_at"), failing=Count("pk", filter=~Q(last_error=""))
        )
        late[OTHER], failing[OTHER] = seconds_between(others["latest"], now), others["failing"]
    yield LATE.gauge(((name,), seconds) for name, seconds in late.items())
    yield FAILING.gauge(((name,), number) for name, number in failing.items())


def _batches(now: datetime) -> Iterator[Metric]:
    by_state = {
        state: Batch.objects.unended().filter(state=state).order_by("pk")
        for state in (BatchState.OPEN, BatchState.SEALED)
    }
    oldest = [rows.values_list("opened_at", flat=True).first() for rows in by_state.values()]
    yield BATCHES.gauge(((state,), rows[:MOST_BATCHES].count()) for state, rows in by_state.items())
    yield OLDEST_BATCH.gauge([((), seconds_between(min(filter(None, oldest), default=None), now))])
