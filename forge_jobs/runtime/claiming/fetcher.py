"""Keeps the workers supplied: claims as much as they can use soon, and not more."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from threading import Event
from typing import Final

from forge_jobs import db, wake
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime import sessions
from forge_jobs.runtime.claiming.admission import Admission
from forge_jobs.runtime.claiming.buffer import LONGEST_WAIT, UNWANTED, Buffer
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.draining import Draining
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lanes import Lanes
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.rings import ENDED, ENTRUSTED, ROOM
from forge_jobs.runtime.claiming.room import Room
from forge_jobs.runtime.claiming.rounds import Rounds
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.outage import Stopped
from forge_jobs.runtime.retirement import Limits
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.wake import local

REST_SECONDS: Final = 2.0
LONGEST_SLEEP: Final = 60.0
"""It is woken for what waits as often as it is to poll; this is in case that nobody does."""


class Fetcher(EngineThread):
    """Claims one job for each free worker, and a prefetch: short jobs stream.

    Long jobs are left to other processes; a prefetch that proves wrong, because its first jobs
    take long, is given back after `LONGEST_WAIT`.
    """

    def __init__(
        self,
        *,
        lanes: Lanes,
        kinds: KindLimits,
        admission: Admission,
        rounds: Rounds,
        draining: Draining | None,
        room: Room,
        steering: Steering,
        load: Load,
        claims: Claims,
        buffer: Buffer,
        bell: local.Bell,
        lifecycle: Lifecycle,
        limits: Limits,
        poll_interval: timedelta,
        stopping: Event,
    ) -> None:
        super().__init__("fetcher", fail=lifecycle.fail, stopping=stopping)
        self.lanes = lanes
        self.kind_limits = kinds
        self.admission = admission
        self.rounds = rounds
        self.draining = draining
        self.room = room
        self.steering = steering
        self.load = load
        self.claims = claims
        self.buffer = buffer
        self.bell = bell
        self.lifecycle = lifecycle
        self.limits = limits
        seconds = poll_interval.total_seconds()
        self.poll_seconds = seconds if draining else max(seconds, LONGEST_SLEEP)
        self.came_round_at = time.monotonic()
        self.is_asleep = False
        self._closed: frozenset[str] = frozenset()

    def work(self) -> None:
        sessions.lend_at_rest()
        local.subscribe(self.bell)
        try:
            self.lanes.look_first()
            while not self.stopping.is_set():
                self.run_once()
        finally:
            self.stopping.set()
            local.unsubscribe(self.bell)
            with self.claims.inheriting:  # after which there are no more heirs
                self.buffer.release_unstarted()
            self.lanes.hear(self.bell, 0.0)
            with suppress(Stopped):
                self.lanes.pass_on(stopping=self.stopping)

    def session_limits(self) -> Mapping[str, str]:
        return db.twin().CLAIM_LIMITS

    def stop(self) -> None:
        super().stop()
        self.bell.ring(ROOM)

    def some_are_settled(self) -> None:
        """Called by the finalizer after each group."""
        if (self.draining and not self.claims) or self.lanes.await_worker():
            self.bell.ring(ROOM)

    def see_to(self, queue: str, kind: str, *, jobs: int) -> None:
        """Called by the finalizer: so many jobs have become ready, and nobody was told.

        If this process can take them, none of the others need look.
        """
        can_take = self.claims_from(queue) and self.kind_limits.can_take(kind)
        if can_take:
            for _ in range(jobs):
                self.bell.ring(ENTRUSTED + queue + ENTRUSTED + kind)
        if not can_take or not self.claims_from(queue):  # it may have ended in the meantime
            wake.send(queue)

    def claims_from(self, queue: str) -> bool:
        is_ending = self.stopping.is_set() or self.lifecycle.is_quiet
        return queue in self.lanes and not is_ending

    def is_settled(self, job: ClaimedJob) -> None:
        """Called by the finalizer for each job; there may be room for others of its kind."""
        if self.kind_limits.is_limited(job.kind):
            self.bell.ring(ENDED + job.kind)

    def keeps_workers_busy_without(self, job: ClaimedJob) -> bool:
        """Whether there are jobs for them already, and its end lets no other begin."""
        return self.buffer.keeps_workers_busy and not self.kind_limits.is_limited(job.kind)

    def run_once(self) -> None:
        """Fill the room there is, then sleep until there is room or work."""
        self.came_round_at = time.monotonic()
        if newly_closed := self.steering.closed - self._closed:
            self.load.given_back += self.buffer.release_unstarted(queues=newly_closed)
        self._closed = self.steering.closed
        if self.lifecycle.is_quiet:
            self.give_back()
            self.lanes.hear(self.bell, 0.0)
            self.lanes.pass_on(stopping=self.stopping)
            self.stopping.wait(LONGEST_WAIT)
            return
        if len(self.buffer) and time.monotonic() >= self.buffer.filled_at + LONGEST_WAIT:
            self.give_back()
        self.load.given_back += self.buffer.release_stale()
        if self.draining:
            self.draining.begin_round()
        if taken := self.rounds.fill():
            self.bell.found_at = time.monotonic()
            self.lifecycle.look_up()
        if self.room.jobs_left() <= 0:
            self.limits.make_way()
        if self.draining:
            self.lanes.pass_on(stopping=self.stopping)
            if self.draining.goes_on(taken=taken):
                return
        open_lanes = self.lanes.open()
        ours = [lane for lane in open_lanes if lane.entrusted and self.room.of(lane) > 0]
        self.lanes.pass_on(stopping=self.stopping, but_of=ours)
        wants_room = bool(open_lanes) or self.lanes.await_worker()
        self.buffer.wanted_at = self.room.prefetch.jobs // 2 if wants_room else UNWANTED
        if not self.room.is_there_for(open_lanes):
            self.sleep()

    def sleep(self) -> None:
        waits = [lane.opens_at - time.monotonic() for lane in self.lanes.waiting()]
        if len(self.buffer):
            waits.append(self.buffer.filled_at + LONGEST_WAIT - time.monotonic())
        self.is_asleep = True
        self.bell.can_wait = self.buffer.keeps_workers_busy
        seconds = max(0.0, min([self.poll_seconds, *waits]))
        self.bell.sleeps_until = time.monotonic() + seconds
        if not self.lanes.hear(self.bell, min(seconds, REST_SECONDS)) and seconds > REST_SECONDS:
            sessions.rest()
            self.lanes.hear(self.bell, seconds - REST_SECONDS)
        self.bell.sleeps_until = math.inf
        self.came_round_at = time.monotonic()
        self.is_asleep = False
        # Others may ring for ever: that must not put off the look at queues for which nobody does.
        if time.monotonic() - self.lanes.looked_at >= self.poll_seconds:
            self.lanes.look_everywhere()

    def give_back(self) -> None:
        """Let others have what our workers, slower than it seemed, won't start soon."""
        self.load.given_back += self.buffer.release_unstarted()
        # What is left are calls that wait for workers: no reason to come round at once.
        self.buffer.filled_at = time.monotonic()
        self.room.prefetch.forget()
