"""Keeps the workers supplied: claims as much as they can use soon, and not more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from forge_jobs import db
from forge_jobs.runtime.lane import Lane
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.wake import local

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

PREFETCH_SECONDS: Final = 0.05
LONGEST_WAIT: Final = 1.0
LARGEST_CLAIM: Final = 500
DRAINED: Final = "drained"
ROOM: Final = ""
"""Rung on the bell when workers may need more; no queue has this name."""


class Fetcher(Thread):
    """Claims one job for each free worker, and a prefetch of `PREFETCH_SECONDS` of work.

    How many jobs that is, the run times of recent jobs tell: short jobs stream, long ones are
    left to other processes. A guess that proves wrong is given back after `LONGEST_WAIT`.
    """

    def __init__(self, engine: Engine, *, queues: Sequence[str], kinds: Sequence[str]) -> None:
        super().__init__(name="forge_jobs-fetcher", daemon=True)
        self.engine = engine
        self.kinds = list(kinds)
        self.lanes = [Lane(queue) for queue in queues]
        self.bell = local.Bell()
        self.stopping = Event()
        self.claimed = 0
        self.given_back = 0
        self._claimed_at = time.monotonic()
        self._wants_room = False
        self._prefetch = 0
        self._seen = (0, 0.0)

    def run(self) -> None:
        local.subscribe(self.bell)
        try:
            while not self.stopping.is_set():
                self.run_once()
        except Stopped:
            pass
        finally:
            local.unsubscribe(self.bell)
            db.connection().close()

    def stop(self) -> None:
        self.stopping.set()
        self.bell.ring(ROOM)

    def worker_is_free(self) -> None:
        """Called by each worker after each job."""
        if self._wants_room and self.engine.buffer.qsize() <= self._prefetch // 2:
            self._wants_room = False
            self.bell.ring(ROOM)

    def some_are_settled(self) -> None:
        """Called by the finalizer after each group."""
        if self.engine.drain and self.all_is_settled():
            self.bell.ring(ROOM)

    def all_is_settled(self) -> bool:
        return self.claimed == self.engine.finalizer.settled

    def run_once(self) -> None:
        """Fill the room there is, then sleep until there is room or work."""
        was_settled = self.all_is_settled()
        if self.engine.drain and was_settled:
            self.look_everywhere()
        taken = self.fill()
        if self.engine.drain and was_settled and not taken:
            self.engine.request_stop(DRAINED)
        if self.engine.buffer.qsize() and time.monotonic() - self._claimed_at > LONGEST_WAIT:
            self.give_back()
        self._wants_room = any(lane.may_hold_work for lane in self.lanes)
        if self._wants_room and self.room() > 0:
            return
        rung = self.bell.wait(self.engine.poll_interval.total_seconds())
        if not rung or local.ANY in rung:
            self.look_everywhere()
        for lane in self.lanes:
            lane.may_hold_work |= lane.queue in rung

    def look_everywhere(self) -> None:
        for lane in self.lanes:
            lane.may_hold_work = True

    def fill(self) -> int:
        """Claim into the buffer, queue by queue; the queues take turns at being first."""
        before = self.claimed
        for lane in [lane for lane in self.lanes if lane.may_hold_work]:
            if (room := self.room()) <= 0:
                break
            self.claim(lane, min(room, LARGEST_CLAIM))
            self.lanes.remove(lane)
            self.lanes.append(lane)
        return self.claimed - before

    def claim(self, lane: Lane, limit: int) -> None:
        claimed = ride_out(
            lambda: lane.claim(limit, kinds=self.kinds, process=self.engine.process),
            doing="claiming jobs",
            stopping=self.stopping,
        )
        self.claimed += len(claimed)
        self._claimed_at = time.monotonic()
        for job in claimed:
            self.engine.buffer.put(job)

    def room(self) -> int:
        """How many jobs to claim now; none until half of the prefetch is used up."""
        jobs, seconds = self.engine.work_done()
        jobs_before, seconds_before = self._seen
        if jobs > jobs_before:
            pace = max(1e-6, (seconds - seconds_before) / (jobs - jobs_before))
            ahead = self.engine.threads * PREFETCH_SECONDS / pace
            self._prefetch = min(LARGEST_CLAIM, int(ahead)) if pace < PREFETCH_SECONDS else 0
            self._seen = jobs, seconds
        room = self.engine.threads + self._prefetch - (self.claimed - self.given_back - jobs)
        return room if room > self._prefetch // 2 else 0

    def give_back(self) -> None:
        """Let others have what our workers, slower than it seemed, won't start soon."""
        self.given_back += self.engine.release_unstarted()
        self._prefetch = 0
