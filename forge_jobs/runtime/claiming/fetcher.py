"""Keeps the workers supplied: claims as much as they can use soon, and not more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from threading import Event
from typing import Final

from forge_jobs import clock, wake
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime import sessions
from forge_jobs.runtime.claiming.admission import Admission
from forge_jobs.runtime.claiming.buffer import ROOM, UNWANTED, Buffer
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lane import Lane, ScarceLane, take_turns
from forge_jobs.runtime.claiming.lanes import ENDED, ENTRUSTED, Lanes
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.room import Room
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.runtime.retirement import Limits
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.services.gatekeeper import Gatekeeper
from forge_jobs.wake import local

LONGEST_WAIT: Final = 1.0
REST_SECONDS: Final = 2.0
LONGEST_SLEEP: Final = 60.0
"""It is woken for what waits as often as it is to poll; this is in case that nobody does."""
DRAINED: Final = "drained"


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
        steering: Steering,
        load: Load,
        claims: Claims,
        buffer: Buffer,
        bell: local.Bell,
        release: Callable[[ClaimedJob], None],
        lifecycle: Lifecycle,
        limits: Limits,
        poll_interval: timedelta,
        drain: bool,
        gatekeeper: Gatekeeper,
        writing: AbstractContextManager[object],
        stopping: Event,
    ) -> None:
        super().__init__("fetcher", fail=lifecycle.fail, stopping=stopping)
        self.lanes = lanes
        self.kind_limits = kinds
        self.admission = admission
        self.steering = steering
        self.load = load
        self.claims = claims
        self.buffer = buffer
        self.bell = bell
        self.release = release
        self.lifecycle = lifecycle
        self.limits = limits
        seconds = poll_interval.total_seconds()
        self.poll_seconds = seconds if drain else max(seconds, LONGEST_SLEEP)
        self.drain = drain
        self.gatekeeper = gatekeeper
        self.writing = writing
        self.room = Room(load=load, claims=claims, limits=limits)
        self.came_round_at = self._supplied_at = time.monotonic()
        self.is_asleep = False
        self._is_unsure = self._found_nothing = False
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
            self.buffer.release_unstarted()
            self.lanes.hear(self.bell, 0.0)
            with suppress(Stopped):
                self.lanes.pass_on(stopping=self.stopping)

    def stop(self) -> None:
        super().stop()
        self.bell.ring(ROOM)

    def some_are_settled(self) -> None:
        """Called by the finalizer after each group."""
        if (self.drain and not self.claims) or self.lanes.await_worker():
            self.bell.ring(ROOM)

    def see_to(self, queue: str, kind: str, *, jobs: int) -> None:
        """Called by the finalizer: so many jobs have become ready, and nobody was told.

        If this process can take them, none of the others need look.
        """
        can_take = self.claims_from(queue) and self.kind_limits.can_take(kind)
        if can_take:
            for _ in range(jobs):
                self.bell.ring(ENTRUSTED + queue)
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
        return len(self.buffer) > 0 and not self.kind_limits.is_limited(job.kind)

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
        if len(self.buffer) and time.monotonic() - self._supplied_at > LONGEST_WAIT:
            self.give_back()
        self.load.given_back += self.buffer.release_stale()
        had_nothing = not self.claims
        is_last_look = self.drain and had_nothing and self._found_nothing
        if is_last_look:
            self.lanes.look_last()
        had_room = self.room.for_threads() > 0  # without any, that nothing is claimed means nothing
        taken = self.fill()
        self._found_nothing = not taken
        if self.room.jobs_left() <= 0:
            self.limits.make_way()
        self.lanes.pass_on(stopping=self.stopping)
        is_dry = had_room and not taken and not self.lanes.may_hold_work()
        if is_last_look and is_dry:
            if ride_out(self.set_free, doing="opening gates", stopping=self.stopping):
                return
            self.lifecycle.request_stop(DRAINED)
            self.stopping.set()
            return
        if self.drain and had_nothing and not taken and not is_last_look:
            return
        open_lanes = self.lanes.open()
        wants_room = bool(open_lanes) or self.lanes.await_worker()
        self.buffer.wanted_at = self.room.prefetch.jobs // 2 if wants_room else UNWANTED
        if not self.room.is_there_for(open_lanes):
            self.sleep()

    def set_free(self) -> int:
        """Let those go that wait for what has ended; how many rows that changed."""
        with self.writing:
            return self.gatekeeper.run_once(now=clock.now())

    def sleep(self) -> None:
        waits = [lane.opens_at - time.monotonic() for lane in self.lanes.waiting()]
        if len(self.buffer):
            waits.append(LONGEST_WAIT)
        self.is_asleep = True
        seconds = max(0.0, min([self.poll_seconds, *waits]))
        if not self.lanes.hear(self.bell, min(seconds, REST_SECONDS)) and seconds > REST_SECONDS:
            sessions.rest()
            self.lanes.hear(self.bell, seconds - REST_SECONDS)
        self.came_round_at = time.monotonic()
        self.is_asleep = False
        # Others may ring for ever: that must not put off the look at queues for which nobody does.
        if time.monotonic() - self.lanes.looked_at >= self.poll_seconds:
            self.lanes.look_everywhere()

    def fill(self) -> int:
        """Claim into the buffer, queue by queue; each is first as often as its weight says."""
        before = self.load.claimed
        lanes, are_busy = self.lanes.open(), False
        for together in self.lanes.in_turn():
            lane = together[0]
            if lane.needs_worker and are_busy:  # nor has any of them room a moment later
                continue
            if (room := self.room.of(lane)) <= 0:
                are_busy |= lane.needs_worker
                if lane.places:
                    lane.await_place()
                continue
            claimed = ride_out(
                lambda lanes=together, room=room: self.claim(lanes, room),  # type: ignore[misc]
                doing="claiming jobs",
                stopping=self.stopping,
            )
            if claimed:
                queues = {job.queue for job in claimed}
                served = [each for each in together if each.queue in queues]
                take_turns(served, [other for other in lanes if other.places is lane.places])
            elif len(together) == 1:
                self.lanes.spare(lane)
            if surplus := self.supply(claimed):
                self.admission.refund(tokens=surplus)
        return self.load.claimed - before

    def claim(self, lanes: Sequence[Lane], limit: int) -> list[ClaimedJob]:
        """Claim once; a claim whose answer got lost before is given back first."""
        with self.writing:
            if self._is_unsure:
                self.claims.release_unheld()
            self._is_unsure = True
            if len(lanes) > 1:
                claimed = self.admission.claim_together(lanes, limit)
            else:
                claimed = self.claim_kinds(lanes[0], limit)
            self._is_unsure = False
        return claimed

    def claim_kinds(self, lane: Lane, limit: int) -> list[ClaimedJob]:
        """Of limited kinds no more than have room here: others may have room for the rest."""
        if not isinstance(lane, ScarceLane):
            return self.admission.claim(lane, limit, kinds=lane.kinds)
        if not (rooms := self.kind_limits.rooms(lane.kinds)):
            lane.may_hold_work = False
            return []
        entrusted = lane.entrusted
        limit = min(limit, *rooms.values())
        claimed = self.admission.claim(lane, limit, kinds=list(rooms))
        if len(rooms) < len(lane.kinds):
            lane.entrusted = max(0, entrusted - len(claimed))
        return claimed

    def supply(self, claimed: list[ClaimedJob]) -> int:
        """Hand on what was claimed; of a limited kind, no more than may run here.

        Returns how many jobs were given back.
        """
        surplus = 0
        if claimed:
            self.load.claimed += len(claimed)
            self._supplied_at = time.monotonic()
        for job in claimed:
            has_room = self.kind_limits.has_room_for(job.kind)
            self.claims.add(job)
            if has_room:
                self.buffer.put(job)
            else:
                surplus += 1
                self.load.given_back += 1
                self.release(job)
        if claimed:
            self.lifecycle.look_up()
        return surplus

    def give_back(self) -> None:
        """Let others have what our workers, slower than it seemed, won't start soon."""
        self.load.given_back += self.buffer.release_unstarted()
        self.room.prefetch.forget()
