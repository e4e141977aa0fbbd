"""Claimed jobs that wait for a worker of this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from queue import Empty, SimpleQueue
from typing import Final

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming.desk import Desk
from forge_jobs.runtime.claiming.desks import Desks
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.claiming.rings import ROOM
from forge_jobs.wake.local import Bell

LONGEST_WAIT: Final = 1.0
"""Seconds for which jobs may wait for workers here, while others could have them."""

UNWANTED: Final = -1
"""A number like any other, for workers compare with it while others change it."""


class Buffer:
    """Filled by the fetcher and the finalizer; it rings when there is too little left in it.

    Those of a limited queue wait at its door first, and those of a chunk kind at its desk, for
    which a worker is summoned. `release(job)` gives a job back unfinished.
    """

    def __init__(
        self,
        bell: Bell,
        *,
        doors: Mapping[str, Door],
        queues: Mapping[str, int],
        release: Callable[[ClaimedJob], None],
    ) -> None:
        self._bell = bell
        self._doors = doors
        self._release = release
        self._jobs: SimpleQueue[ClaimedJob | Desk | None] = SimpleQueue()
        self.desks = Desks(queues, summon=self._jobs.put, tell=lambda: bell.ring(ROOM))
        self.wanted_at = UNWANTED
        """How few jobs are left when the fetcher wants to know, once."""
        self.filled_at = time.monotonic()

    def __len__(self) -> int:
        at_doors = sum(door.waiting for door in list(self._doors.values()))
        return self._jobs.qsize() + at_doors + sum(desk.idle for desk in self.desks.used)

    @property
    def keeps_workers_busy(self) -> bool:
        """Whether any waits for nothing but a worker."""
        return self._jobs.qsize() > 0

    def put(self, *jobs: ClaimedJob) -> None:
        """All of one kind and queue."""
        self.filled_at = time.monotonic()
        if door := self._doors.get(jobs[0].queue):
            for job in jobs:
                door.put(job)
        else:
            self.forward(*jobs)

    def forward(self, *jobs: ClaimedJob) -> None:
        """Also called by doors: a worker may have them."""
        if desk := self.desks.of(jobs[0]):
            desk.put(*jobs)
        else:
            for job in jobs:
                self._jobs.put(job)

    def end_worker(self) -> None:
        """Let one worker end after what it runs now."""
        self._jobs.put(None)

    def take(self) -> ClaimedJob | Desk | None:
        """The next job, or where the next are, once there is one; None for a worker to end."""
        self._tell_if_low()
        try:
            return self._jobs.get_nowait()
        except Empty:
            # Another worker may have taken what seemed to be left for this one.
            self._tell_if_low()
            return self._jobs.get()

    def release_unstarted(self, *, queues: AbstractSet[str] | None = None) -> int:
        """Give back what waits here, of some queues or of all; returns how many jobs."""
        held = [
            door for door in list(self._doors.values()) if queues is None or door.queue in queues
        ]
        desks = [desk for desk in self.desks.used if queues is None or desk.queue in queues]
        released = self._release_all([job for door in held for job in door.take_waiting()])
        released += self._release_all([job for desk in desks for job in desk.take_waiting()])
        waiting: list[ClaimedJob | Desk | None] = []
        try:
            while True:
                waiting.append(self._jobs.get_nowait())
        except Empty:
            pass
        jobs = [one for one in waiting if isinstance(one, ClaimedJob)]
        unstarted = [job for job in jobs if queues is None or job.queue in queues]
        for kept in waiting:
            if kept not in unstarted:
                self._jobs.put(kept)  # None ends a worker
        return released + self._release_all(unstarted)

    def release_stale(self) -> int:
        """Give back what waits in vain at its door or desk; returns how many jobs."""
        places: list[Door | Desk] = [*self._doors.values(), *self.desks.used]
        return self._release_all([job for place in places for job in place.take_stale()])

    def _release_all(self, jobs: list[ClaimedJob]) -> int:
        for job in jobs:
            self._release(job)
        return len(jobs)

    def _tell_if_low(self) -> None:
        if self._jobs.qsize() <= self.wanted_at:
            self.wanted_at = UNWANTED
            self._bell.ring(ROOM)
