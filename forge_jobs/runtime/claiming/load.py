"""How much a process has to do: what it claimed, less what has ended or was given back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forge_jobs.runtime.claiming.apart import NOTHING_APART, Apart
from forge_jobs.runtime.claiming.desks import Desks
from forge_jobs.runtime.claiming.doors import Door


class Load:
    """Counted up by the fetcher alone, but for `inherited`, which the finalizer counts up.

    `work_done()` tells how many runs of workers have ended, and the seconds that they took, and
    `takers()` how many workers take jobs.
    """

    def __init__(
        self,
        work_done: Callable[[], tuple[int, float]],
        *,
        takers: Callable[[], int],
        threads: int,
        doors: Mapping[str, Door],
        desks: Desks,
        apart: Apart = NOTHING_APART,
    ) -> None:
        self.work_done = work_done
        self.takers = takers
        self._apart = apart
        self._doors = doors
        self._desks = desks
        self.threads = threads
        self.claimed = 0
        self.inherited = 0
        """How many jobs the finalizer has claimed."""
        self.given_back = 0

    @property
    def taken(self) -> int:
        """How many jobs this process has taken on so far."""
        return self.claimed + self.inherited - self.given_back

    def ahead(self) -> int:
        """How many jobs run, or wait here for nothing but a worker."""
        jobs, _ = self.work_done()
        return self.ahead_of(jobs)

    def ahead_of(self, jobs: int) -> int:
        """The same, of so many runs that workers have ended."""
        return self.taken - jobs - self.held_back() - self._apart.taken()

    def held_back(self) -> int:
        """How many wait for a slot of their queue's, or share a worker with others."""
        waiting = sum(door.waiting for door in list(self._doors.values()))
        return waiting + sum(desk.beyond_calls for desk in self._desks.used)

    def free_threads(self) -> int:
        return self.threads - self.ahead()
