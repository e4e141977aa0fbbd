"""Lets no more jobs of a limited queue begin than this process holds slots for."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from threading import Lock
from typing import Final

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming.prefetch import Prefetch
from forge_jobs.runtime.claiming.rings import FREED
from forge_jobs.wake.local import Bell

UNWANTED: Final = -1
LONGEST_WAIT: Final = 1.0
GLANCE_SECONDS: Final = 0.3
"""What a process leaves idle for so long it does not need."""


class Door:
    """Where claimed jobs of one limited queue wait for a slot, and then go on to the workers.

    A job has its slot from then until its handler has ended. Put to by the fetcher, left by
    whoever ends a run; `forward(job)` is where jobs go on to.
    """

    def __init__(self, queue: str, *, bell: Bell, forward: Callable[[ClaimedJob], None]) -> None:
        self.queue = queue
        self._bell = bell
        self._forward = forward
        self._lock = Lock()
        self._slots = 0
        self._is_lifted = False
        self._is_short = False
        self._holds_until = 0.0
        self._waiting: deque[ClaimedJob] = deque()
        self._admitted: dict[int, ClaimedJob] = {}
        """By object, for a job that was given back may be claimed again at once."""
        self._most = 0
        self._glanced_at = self._moved_at = time.monotonic()
        self._wanted_at = UNWANTED
        """How few jobs are to wait here when the fetcher wants to know, once."""
        self._prefetch = Prefetch(threads=0)
        self._ended = 0
        self._seconds = 0.0

    @property
    def waiting(self) -> int:
        """How many claimed jobs have no slot yet."""
        return len(self._waiting)

    @property
    def used(self) -> int:
        return len(self._admitted)

    def may_begin(self, job: ClaimedJob) -> bool:
        """Whether its handler may be called: it has a slot, and the slot is ours still."""
        if self._is_lifted:
            return True
        return id(job) in self._admitted and time.monotonic() < self._holds_until

    def put(self, job: ClaimedJob) -> None:
        with self._lock:
            self._moved_at = time.monotonic()
            self._waiting.append(job)
            self._admit()

    def leave(self, job: ClaimedJob, *, seconds: float) -> None:
        """Its run is over, after so many seconds; or it was given back, if after none."""
        with self._lock:
            if self._admitted.pop(id(job), None) is None:
                return
            if seconds:
                self._ended += 1
                self._seconds += seconds
            self._admit()
            if is_low := len(self._waiting) <= self._wanted_at:
                self._wanted_at = UNWANTED
        if is_low:
            self._bell.ring(FREED + self.queue)

    def adopt(self, job: ClaimedJob) -> None:
        """Let a job count that had begun before there was a limit."""
        with self._lock:
            self._admitted[id(job)] = job
            self._most = max(self._most, len(self._admitted))

    def limit_to(self, slots: int) -> int:
        """Let no more begin than fit into so many slots; returns how many are in use."""
        with self._lock:
            grows, self._slots = slots > self._slots, slots
            self._prefetch.threads = slots
            self._admit()
            used = len(self._admitted)
        if grows:
            self._bell.ring(FREED + self.queue)
        return used

    def hold(self, *, until: float) -> None:
        """Until when, by the monotonic clock, nobody takes us for lost, and our slots for free."""
        self._holds_until = until

    def free(self) -> int:
        """How many slots neither a job has nor one here waits for."""
        return max(0, self._slots - len(self._admitted) - len(self._waiting))

    def room(self) -> int:
        """How many jobs to claim now; if none, the bell is rung once there is room."""
        with self._lock:
            self._prefetch.update(jobs=self._ended, seconds=self._seconds)
            ahead = self._prefetch.jobs
            room = self._slots + ahead - len(self._admitted) - len(self._waiting)
            is_ours = self._slots and time.monotonic() < self._holds_until
            if is_ours and room > 0 and len(self._waiting) <= ahead // 2:
                return room
            self._wanted_at = ahead // 2
            return 0

    def is_short_of_slots(self) -> None:
        """There is more to do than there are slots for."""
        self._is_short = True

    def wanted(self, *, threads: int) -> int:
        """How many slots a process of so many threads could use, by what it has used of late."""
        with self._lock:
            if self._waiting or self._is_short:
                self._most = threads
            most, now = self._most, time.monotonic()
            if now - self._glanced_at >= GLANCE_SECONDS:
                self._glanced_at, self._most = now, len(self._admitted)
                self._is_short = False
            return max(most, len(self._admitted))

    def holds(self, kinds: AbstractSet[str]) -> bool:
        """Whether a job of these kinds is here, or has its slot from here."""
        with self._lock:
            return any(job.kind in kinds for job in (*self._waiting, *self._admitted.values()))

    def take_stale(self) -> list[ClaimedJob]:
        """What has waited in vain, for others to have it."""
        with self._lock:
            stands_still = time.monotonic() - self._moved_at > LONGEST_WAIT
            if not self._slots or (stands_still and self._waiting):
                self._prefetch.forget()
                return self._take_all()
            return []

    def take_waiting(self) -> list[ClaimedJob]:
        with self._lock:
            return self._take_all()

    def lift(self) -> None:
        """Let all go on, now and from now on: there is no limit any more."""
        with self._lock:
            self._is_lifted = True
            self._admit()

    def _take_all(self) -> list[ClaimedJob]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def _admit(self) -> None:
        while self._waiting and (self._is_lifted or len(self._admitted) < self._slots):
            job = self._waiting.popleft()
            self._admitted[id(job)] = job
            self._moved_at = time.monotonic()
            self._forward(job)
        self._most = max(self._most, len(self._admitted))
