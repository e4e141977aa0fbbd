"""All queues of a process: which of them may hold work, and who was told."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from threading import Event
from typing import Final

from django.db import Error

from forge_jobs import db, wake
from forge_jobs.models import Job
from forge_jobs.runtime.claiming.apart import NOTHING_APART, Apart
from forge_jobs.runtime.claiming.buffer import ROOM
from forge_jobs.runtime.claiming.desks import Desks
from forge_jobs.runtime.claiming.doors import FREED
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lane import ChunkLane, Lane, ScarceLane
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.outage import ride_out
from forge_jobs.wake import local

ENTRUSTED: Final = ","
"""Before the name of a queue, which has no comma: a job is ready of which nobody else was told."""

ENDED: Final = ":"
"""Before the name of a kind, as no queue's name begins: there is room for another of its jobs."""

FEW: Final = 4
"""Queues of which each may be claimed from as soon as asked about."""


class Lanes:
    """They learn of work by the fetcher's bell, or by looking."""

    def __init__(
        self,
        queues: Mapping[str, int],
        *,
        kinds: KindLimits,
        desks: Desks,
        steering: Steering,
        apart: Apart = NOTHING_APART,
    ) -> None:
        self._steering = steering
        self._are_few = len(queues) <= FEW
        self.looked_at = time.monotonic()
        self._lanes: list[Lane] = []
        for lane, those in (Lane, kinds.unlimited), (ScarceLane, kinds.limited):
            for places in None, apart.free:
                among = [kind for kind in those if (kind in apart.kinds) is (places is not None)]
                if among or (lane is Lane and not places and not apart.kinds):
                    self._lanes += [
                        lane(queue, weight=weight, kinds=among, places=places)
                        for queue, weight in queues.items()
                    ]
        self._lanes += [ChunkLane(desk, weight=queues[desk.queue]) for desk in desks]

    def in_turn(self) -> Iterator[Lane]:
        """Those that are open, the one first whose turn it is.

        Each is told in how many queues behind it others find jobs, where that is known.
        """
        lanes = sorted(self.open(), key=lambda lane: -(lane.credit + lane.weight))
        plain = {lane for lane in lanes if type(lane) is Lane and not lane.places}
        left = 0 if self._are_few else len(plain)
        for lane in lanes:
            is_plain = lane in plain
            left = max(0, left - is_plain)
            lane.left_elsewhere = left if is_plain else 0
            yield lane

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes)

    def __contains__(self, queue: object) -> bool:
        return any(lane.queue == queue for lane in self._lanes)

    def open(self) -> list[Lane]:
        """Of queues that may hold work, those that are open and have tokens to spend."""
        now = time.monotonic()
        return [lane for lane in self._with_work() if lane.opens_at <= now]

    def waiting(self) -> list[Lane]:
        """Of the same, those that wait for tokens, a worker, or a slot of their queue's."""
        now = time.monotonic()
        return [lane for lane in self._with_work() if lane.opens_at > now]

    def may_hold_work(self) -> bool:
        """Whether there may be more in an open queue, though it can't be had at once perhaps."""
        return bool(self._with_work())

    def await_worker(self) -> bool:
        return any(lane.awaits_worker for lane in self)

    def hear(self, bell: local.Bell, seconds: float) -> bool:
        """Wait for the bell, at most so long; the lanes learn for what it was rung, if it was."""
        rung = bell.wait(seconds)
        if local.ANY in rung:
            self.look_everywhere()
        for lane in self:
            lane.may_hold_work |= lane.queue in rung
            lane.entrust(rung[ENTRUSTED + lane.queue])
            if lane.awaits_worker and (ROOM in rung or lane.entrusted):
                lane.opens_at = 0.0
            if lane.awaits_slot and rung[FREED + lane.queue]:
                lane.opens_at = 0.0
            if isinstance(lane, ScarceLane):
                lane.may_hold_work |= any(ENDED + kind in rung for kind in lane.kinds)
        return bool(rung)

    def spare(self, lane: Lane) -> None:
        """One that found nothing need not look again soon, as long as its queue is full of what
        other lanes are for.
        """
        if any(other.may_hold_work for other in self if other.queue == lane.queue):
            lane.spare()

    def look_everywhere(self) -> None:
        """Of many queues, ask once which to look at."""
        self.looked_at = time.monotonic()
        ready = None if self._are_few else self._ready_queues()
        for lane in self:
            lane.may_hold_work |= ready is None or lane.queue in ready

    def look_first(self) -> None:
        """The same at the start, when nobody has told anything yet."""
        for lane in self:
            lane.may_hold_work = False
        self.look_everywhere()

    def _ready_queues(self) -> frozenset[str] | None:
        """None if that can't be known now; the claims will ride out what is amiss."""
        try:
            return frozenset(Job.objects.ready_queues())
        except Error:
            db.connection().close()
            return None

    def pass_on(self, *, stopping: Event) -> None:
        """Tell others of the jobs that were entrusted to us, and are more than we could take."""
        for queue in dict.fromkeys(lane.queue for lane in self if lane.entrusted):
            ride_out(
                lambda queue=queue: wake.send_elsewhere(queue),  # type: ignore[misc]
                doing="waking others",
                stopping=stopping,
            )
        for lane in self:
            lane.entrusted = 0

    def _with_work(self) -> list[Lane]:
        closed = self._steering.closed
        return [lane for lane in self if lane.may_hold_work and lane.queue not in closed]
