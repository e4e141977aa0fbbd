"""Jobs that the finalizer claims in the commit that sets their concurrency keys free.

Else two more threads and another commit would lie between each two jobs of a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final

from forge_jobs.db.rows import ClaimedJob, Take
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.lanes import Lanes
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.rings import HANDED
from forge_jobs.runtime.claiming.room import Room
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.wake.local import Bell

DEAR_SECONDS: Final = 0.05
"""If the last look at the front of a queue took so long, with its commit, it is to be rare."""


class Handover:
    """From the finalizer to the fetcher, which counts them and lets the workers have them.

    From the front of their queue, as any claim; and only where no other queue has work.
    """

    def __init__(
        self,
        *,
        lanes: Lanes,
        steering: Steering,
        load: Load,
        room: Room,
        claims: Claims,
        bell: Bell,
        lifecycle: Lifecycle,
        stopping: Event,
    ) -> None:
        self._lanes = lanes
        self._steering = steering
        self._load = load
        self._room = room
        self._claims = claims
        self._bell = bell
        self._lifecycle = lifecycle
        self._stopping = stopping
        self._jobs: SimpleQueue[ClaimedJob] = SimpleQueue()
        self.is_open = False
        """Whether there is a fetcher that comes by."""

    def wanted(self, queue: str, *, at_most: int) -> Take | None:
        """What to claim beside what ends; None if the fetcher is to see to it."""
        lane = self._lanes.plain(queue)
        if not lane or lane.front_took > DEAR_SECONDS or not self._is_of_use():
            return None
        if any(other is not lane for other in self._lanes.with_work()):
            return None  # whose turn it may be
        if queue in self._steering.closed or self._steering.has_terms(queue):
            return None
        on_the_way = self._jobs.qsize()
        # As many again as there are threads: more is left to other processes.
        room = self._load.threads + self._load.free_threads() - on_the_way
        limit = min(at_most, room, self._room.jobs_left() - on_the_way)
        return Take(queue, lane.kinds, limit) if limit > 0 else None

    def put(self, claimed: Sequence[ClaimedJob]) -> None:
        """Called by the finalizer; what comes too late for the fetcher is held no more.

        So it is given back when the process signs off.
        """
        if not claimed:
            return
        for job in sorted(claimed, key=lambda job: (-job.priority, job.run_at, job.id)):
            self._jobs.put(job)
        self._bell.ring(HANDED)
        if self._stopping.is_set():
            for late in self.take_all():
                self._claims.drop(late)

    def take_all(self) -> list[ClaimedJob]:
        """Each job is somebody's once."""
        taken: list[ClaimedJob] = []
        if self._jobs.empty():
            return taken
        try:
            while True:
                taken.append(self._jobs.get_nowait())
        except Empty:
            return taken

    def _is_of_use(self) -> bool:
        return self.is_open and not (self._stopping.is_set() or self._lifecycle.is_quiet)
