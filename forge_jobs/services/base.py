"""What every service is: a thing that is done again and again, one step at a time."""

from datetime import datetime, timedelta


class Service:
    """A `run_once()` that a test can call without a thread, and how long to rest after it."""

    interval: timedelta
    is_urgent: bool = False
    """Whether to run at once when the bell of its loop rings."""
    rests_at_first: timedelta = timedelta(0)
    """How long it has nothing to do at the start of a process, where all ask for sessions."""

    def run_once(self, *, now: datetime) -> int:
        """Do what is to be done at `now`; returns how many rows it changed."""
        raise NotImplementedError

    def rest(self, *, now: datetime) -> timedelta:
        """How long nothing will be to do."""
        return self.interval
