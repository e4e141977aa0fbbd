"""Where jobs of one chunk kind and queue are gathered, until there are enough for a call."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from threading import Condition
from typing import Any, Final, NamedTuple

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.runtime.claiming.prefetch import Prefetch

LARGEST_AHEAD: Final = 1_000
SOME_KEYS: Final = 8
"""Chunks to hold where keys tell them apart: of fewer jobs, few would share one."""

LONGEST_IDLE: Final = 1.0
NOW: Final = 0.0
ALONE: Final = "\0"
"""Before the key of a job that no other may join; what PostgreSQL stores has no such character."""


class Waiting(NamedTuple):
    job: ClaimedJob
    since: float


class Desk:
    """Claimed jobs of one chunk kind and queue.

    `summon(desk)` asks for a worker, who gathers a chunk here and so waits for it to be full. Only
    one gathers at a time; as many run chunks as the kind's `max_concurrent_per_process` allows.
    """

    def __init__(
        self,
        queue: str,
        handler: ChunkHandler[Any],
        *,
        summon: Callable[[Desk], None],
        tell: Callable[[], None],
    ) -> None:
        self.queue = queue
        self.kind = handler.kind
        self.size = handler.size
        self.handler = handler
        self._wait = handler.wait.total_seconds()
        self._most_calls = handler.max_concurrent_per_process
        self._summon = summon
        self._tell = tell
        self._lock = Condition()
        self._arrived: deque[Waiting] = deque()
        self._sorted: dict[str, deque[Waiting]] = {}
        """By their chunk's key, in the order in which the first of each came."""
        self._is_summoned = self._is_gathering = False
        self._lacking = 0
        """How many more jobs may make a chunk full while somebody waits for that."""
        self._lone: ClaimedJob | None = None
        """The one that runs alone now; of several at once, one that ends its process would take
        the others with it."""
        self._calls = 0
        """How many workers it occupies, or will as soon as they are free."""
        self._held = 0
        self._prefetch = Prefetch(threads=1)
        self._ended, self._took = 0, 0.0

    @property
    def waiting(self) -> int:
        return len(self._arrived) + sum(map(len, list(self._sorted.values())))

    @property
    def idle(self) -> int:
        """How many wait here while nobody gathers."""
        return 0 if self._is_gathering else self.waiting

    @property
    def beyond_calls(self) -> int:
        """How many more jobs are here than the workers that they occupy."""
        return self._held - self._calls

    @property
    def has_calls(self) -> bool:
        """Whether workers are here, or summoned."""
        return self._calls > 0

    def room(self, *, free_threads: int) -> int:
        """How many jobs to claim now."""
        with self._lock:
            self._prefetch.update(jobs=self._ended, seconds=self._took)
            running = self._calls - self._is_summoned
            calls = self._calls + max(0, free_threads)
            if self._most_calls is not None:
                calls = min(self._most_calls, calls)
            ahead, waiting = self._ahead(), self.waiting
            if ahead and waiting > ahead // 2:
                return 0
            return self.size * (calls - running) + ahead - waiting

    def put(self, *jobs: ClaimedJob) -> None:
        now = time.monotonic()
        with self._lock:
            self._arrived.extend([Waiting(job, now) for job in jobs])
            self._held += len(jobs)
            if self._is_gathering:
                if len(self._arrived) >= self._lacking or any(map(_alone, jobs)):
                    self._lock.notify()
            elif not self._is_summoned:
                self._call_if_needed()

    def gather(self) -> list[ClaimedJob]:
        """The jobs of one call, once they are enough or have waited long enough.

        None of them if they were given back meanwhile. `end_call()` must follow.
        """
        self._is_gathering = True
        while True:
            self._sort()
            with self._lock:
                now = time.monotonic()
                if (wait := self._seconds_left(now)) > 0:
                    self._lacking = self.size - max(map(len, self._sorted.values()))
                    if len(self._arrived) < self._lacking:  # else they came after the sorting
                        self._lock.wait(wait)
                    continue
                chunk = self._first_chunk(now)
                self._is_gathering = self._is_summoned = False
                self._call_if_needed()
                is_low = self.waiting <= self._ahead() // 2
            if is_low:
                self._tell()
            return chunk

    def end_call(self, jobs: Sequence[ClaimedJob], *, seconds: float) -> None:
        """A call of these jobs is over, after so many seconds."""
        with self._lock:
            self._calls -= 1
            self._held -= len(jobs)
            if jobs:
                self._lone = None if jobs[0] is self._lone else self._lone
                self._ended += 1
                self._took += seconds
            self._call_if_needed()
            is_low = not self.waiting
        if is_low:
            self._tell()

    def take_waiting(self) -> list[ClaimedJob]:
        """Of those that no call has: for others to have them."""
        with self._lock:
            taken = [*self._arrived, *(one for group in self._sorted.values() for one in group)]
            self._arrived.clear()
            self._sorted.clear()
            self._held -= len(taken)
            self._lock.notify()
        return [one.job for one in taken]

    def take_stale(self) -> list[ClaimedJob]:
        """What no worker has come for."""
        with self._lock:
            firsts = [group[0].since for group in self._sorted.values()]
            firsts += [self._arrived[0].since] if self._arrived else []
            is_stale = time.monotonic() - min(firsts, default=time.monotonic()) > LONGEST_IDLE
            if self._is_gathering or not is_stale:
                return []
            self._prefetch.forget()
        return self.take_waiting()

    def _ahead(self) -> int:
        """How many to hold ready beyond what is called."""
        chunks = self._prefetch.jobs if self.handler.chunk_key is None else SOME_KEYS
        return self.size * min(chunks, max(1, LARGEST_AHEAD // self.size))

    def _call_if_needed(self) -> None:
        has_room = self._most_calls is None or self._calls < self._most_calls
        if not self._is_summoned and has_room and (self._arrived or self._due_times()):
            self._is_summoned = True
            self._calls += 1
            self._summon(self)

    def _sort(self) -> None:
        if self.handler.chunk_key is None:
            with self._lock:
                for key, those in groupby(self._arrived, key=lambda one: _alone(one.job)):
                    self._sorted.setdefault(key, deque()).extend(those)
                self._arrived.clear()
        while self._arrived:  # asked for its key without the lock, for that is code of others
            with self._lock:
                if not self._arrived:
                    return
                one = self._arrived[0]
            key = self._key_of(one.job)
            with self._lock:
                if self._arrived and self._arrived[0] is one:
                    self._arrived.popleft()
                    self._sorted.setdefault(key, deque()).append(one)

    def _key_of(self, job: ClaimedJob) -> str:
        """One whose key can't be told comes alone; its run then fails by that."""
        try:
            return _alone(job) or self.handler.key_of(json.loads(job.payload))
        except BaseException:
            return ALONE + str(job.id)

    def _seconds_left(self, now: float) -> float:
        """Until a chunk is to be called; 0 if there is nothing to wait for."""
        return max(0.0, min(self._due_times().values(), default=now) - now)

    def _first_chunk(self, now: float) -> list[ClaimedJob]:
        """Of those that are due, the one whose first job came first, for none may starve."""
        due = [key for key, at in self._due_times().items() if at <= now]
        if not due:
            return []
        key = min(due, key=lambda key: self._sorted[key][0].since)
        group = self._sorted[key]
        chunk = [group.popleft().job for _ in range(min(self.size, len(group)))]
        if not group:
            del self._sorted[key]
        if key.startswith(ALONE):
            self._lone = chunk[0]
        return chunk

    def _due_times(self) -> dict[str, float]:
        """When to call each that may be called now, by its key."""
        due = {}
        for key, group in self._sorted.items():
            if not key.startswith(ALONE):
                due[key] = NOW if len(group) >= self.size else group[0].since + self._wait
            elif not self._lone:
                due[key] = NOW
        return due


def _alone(job: ClaimedJob) -> str:
    """The key of a job with attempts behind it, for such a one may have ended its process."""
    return ALONE + str(job.id) if job.attempt > 1 else ""
