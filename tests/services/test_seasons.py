"""Months of fires, changes of the clock included, are what the brute-force model has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forge_jobs.clock import ManualClock
from forge_jobs.conf.policies import Overlap
from forge_jobs.models import Job
from forge_jobs.services.scheduler import Scheduler
from tests.cron.model import ZONES, fires
from tests.planned import MINUTE, due_moments, planned_schedule
from tests.sizes import sized

DAY = timedelta(days=1)
EXPRESSION = "*/7 3 * * 1-5"
START = datetime(2026, *sized((9, 1), full=(1, 1)), tzinfo=UTC)
END = datetime(*sized((2026, 12), full=(2027, 1)), 1, tzinfo=UTC)
"""Whole years on demand; usually the months in which one zone turns forward, the other back."""


@pytest.mark.django_db
@pytest.mark.parametrize("zone", sized(ZONES[::2], full=ZONES))
@pytest.mark.full_size
def test_every_moment_of_a_season_makes_exactly_one_job(
    zone: str, manual_clock: ManualClock, settings: Any
) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "PROCESS_TIMEOUT": 2 * DAY}  # none is missed
    manual_clock.current = START - DAY
    planned_schedule(expression=EXPRESSION, timezone=zone, next_fire_at=None, overlap=Overlap.QUEUE)
    scheduler = Scheduler()
    while manual_clock.current <= END:
        scheduler.run_once(now=manual_clock.current)
        manual_clock.advance(DAY)

    assert due_moments() == fires(EXPRESSION, zone, start=START - DAY, end=END, step=MINUTE)
    assert Job.objects.count() > sized(550, full=2_300)
