"""Fires many schedules in a few statements, where each fires for one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from forge_jobs import db
from forge_jobs.conf.policies import Overlap
from forge_jobs.db.rows import Move, NewRow
from forge_jobs.models import Schedule, plan
from forge_jobs.models.schedule_queryset import Progress
from forge_jobs.schedules.firing import Due, fire_together
from forge_jobs.schedules.moments import due_moments


class Fire(NamedTuple):
    """A due moment, the job that it makes, and the step to the next one."""

    due: Due
    row: NewRow
    move: Move


def simple(schedules: Iterable[Schedule], *, now: datetime) -> list[Fire]:
    """Of what is due, all that needs no closer look; what can't be read, or is refused, does."""
    fires = []
    for schedule in schedules:
        try:
            fire = _simple(schedule, now=now)
        except Exception:  # noqa: S112 - whoever fires it alone meets that again, and tells
            continue
        if fire:
            fires.append(fire)
    return fires


def fire(fires: Sequence[Fire]) -> list[tuple[Schedule, Progress]]:
    """Move on and make the jobs, both or neither; what became of those that nobody else moved."""
    with transaction.atomic(using=db.connection().alias):
        moved = Schedule.objects.move_all([fire.move for fire in fires])
        ours = {fire.move.id: fire for fire in fires if fire.move.id in moved}
        fired = fire_together({pk: fire.row for pk, fire in ours.items()})
        due = {pk: fire.due.at for pk, fire in ours.items()}
        Schedule.objects.record_fired({pk: at for pk, at in due.items() if pk in fired})
        Schedule.objects.record_skipped({pk: at for pk, at in due.items() if pk not in fired})
    return [(fire.due.schedule, _progress(fire.due, fired)) for fire in ours.values()]


def _simple(schedule: Schedule, *, now: datetime) -> Fire | None:
    if schedule.overlap == Overlap.REPLACE or plan.is_outdated(schedule):
        return None
    match due_moments(schedule, now=now):
        case [at]:
            last = schedule.last_fired_at
            due = Due(schedule, at, last if last and last < at else None)  # else it was ahead
            move = plan.move(schedule, schedule.due_after(now), now=now)
            return Fire(due, due.row(now=now), move)
    return None


def _progress(due: Due, fired: set[int]) -> Progress:
    if due.schedule.pk in fired:
        return Progress(fired=[due.at], skipped=[], failed=[])
    return Progress(fired=[], skipped=[due.at], failed=[])
