"""Keeps the workers supplied: claims as much as they can use soon, and not more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from forge_jobs import wake
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming.admission import Terms
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lane import Lane, take_turn
from forge_jobs.runtime.claiming.lanes import ENTRUSTED, ROOM, Lanes
from forge_jobs.runtime.claiming.prefetch import Pace
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.wake import local

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

LONGEST_WAIT: Final = 1.0
LARGEST_CLAIM: Final = 500
LARGEST_HOLD: Final = 5_000
DRAINED: Final = "drained"


class Fetcher(EngineThread):
    """Claims one job for each free worker, and a prefetch: short jobs stream.

    Long jobs are left to other processes; a prefetch that proves wrong, because its first jobs
    take long, is given back after `LONGEST_WAIT`.
    """

    def __init__(self, engine: Engine, *, queues: Mapping[str, int], kinds: Sequence[str]) -> None:
        super().__init__(engine, "fetcher")
        self.lanes = Lanes(engine, queues)
        self.bell = local.Bell()
        self.pace = Pace(threads=engine.threads)
        self.terms = Terms(engine)
        self.kind_limits = KindLimits(engine.hold, kinds)
        self.claimed = 0
        self.given_back = 0
        self.came_round_at = self._supplied_at = time.monotonic()
        self.is_asleep = False
        self._wants_room = False
        self._is_unsure = False
        self._closed: frozenset[str] = frozenset()

    def work(self) -> None:
        local.subscribe(self.bell)
        try:
            while not self.stopping.is_set():
                self.run_once()
        finally:
            self.stopping.set()
            local.unsubscribe(self.bell)
            self.engine.release_unstarted()
            self.lanes.hear(self.bell, 0.0)
            with suppress(Stopped):
                self.lanes.pass_on(stopping=self.stopping)

    def stop(self) -> None:
        super().stop()
        self.bell.ring(ROOM)

    def worker_is_free(self) -> None:
        """Called by each worker after each job, and before it waits for one."""
        if self._wants_room and self.engine.buffer.qsize() <= self.pace.prefetch // 2:
            self._wants_room = False
            self.bell.ring(ROOM)

    def some_are_settled(self) -> None:
        """Called by the finalizer after each group."""
        if (self.engine.drain and not self.engine.hold) or self.lanes.await_worker():
            self.bell.ring(ROOM)

    def see_to(self, queue: str, kind: str, *, jobs: int) -> None:
        """Called by the finalizer: so many jobs have become ready, and nobody was told.

        If this process can take them, none of the others need look.
        """
        can_take = self.claims_from(queue) and kind in self.kind_limits.roomy()
        if can_take:
            for _ in range(jobs):
                self.bell.ring(ENTRUSTED + queue)
        if not can_take or not self.claims_from(queue):  # it may have ended in the meantime
            wake.send(queue)

    def claims_from(self, queue: str) -> bool:
        is_ending = self.stopping.is_set() or self.engine.is_quiet
        return queue in self.engine.queues and not is_ending

    def is_settled(self, job: ClaimedJob) -> None:
        """Called by the finalizer for each job; there may be room for others of its kind."""
        if self.kind_limits.is_limited(job.kind):
            self.bell.ring(local.ANY)

    def run_once(self) -> None:
        """Fill the room there is, then sleep until there is room or work."""
        self.came_round_at = time.monotonic()
        if newly_closed := self.engine.steering.closed - self._closed:
            self.given_back += self.engine.release_unstarted(queues=newly_closed)
        self._closed = self.engine.steering.closed
        if self.engine.is_quiet:
            self.give_back()
            self.lanes.hear(self.bell, 0.0)
            self.lanes.pass_on(stopping=self.stopping)
            self.stopping.wait(LONGEST_WAIT)
            return
        if self.engine.buffer.qsize() and time.monotonic() - self._supplied_at > LONGEST_WAIT:
            self.give_back()
        had_nothing = not self.engine.hold
        if self.engine.drain and had_nothing:
            self.lanes.look_everywhere()
        had_room = self.room() > 0  # without any, that nothing is claimed means nothing
        taken = self.fill()
        self.lanes.pass_on(stopping=self.stopping)
        is_dry = had_nothing and had_room and not taken and not self.lanes.waiting()
        if self.engine.drain and is_dry:
            self.engine.request_stop(DRAINED)
            self.stopping.set()
            return
        has_open_lanes = bool(self.lanes.open())
        self._wants_room = has_open_lanes or self.lanes.await_worker()
        if not (has_open_lanes and self.room() > 0):
            self.sleep()

    def sleep(self) -> None:
        poll_seconds = self.engine.poll_interval.total_seconds()
        waits = [lane.opens_at - time.monotonic() for lane in self.lanes.waiting()]
        if self.engine.buffer.qsize():
            waits.append(LONGEST_WAIT)
        self.is_asleep = True
        self.lanes.hear(self.bell, max(0.0, min([poll_seconds, *waits])))
        self.came_round_at = time.monotonic()
        self.is_asleep = False
        # Others may ring for ever: that must not put off the look at queues for which nobody does.
        if time.monotonic() - self.lanes.looked_at >= poll_seconds:
            self.lanes.look_everywhere()

    def fill(self) -> int:
        """Claim into the buffer, queue by queue; each is first as often as its weight says."""
        before = self.claimed
        lanes = self.lanes.open()
        for lane in sorted(lanes, key=lambda lane: -(lane.credit + lane.weight)):
            if (room := self.room()) <= 0:
                break
            claimed = ride_out(
                lambda lane=lane, room=room: self.claim(lane, room),  # type: ignore[misc]
                doing="claiming jobs",
                stopping=self.stopping,
            )
            if claimed:
                take_turn(lane, lanes)
            if surplus := self.supply(claimed):
                self.terms.refund(tokens=surplus)
        return self.claimed - before

    def claim(self, lane: Lane, limit: int) -> list[ClaimedJob]:
        """Claim once; a claim whose answer got lost before is given back first."""
        with self.engine.writing:
            if self._is_unsure:
                self.engine.release_unheld()
            self._is_unsure = True
            kinds, entrusted = self.kind_limits.roomy(), lane.entrusted
            claimed = self.terms.claim(lane, limit, kinds=kinds)
            self._is_unsure = False
        if len(kinds) < len(self.engine.kinds):  # others may have room for what is left
            lane.entrusted = max(0, entrusted - len(claimed))
        return claimed

    def supply(self, claimed: list[ClaimedJob]) -> int:
        """Hand on what was claimed; of a limited kind, no more than may run here.

        Returns how many jobs were given back.
        """
        surplus = 0
        if claimed:
            self.claimed += len(claimed)
            self._supplied_at = time.monotonic()
        for job in claimed:
            has_room = self.kind_limits.has_room_for(job.kind)
            self.engine.hold.add([job])
            if has_room:
                self.engine.buffer.put(job)
            else:
                surplus += 1
                self.given_back += 1
                self.engine.release(job)
        return surplus

    def room(self) -> int:
        """How many jobs to claim now; none until half of the prefetch is used up."""
        jobs, seconds = self.engine.crew.work_done()
        self.pace.update(jobs=jobs, seconds=seconds)
        ahead = self.ahead()
        room = min(
            self.engine.threads + self.pace.prefetch - ahead,
            LARGEST_HOLD - len(self.engine.hold),
            LARGEST_CLAIM,
            self.jobs_left(),
        )
        return room if room > self.pace.prefetch // 2 or ahead <= 0 else 0

    def ahead(self) -> int:
        """How many jobs run or wait here."""
        jobs, _ = self.engine.crew.work_done()
        return self.claimed - self.given_back - jobs

    def jobs_left(self) -> int:
        """How many jobs this process may still claim before it makes way for another."""
        return self.engine.limits.jobs_left(self.claimed - self.given_back)

    def give_back(self) -> None:
        """Let others have what our workers, slower than it seemed, won't start soon."""
        self.given_back += self.engine.release_unstarted()
        self.pace.forget()
