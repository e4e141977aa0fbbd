"""Which due moments of a schedule are to fire now: those on time, and of the missed ones some."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from forge_jobs.conf import conf
from forge_jobs.conf.policies import CatchUp
from forge_jobs.cron.zones import SECOND
from forge_jobs.models import Schedule

MOST_MISSED: Final = 100
"""How many missed moments of one schedule are made good."""


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
