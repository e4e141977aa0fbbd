"""Claimed jobs that wait for a worker of this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from queue import Empty, SimpleQueue
from typing import Final

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming.gates import Gate
from forge_jobs.wake.local import Bell

UNWANTED: Final = -1
"""A number like any other, for workers compare with it while others change it."""

ROOM: Final = ""
"""Rung on the bell when workers may need more; no queue has this name."""


class Buffer:
    """Filled by the fetcher, whose bell it rings when there is too little left in it.

    Those of a limited queue wait at its gate first. `release(job)` gives a job back unfinished.
    """

    def __init__(
        self, bell: Bell, *, gates: Mapping[str, Gate], release: Callable[[ClaimedJob], None]
    ) -> None:
        self._bell = bell
        self._gates = gates
        self._release = release
        self._jobs: SimpleQueue[ClaimedJob | None] = SimpleQueue()
        self.wanted_at = UNWANTED
        """How few jobs are left when the fetcher wants to know, once."""

    def __len__(self) -> int:
        return self._jobs.qsize() + sum(gate.waiting for gate in list(self._gates.values()))

    def put(self, job: ClaimedJob) -> None:
        if gate := self._gates.get(job.queue):
            gate.put(job)
        else:
            self._jobs.put(job)

    def forward(self, job: ClaimedJob) -> None:
        """Called by gates: a worker may have it."""
        self._jobs.put(job)

    def end_worker(self) -> None:
        """Let one worker end after what it runs now."""
        self._jobs.put(None)

    def take(self) -> ClaimedJob | None:
        """The next job, once there is one; None if the worker who asks is to end."""
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
            gate for gate in list(self._gates.values()) if queues is None or gate.queue in queues
        ]
        released = self._release_all([job for gate in held for job in gate.take_waiting()])
        waiting: list[ClaimedJob | None] = []
        try:
            while True:
                waiting.append(self._jobs.get_nowait())
        except Empty:
            pass
        unstarted = [job for job in waiting if job and (queues is None or job.queue in queues)]
        for kept in waiting:
            if kept not in unstarted:
                self._jobs.put(kept)  # None ends a worker
        return released + self._release_all(unstarted)

    def release_stale(self) -> int:
        """Give back what waits in vain at its gate; returns how many jobs."""
        gates = list(self._gates.values())
        return self._release_all([job for gate in gates for job in gate.take_stale()])

    def _release_all(self, jobs: list[ClaimedJob]) -> int:
        for job in jobs:
            self._release(job)
        return len(jobs)

    def _tell_if_low(self) -> None:
        if self._jobs.qsize() <= self.wanted_at:
            self.wanted_at = UNWANTED
            self._bell.ring(ROOM)
