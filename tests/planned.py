"""Schedules as tests need them, and ways to look at what they made."""

from datetime import datetime, timedelta
from typing import Any

from forge_jobs.models import Job, Schedule
from tests.conftest import NOON

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def planned_schedule(**columns: Any) -> Schedule:
    """Every minute, next at a minute past noon, but for what is said of it."""
    usual = {
        "name": "every minute",
        "kind": "app.noop",
        "expression": "* * * * *",
        "timezone": "UTC",
        "next_fire_at": NOON + MINUTE,
    }
    schedule: Schedule = Schedule.objects.create(**usual | columns)
    return schedule


def due_moments() -> list[datetime]:
    """Those for which there are jobs, in the order of the jobs."""
    contexts = Job.objects.order_by("pk").values_list("context", flat=True)
    return [datetime.fromisoformat(context["due_at"]) for context in contexts]
