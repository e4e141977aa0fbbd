"""Closes the sessions that nobody uses any more."""

from datetime import datetime, timedelta

from forge_jobs.runtime.sessions import close_unused
from forge_jobs.services.base import Service


class Rest(Service):
    """A worker without work needs none; a thread that has ended may have left one behind."""

    interval = timedelta(seconds=5)

    def run_once(self, *, now: datetime) -> int:
        return close_unused()
