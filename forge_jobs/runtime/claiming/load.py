"""How much a process has to do: what it claimed, less what has ended or was given back."""

from __future__ import annotations

from collections.abc import Callable


class Load:
    """Counted up by the fetcher alone.

    `work_done()` tells how many runs have ended, and the seconds that they took.
    """

    def __init__(self, work_done: Callable[[], tuple[int, float]], *, threads: int) -> None:
        self.work_done = work_done
        self.threads = threads
        self.claimed = 0
        self.given_back = 0

    @property
    def taken(self) -> int:
        """How many jobs this process has taken on so far."""
        return self.claimed - self.given_back

    def ahead(self) -> int:
        """How many jobs run or wait here."""
        jobs, _ = self.work_done()
        return self.taken - jobs

    def free_threads(self) -> int:
        return self.threads - self.ahead()
