"""What a decided gate does to the jobs behind it: lets them go, or gives them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest

from forge_jobs import db
from forge_jobs.db.moments import PresentMoment
from forge_jobs.models.anew import judge_anew, lock_around
from forge_jobs.models.event import JobEvent
from forge_jobs.models.job import Job
from forge_jobs.models.promotion import wake_and_promote
from forge_jobs.states import Event, GateState, State

LARGEST_RELEASE: Final = 2_000
"""How many jobs are let go, or given up, at once."""


def release(gates: Collection[int]) -> tuple[int, bool]:
    """Let those go that these gates held, as far as they are open; how many, and whether all.

    By the database's own clock, for a web process has not measured how far its own is off.
    """
    is_open = Q(gate__in=gates, gate__state=GateState.OPEN)
    given_up = Job.objects.filter(is_open).given_up().unrivalled()
    _revive(list(given_up.values_list("pk", flat=True)[:LARGEST_RELEASE]))
    with transaction.atomic(using=db.connection().alias):
        held = Job.objects.held().filter(is_open)
        rows = list(
            held.order_by("pk")
            .select_for_update(skip_locked=True, of=("self",))
            .values_list("pk", "queue", "concurrency_key")[:LARGEST_RELEASE]
        )
        if rows:
            Job.objects.filter(pk__in=[row[0] for row in rows]).update(
                state=Case(
                    When(run_at__gt=PresentMoment(), then=Value(State.SCHEDULED)),
                    When(concurrency_key__isnull=True, then=Value(State.READY)),
                    default=Value(State.BLOCKED),
                ),
                run_at=Greatest(F("run_at"), PresentMoment()),
            )
            wake_and_promote({row[1] for row in rows}, {row[2] for row in rows if row[2]})
    return len(rows), len(rows) < LARGEST_RELEASE


def give_up(gates: Collection[int], *, now: datetime) -> list[int]:
    """Cancel those that broken gates hold, as far as nobody has locked them; returns their ids."""
    held = Job.objects.held().filter(gate__in=gates, gate__state=GateState.BROKEN)
    by_reason = defaultdict(list)
    with db.turn_to_write():
        rows = held.order_by("pk").select_for_update(skip_locked=True, of=("self",))
        for pk, reason in rows.values_list("pk", "gate__reason")[:LARGEST_RELEASE]:
            by_reason[reason].append(pk)
        for reason, jobs in by_reason.items():
            Job.objects.filter(pk__in=jobs).update(
                state=State.CANCELLED, finished_at=now, cancel_reason=reason
            )
            JobEvent.objects.note(jobs, Event.CANCELLED, at=now, detail=reason)
    return [pk for jobs in by_reason.values() for pk in jobs]


def _revive(jobs: list[int]) -> None:
    """Hold jobs again that were given up; one that has a rival now stays as it is."""
    if not jobs:
        return
    chosen = Job.objects.filter(pk__in=jobs).given_up().unrivalled()
    try:
        with db.turn_to_write():
            lock_around(jobs)
            if chosen.update(state=State.HELD, finished_at=None, cancel_reason=""):
                judge_anew(jobs)
    except IntegrityError:
        if len(jobs) > 1:
            for pk in jobs:
                _revive([pk])
