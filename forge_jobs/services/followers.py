"""Knows whether anything comes after jobs at all, so that most commits need not ask."""

from datetime import datetime, timedelta
from typing import ClassVar

from forge_jobs import db
from forge_jobs.models import Gate
from forge_jobs.services.base import Service


class Followers(Service):
    """Looks at once where an enqueue says so; what it misses, the gatekeeper finds."""

    is_urgent: ClassVar[bool] = True

    def __init__(self) -> None:
        # With SQLite no other process can be told, and looking costs little.
        at_rest = 5.0 if db.connection().vendor == "postgresql" else 0.5
        self.interval = timedelta(seconds=at_rest)
        self.are_there = True

    def run_once(self, *, now: datetime) -> int:
        self.are_there = Gate.objects.has_followers()
        return 0
