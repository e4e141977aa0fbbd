"""Fires schedules when they are due, each due moment once, whoever else tries."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import DataError, Error, IntegrityError, transaction

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.conf.policies import CatchUp
from forge_jobs.cron.zones import SECOND
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Schedule
from forge_jobs.models.schedule_queryset import Progress
from forge_jobs.schedules import timetable
from forge_jobs.schedules.firing import fire
from forge_jobs.services.base import Service
from forge_jobs.signals import schedule_failed, schedule_fired, schedule_skipped

LARGEST_PASS: Final = 500
"""How many schedules one pass plans or fires, so that other services have their turn."""
MOST_MISSED: Final = 100
"""How many missed moments of one schedule are made good."""


class Scheduler(Service):
    """At first it stores what code declares; then it plans what is new, and fires what is due.

    When it has not run for as long as it takes for others to lead, it stores it again: their code
    may be another, as during a deployment.

    A schedule whose kind this process does not know is left to a leader that does.
    """

    interval = timedelta(seconds=1)

    def __init__(self) -> None:
        self._ran_at: datetime | None = None

    def run_once(self, *, now: datetime) -> int:
        if self._ran_at is None or now - self._ran_at >= conf().lease:
            synchronise()
        self._ran_at = now
        kinds = registry.kinds()
        unplanned = Schedule.objects.unplanned().filter(kind__in=kinds)[:LARGEST_PASS]
        planned = sum(_plan(schedule, now=now) for schedule in unplanned)
        due = Schedule.objects.due(now=now).filter(kind__in=kinds)[:LARGEST_PASS]
        return planned + sum(
            db.unless_locked(partial(_fire, schedule, now=now)) for schedule in due
        )

    def rest(self, *, now: datetime) -> timedelta:
        """Until the next one is due, at most the interval: somebody may add a sooner one."""
        planned = Schedule.objects.planned().filter(kind__in=registry.kinds())
        due = planned.values_list("next_fire_at", flat=True).first()
        return self.interval if due is None else min(self.interval, due - now)


def synchronise() -> None:
    """Store what code declares, and disable what it no longer does."""
    declared = timetable.declared()
    Schedule.objects.sow({name: one.columns() for name, one in declared.items()})
    Schedule.objects.abandon(declared=declared.keys())


def due_moments(schedule: Schedule, *, now: datetime) -> list[datetime]:
    """Those that are to fire now, in their order.

    A moment is missed when it is later than a change of leader takes, and then for the catch-up
    policy to decide.
    """
    first = schedule.next_fire_at
    if first is None:
        return []
    cron = schedule.cron
    until = min(now, schedule.ends_at or now)
    recent = now - conf().process_timeout
    timely = [first] if recent <= first <= until else []
    last = max(first, recent - datetime.resolution)
    while (following := cron.after(last)) and following <= until:
        timely.append(following)
        last = following
    return [*_missed(schedule, first, min(recent - datetime.resolution, until), timely), *timely]


def _missed(
    schedule: Schedule, first: datetime, until: datetime, timely: list[datetime]
) -> list[datetime]:
    """Which of the moments from the first to `until` are made good."""
    count = {CatchUp.SKIP: 0, CatchUp.ONCE: 0 if timely else 1, CatchUp.ALL: MOST_MISSED}
    wanted = count[CatchUp(schedule.catch_up)]
    if first > until or not wanted:
        return []
    # The first was planned: it is due though the zone may have new rules by now.
    return schedule.cron.latest(wanted, after=first - SECOND, until=until) or [first]


def _plan(schedule: Schedule, *, now: datetime) -> int:
    try:
        return int(Schedule.objects.plan(schedule, now=now))
    except Error:
        raise
    except Exception as error:
        return _give_up(schedule, error)


def _fire(schedule: Schedule, *, now: datetime) -> int:
    """Move on and make the jobs, both or neither; returns how many due moments were dealt with."""
    try:
        moments = due_moments(schedule, now=now)
        following = schedule.due_after(now)
    except Exception as error:
        return _give_up(schedule, error)
    with transaction.atomic(using=db.connection().alias):
        if not Schedule.objects.move(schedule, following):
            return 0
        progress = _make_jobs(schedule, moments, now=now)
        Schedule.objects.record(schedule, progress)
    for due in progress.fired:
        schedule_fired.send_robust(Scheduler, schedule=schedule, due_at=due)
    for due in progress.skipped:
        schedule_skipped.send_robust(Scheduler, schedule=schedule, due_at=due)
    for due, failure in progress.failed:
        schedule_failed.send_robust(Scheduler, schedule=schedule, due_at=due, error=failure)
    return 1


def _make_jobs(schedule: Schedule, moments: list[datetime], *, now: datetime) -> Progress:
    """That the database is in trouble is the caller's; any other error costs only its moment."""
    progress = Progress()
    last_due = schedule.last_fired_at
    for due in moments:
        try:
            if fire(schedule, due=due, last_due=last_due, now=now):
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
