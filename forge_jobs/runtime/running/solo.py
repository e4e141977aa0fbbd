"""Lets one worker take all jobs, where several only hand the interpreter's lock about."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Lock
from typing import Final, NamedTuple

from forge_jobs.runtime.write_turn import Soloist, WriteTurn

WINDOW_SECONDS: Final = 0.05
"""For how long it is counted what the workers do, at least."""

BUSY: Final = 0.85, 1.5
"""Of one processor: what this process takes if its threads wait for nothing but the lock."""

LEAST_EACH: Final = 0.0001
"""Seconds of processor time that a job takes; less is no more than what the process adds to it."""

FEWEST_JOBS: Final = 20

ALIKE: Final = 1.5
"""How many times as many jobs may have ended in one window as in the one before."""

TRIAL_SECONDS: Final = 0.2
"""After which one alone has to have ended as many jobs as all of them did in the same time."""

LONGEST_SOLO: Final = 5.0
"""Seconds after which all are tried again, for their work may have become another."""

PATIENCE: Final = 0.02
"""Seconds within which the soloist has to begin another job, or others help it."""

SHORTEST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 60.0
"""Seconds until the next trial; twice as many each time that it is not worth it."""


class Count(NamedTuple):
    """How many jobs had ended at a moment, and the processor time that was taken until then."""

    at: float
    jobs: int
    processor: float

    @classmethod
    def now(cls, jobs: int) -> Count:
        return cls(time.monotonic(), jobs, time.process_time())


class Pace(NamedTuple):
    """What was done between two counts."""

    seconds: float
    jobs: int
    processor: float

    @classmethod
    def between(cls, before: Count, after: Count) -> Pace:
        return cls(
            after.at - before.at, after.jobs - before.jobs, after.processor - before.processor
        )

    @property
    def jobs_per_second(self) -> float:
        return self.jobs / self.seconds

    @property
    def waits_for_the_interpreter(self) -> bool:
        """And for nothing else, by the processor time that was taken."""
        least, most = BUSY
        are_dear = self.processor / LEAST_EACH >= self.jobs >= FEWEST_JOBS
        return are_dear and least <= self.processor / self.seconds <= most

    def is_like(self, other: Pace) -> bool:
        less, more = sorted((self.jobs_per_second, other.jobs_per_second))
        return more <= less * ALIKE


class Solo:
    """Off, until a process's workers have nothing but its interpreter to wait for.

    A thread lets go of the lock for each statement, and wants it back at once. Where several do,
    they wake each other up, often in vain. How dear that is nobody can tell who has not tried: so
    one alone is, and goes on as long as it ends no fewer jobs than all of them did. Between two of
    its jobs it makes way for those who want to write.
    """

    def __init__(self, count: Callable[[], Count], *, turn: WriteTurn) -> None:
        self._count = count
        self._turn = turn
        self.is_on = False
        self._soloist: Soloist | None = None
        self._over = Event()
        self._over.set()
        self._changing = Lock()
        self._watching = Lock()
        self._counted = self._began = Count(0.0, 0, 0.0)
        self._of_all: Pace | None = None
        self._pause = SHORTEST_PAUSE
        self._not_before = 0.0

    def consider(self, worker: Soloist) -> None:
        """Called by a worker between two jobs, now and then: go on like that, or otherwise?"""
        if not self._changing.acquire(blocking=False):
            return
        try:
            before, now = self._counted, self._count()
            if now.at - before.at < WINDOW_SECONDS:
                return
            self._counted = now
            if self.is_on:
                self._judge(Pace.between(self._began, now))
            else:
                self._try(worker, Pace.between(before, now))
        finally:
            self._changing.release()

    def stand_aside(self, worker: Soloist) -> None:
        """Wait while another worker is to take all jobs; this one, while others want to write."""
        while self.is_on and self._soloist is not worker:
            if self._watching.acquire(blocking=False):
                try:
                    self._watch()
                finally:
                    self._watching.release()
            else:
                self._over.wait(LONGEST_SOLO)  # the one that watches may have gone
        if self._turn.is_wanted and self._soloist is worker:
            self._turn.make_way()

    def leave(self, worker: Soloist) -> None:
        """Called by a worker that ends."""
        with self._changing:
            if self._soloist is worker:
                self._end()

    def _try(self, worker: Soloist, pace: Pace) -> None:
        """Begin, if for two windows all have been as busy as that."""
        before, self._of_all = self._of_all, pace
        if (
            before is not None
            and before.waits_for_the_interpreter
            and pace.waits_for_the_interpreter
            and pace.is_like(before)
            and self._counted.at >= self._not_before
        ):
            self._began = self._counted
            self._over.clear()
            self._soloist = self._turn.soloist = worker
            self.is_on = True

    def _judge(self, alone: Pace) -> None:
        if alone.seconds < TRIAL_SECONDS or self._of_all is None:
            return
        if alone.jobs_per_second < self._of_all.jobs_per_second:
            self._give_up()
        elif alone.seconds > LONGEST_SOLO:
            self._pause = SHORTEST_PAUSE
            self._end()

    def _watch(self) -> None:
        """End it if its job takes long, for others need not wait with it, or if none is left."""
        while (soloist := self._soloist) is not None:
            started = soloist.jobs_started
            if self._over.wait(PATIENCE):
                return
            self.consider(soloist)  # who may be called with chunks, and seldom asks
            with self._changing:
                if self._soloist is not soloist or soloist.jobs_started != started:
                    continue
                if soloist.current is None and self._turn.is_wanted:  # it makes way
                    continue
                if soloist.current is None:
                    self._end()
                else:
                    self._give_up()

    def _give_up(self) -> None:
        self._not_before = self._count().at + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._end()

    def _end(self) -> None:
        self._soloist, self.is_on = None, False
        self._turn.dismiss()
        self._counted, self._of_all = self._count(), None
        self._over.set()
