"""Fires schedules when they are due, each due moment once, whoever else tries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from django.db import DataError, Error, IntegrityError, transaction
from django.db.models import Q

from forge_jobs import clock, db
from forge_jobs.conf import conf
from forge_jobs.cron.zones import UnknownZone
from forge_jobs.db import signs
from forge_jobs.db.rows import Move
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Schedule, plan
from forge_jobs.models.schedule_queryset import Progress
from forge_jobs.schedules.firing import fire
from forge_jobs.schedules.moments import due_moments
from forge_jobs.services import volley
from forge_jobs.services.base import Service
from forge_jobs.services.horizon import Horizon
from forge_jobs.services.sowing import Sowing
from forge_jobs.signals import (
    schedule_failed,
    schedule_fired,
    schedule_skipped,
    schedules_replanned,
)

LARGEST_PASS: Final = 500
"""How many schedules one pass plans or fires, so that other services have their turn."""
WORTH_A_VOLLEY: Final = 10
"""How many that are due together are fired at once."""
LOOK_THROUGH_EVERY: Final = timedelta(minutes=5)
"""How often all plans are compared with what they would be made from now."""
LARGEST_REVISION: Final = 100
"""How many of them one pass plans anew: after an upgrade all are to be, and jobs wait meanwhile."""


class Replanned(NamedTuple):
    """A schedule that was to fire at another moment; None is never."""

    schedule: Schedule
    before: datetime | None
    after: datetime | None
    was_ahead: bool
    """The clock that planned it, and not what it was planned from."""


class Scheduler(Service):
    """Stores what code declares, plans what is new, and fires what is due.

    At first it looks through all plans, for those that would be others now. It begins like that
    again after as long a rest as it takes for others to lead, and when the clock was set back.

    A schedule whose kind this process does not know is left to a leader that does.
    """

    interval = timedelta(seconds=1)
    is_urgent = True

    def __init__(self, horizon: Horizon | None = None) -> None:
        self._horizon = horizon or Horizon()
        self._seen: signs.Horizon | None = None
        self._sowing = Sowing()
        self._ran_at: datetime | None = None
        self._looked_through_at: datetime | None = None
        self._found_void: list[Schedule] = []

    def run_once(self, *, now: datetime) -> int:
        if self._ran_at is None or not -clock.AHEAD < now - self._ran_at < conf().lease:
            self._sowing.begin_anew()
            self._looked_through_at = None
        self._ran_at = now
        self._sowing.run_once(now=now)
        seen, void = self._horizon.look(self), self._void(now)
        has_due = seen.schedule is not None and seen.schedule <= now
        if not (has_due or seen.has_unplanned or void):
            self._seen = seen
            return 0
        moved = self._move_on(void, now=now)
        self._horizon.move_on()
        return moved

    def _move_on(self, void: Sequence[Schedule], *, now: datetime) -> int:
        kinds = registry.kinds()
        unplanned = Schedule.objects.unplanned().filter(kind__in=kinds)[:LARGEST_PASS]
        told: list[Replanned] = []
        planned = _plan([*unplanned, *void], now=now, told=told)
        due = Schedule.objects.due(now=now).filter(kind__in=kinds)[:LARGEST_PASS]
        fired = _fire_all([*due], now=now, told=told)
        if told:
            schedules_replanned.send_robust(Scheduler, replanned=told)
        return planned + fired

    def rest(self, *, now: datetime) -> timedelta:
        """Until the next one is due, at most until it is known that a sooner one was added."""
        seen, self._seen = self._seen, None
        if seen and (seen.schedule is None or seen.schedule > now):
            rest = self._horizon.rest(at_most=self.interval)
            return min(rest, seen.schedule - now) if seen.schedule else rest
        planned = Schedule.objects.planned().filter(kind__in=registry.kinds())
        due = planned.values_list("next_fire_at", flat=True).first()
        return self.interval if due is None else min(self.interval, due - now)

    def _void(self, now: datetime) -> list[Schedule]:
        """Plans that may not hold any more; what is due already, fires by the plan it has."""
        if not self._looked_through_at or now - self._looked_through_at >= LOOK_THROUGH_EVERY:
            self._looked_through_at = now
            planned = Schedule.objects.enabled().filter(Q(next_fire_at__gt=now) | Q(is_over=True))
            slim = planned.filter(kind__in=registry.kinds()).only("name", *plan.COLUMNS)
            self._found_void = [schedule for schedule in slim if _is_void(schedule, now=now)]
        found = self._found_void
        self._found_void = found[LARGEST_REVISION:]
        return [
            schedule
            for schedule in found[:LARGEST_REVISION]
            if schedule.next_fire_at is None or schedule.next_fire_at > now
        ]


def _is_void(schedule: Schedule, *, now: datetime) -> bool:
    try:
        return plan.is_void(schedule, now=now)
    except UnknownZone:
        return True


def _plan(schedules: Sequence[Schedule], *, now: datetime, told: list[Replanned]) -> int:
    """Find when they are due next, and store it at once; returns how many plans are new."""
    done = 0
    moves: list[tuple[Move, Replanned]] = []
    for schedule in schedules:
        was_ahead = plan.was_ahead(schedule, now=now)
        try:
            due = plan.following(schedule, now=now)
            move = plan.move(schedule, due, now=now)
        except Exception as error:
            done += _give_up(schedule, error)
        else:
            change = Replanned(schedule, schedule.next_fire_at, due, was_ahead=was_ahead)
            moves.append((move, change))
    moved = Schedule.objects.move_all([move for move, _change in moves])
    changed = [
        change
        for _move, change in moves
        if change.schedule.pk in moved and (not change.before or change.before != change.after)
    ]
    told += [change for change in changed if change.before or change.schedule.is_over]
    return done + len(changed)


def _fire_all(due: Sequence[Schedule], *, now: datetime, told: list[Replanned]) -> int:
    """Those that are simple at once, the others one by one."""
    fires = volley.simple(due, now=now) if len(due) >= WORTH_A_VOLLEY else []
    simple = {fire.move.id for fire in fires}
    alone = [schedule for schedule in due if schedule.pk not in simple]
    done = sum(db.unless_locked(partial(_fire, schedule, now=now, told=told)) for schedule in alone)
    try:
        progresses = db.unless_locked(partial(volley.fire, fires)) if fires else []
    except (DataError, IntegrityError):  # for what one of them would store
        rest = [fire.due.schedule for fire in fires]
        return done + sum(
            db.unless_locked(partial(_fire, schedule, now=now, told=told)) for schedule in rest
        )
    for schedule, progress in progresses:
        _tell(schedule, progress)
    return done + len(progresses)


def _fire(schedule: Schedule, *, now: datetime, told: list[Replanned]) -> int:
    """Move on and make the jobs, both or neither; returns how many due moments were dealt with."""
    try:
        is_outdated = plan.is_outdated(schedule)
        moments = due_moments(schedule, now=now)
        following = schedule.due_after(now)
    except Exception as error:
        return _give_up(schedule, error)
    if is_outdated:
        return _plan([schedule], now=now, told=told)
    with transaction.atomic(using=db.connection().alias):
        if not Schedule.objects.move(schedule, following, now=now):
            return 0
        progress = _make_jobs(schedule, moments, now=now)
        Schedule.objects.record(schedule, progress)
    _tell(schedule, progress)
    return 1


def _tell(schedule: Schedule, progress: Progress) -> None:
    for due in progress.fired:
        schedule_fired.send_robust(Scheduler, schedule=schedule, due_at=due)
    for due in progress.skipped:
        schedule_skipped.send_robust(Scheduler, schedule=schedule, due_at=due)
    for due, failure in progress.failed:
        schedule_failed.send_robust(Scheduler, schedule=schedule, due_at=due, error=failure)


def _make_jobs(schedule: Schedule, moments: list[datetime], *, now: datetime) -> Progress:
    """That the database is in trouble is the caller's; any other error costs only its moment."""
    progress = Progress(fired=[], skipped=[], failed=[])
    last_due = schedule.last_fired_at
    for due in moments:
        try:
            before = last_due if last_due and last_due < due else None  # else the clock was ahead
            if fire(schedule, due=due, last_due=before, now=now):
                progress.fired.append(due)
                last_due = due
            else:
                progress.skipped.append(due)
        except (DataError, IntegrityError) as error:  # what was to be stored can't be
            progress.failed.append((due, error))
        except Error:
            raise
        except Exception as error:
            progress.failed.append((due, error))
    return progress


def _give_up(schedule: Schedule, error: Exception) -> int:
    """Disable what can't be read, for it would fail again each time."""
    if not Schedule.objects.give_up(schedule, f"{error}"):
        return 0
    schedule_failed.send_robust(Scheduler, schedule=schedule, due_at=None, error=error)
    return 1
