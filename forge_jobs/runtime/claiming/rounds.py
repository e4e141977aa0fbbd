"""A round of claims: of each queue that may hold work, in turn, as much as there is room for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from operator import attrgetter
from threading import Event
from typing import Final

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming.admission import Admission
from forge_jobs.runtime.claiming.buffer import Buffer
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.few_kinds import ScarceLane
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lane import Lane
from forge_jobs.runtime.claiming.lanes import Lanes
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.room import Room
from forge_jobs.runtime.claiming.turns import take_turns
from forge_jobs.runtime.outage import ride_out

QUEUE_AND_KIND: Final = attrgetter("queue", "kind")
MOMENT: Final = 0.00001
"""Seconds, of which the system makes some more: enough for a worker to take the interpreter's lock,
which this thread would keep until it has seen to what is next."""


class Rounds:
    """Made by the fetcher alone. `release(job)` gives a job back unfinished."""

    def __init__(
        self,
        *,
        lanes: Lanes,
        kinds: KindLimits,
        admission: Admission,
        load: Load,
        room: Room,
        claims: Claims,
        buffer: Buffer,
        release: Callable[[ClaimedJob], None],
        writing: AbstractContextManager[object],
        stopping: Event,
    ) -> None:
        self._lanes = lanes
        self._kinds = kinds
        self._admission = admission
        self._load = load
        self._room = room
        self._claims = claims
        self._buffer = buffer
        self._release = release
        self._writing = writing
        self._stopping = stopping
        self._is_unsure = False

    def fill(self) -> int:
        """Claim into the buffer, each lane first as often as its weight says; how many jobs."""
        before = self._load.claimed
        lanes, are_busy = self._lanes.open(), False
        served: set[Lane] = set()
        for together in self._lanes.in_turn():
            lane = together[0]
            if lane.needs_worker and are_busy:  # nor has any of them room a moment later
                continue
            if (room := self._room.of(lane)) <= 0:
                are_busy |= lane.needs_worker
                if lane.places:
                    lane.await_place()
                continue
            holds_work = self._lanes.holds_work(lane)
            if self._stopping.is_set():  # that look may be what was broken off
                break
            if holds_work:
                served |= self._claim_for(together, room)
        for places in {lane.places for lane in served}:
            alike = [lane for lane in lanes if lane.places is places]
            take_turns(served.intersection(alike), alike)
        return self._load.claimed - before

    def _claim_for(self, together: Sequence[Lane], room: int) -> set[Lane]:
        """Those of the lanes of which jobs were claimed."""
        claimed = ride_out(
            lambda: self._claim(together, room), doing="claiming jobs", stopping=self._stopping
        )
        if not claimed and len(together) == 1:
            self._lanes.spare(together[0])
        if surplus := self._supply(claimed):
            self._admission.refund(tokens=surplus)
        if 0 < len(claimed) < self._load.threads:  # for workers that have nothing else to do
            time.sleep(MOMENT)
        queues = {job.queue for job in claimed}
        return {lane for lane in together if lane.queue in queues}

    def _claim(self, lanes: Sequence[Lane], limit: int) -> list[ClaimedJob]:
        """Claim once; a claim whose answer got lost before is given back first."""
        with self._writing:
            stays_unsure = self._is_unsure and not self._claims.release_unheld()
            self._is_unsure = True
            if len(lanes) > 1:
                claimed = self._admission.claim_together(lanes, limit)
            else:
                claimed = self._claim_kinds(lanes[0], limit)
            self._is_unsure = stays_unsure
        return claimed

    def _claim_kinds(self, lane: Lane, limit: int) -> list[ClaimedJob]:
        """Of limited kinds no more than have room here: others may have room for the rest."""
        if not isinstance(lane, ScarceLane):
            return self._admission.claim(lane, limit, kinds=lane.kinds)
        if not (rooms := self._kinds.rooms(lane.kinds)):
            lane.may_hold_work = False
            return []
        entrusted = lane.entrusted
        limit = min(limit, *rooms.values())
        claimed = self._admission.claim(lane, limit, kinds=list(rooms))
        if len(rooms) < len(lane.kinds):
            lane.entrusted = max(0, entrusted - len(claimed))
        return claimed

    def _supply(self, claimed: list[ClaimedJob]) -> int:
        """Hand on what was claimed; of a limited kind, no more than may run here.

        Returns how many jobs were given back.
        """
        surplus = 0
        self._load.claimed += len(claimed)
        for (_, kind), alike in groupby(claimed, key=QUEUE_AND_KIND):
            jobs = [*alike]
            room = self._kinds.room_for(kind, wanted=len(jobs))
            self._claims.add(*jobs)
            if room:
                self._buffer.put(*jobs[:room])
            for job in jobs[room:]:
                surplus += 1
                self._load.given_back += 1
                self._release(job)
        return surplus
