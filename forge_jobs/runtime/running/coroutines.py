"""The jobs of a process that are coroutines, on their way to a loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from threading import Lock

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming.apart import Apart
from forge_jobs.runtime.running.loops import Loops


class Coroutines:
    """Up to `size` run at a time, of these `kinds`; what has not begun is `waiting`."""

    def __init__(
        self,
        kinds: AbstractSet[str],
        *,
        size: int,
        waiting: deque[ClaimedJob],
        loops: Loops,
        release: Callable[[ClaimedJob], None],
    ) -> None:
        self.kinds = kinds
        self.size = size
        self._waiting = waiting
        self._loops = loops
        self._release = release
        self._lock = Lock()
        self._handed = 0

    def put(self, job: ClaimedJob) -> None:
        with self._lock:
            self._handed += 1
            self._waiting.append(job)
        self._loops.look()

    @property
    def apart(self) -> Apart:
        """As whoever claims sees it."""
        return Apart(self.kinds, self.free, self.taken)

    @property
    def waiting(self) -> int:
        """How many have come and not begun."""
        return len(self._waiting)

    def taken(self) -> int:
        """How many jobs have come here in all, less what was given back before it began."""
        return self._handed

    def free(self) -> int:
        running = sum(len(loop.runs) for loop in self._loops.taking)
        return self.size - running - self.waiting

    def release_unstarted(self, *, queues: AbstractSet[str] | None = None) -> int:
        """Give back what waits here, of some queues or of all; returns how many jobs."""
        waiting: list[ClaimedJob] = []
        with self._lock:
            with suppress(IndexError):
                while True:
                    waiting.append(self._waiting.popleft())
            kept = [job for job in waiting if queues is not None and job.queue not in queues]
            released = [job for job in waiting if queues is None or job.queue in queues]
            self._waiting.extend(kept)
            self._handed -= len(released)
        for loop in self._loops.taking:
            loop.look()
        for job in released:
            self._release(job)
        return len(released)
