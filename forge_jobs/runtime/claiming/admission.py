"""Claims on the terms of a queue: within its workers, and for as many tokens as there are."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from threading import Event
from typing import Final

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import UnknownBudget
from forge_jobs.models import Process, RateLimitBudget
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.claiming.few_kinds import ChunkLane, ScarceLane
from forge_jobs.runtime.claiming.lane import BUSY_SECONDS, Lane, grown
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.claiming.together import claim_together
from forge_jobs.runtime.outage import ride_out
from forge_jobs.signals import queue_misconfigured

UNKNOWN_BUDGET_SECONDS: Final = 60.0


class Admission:
    def __init__(
        self,
        process: Process,
        *,
        steering: Steering,
        doors: Mapping[str, Door],
        load: Load,
        writing: AbstractContextManager[object],
        stopping: Event,
    ) -> None:
        self._process = process
        self._steering = steering
        self._doors = doors
        self._load = load
        self._writing = writing
        self._stopping = stopping
        self._paid_from = ""
        """The budget that the last claim took its tokens from; empty if it needed none."""
        self._allowance = 0
        """As a lane's, for lanes that are claimed from together."""

    def claim(self, lane: Lane, limit: int, *, kinds: Sequence[str]) -> list[ClaimedJob]:
        """Take up to `limit` jobs; a lane that must wait for something is told until when."""
        patience = self._load.threads if lane.has_waited else 0
        lane.awaits_worker = lane.awaits_slot = False
        free = limit if isinstance(lane, ChunkLane) else self._load.free_threads()
        if lane.places:
            free = lane.places()
        if door := self._doors.get(lane.queue):
            free, limit = min(free, door.free()), min(limit, door.room())
            if not limit:
                return self._await_slot(lane, door, kinds)
        claimed = self._claim(lane, limit, free=free, patience=patience, kinds=kinds)
        if claimed is None and isinstance(lane, ScarceLane) and not lane.look(kinds):
            return []
        if claimed is None:
            lane.awaits_worker = True
            lane.opens_at = time.monotonic() + BUSY_SECONDS
        return claimed or []

    def claim_together(self, lanes: Sequence[Lane], limit: int) -> list[ClaimedJob]:
        """Take up to `limit` jobs of queues that have no terms of their own."""
        self._paid_from = ""
        last = lanes[-1]
        if last.places:
            free, ahead = last.places(), 0
        else:
            patience = self._load.threads if any(lane.has_waited for lane in lanes) else 0
            free = max(patience, self._load.free_threads())
            ahead = max(self._allowance, last.left_elsewhere)
        for lane in lanes:
            lane.awaits_worker = free + ahead <= 0
            lane.awaits_slot = False
            lane.opens_at = time.monotonic() + BUSY_SECONDS if lane.awaits_worker else 0.0
        if free + ahead <= 0:
            return []
        limit = min(limit, free + ahead + 1)
        claimed = claim_together(lanes, limit, process=self._process)
        self._allowance = grown(self._allowance) if len(claimed) == limit else 0
        return claimed

    def refund(self, *, tokens: int) -> None:
        """Return what was paid for jobs of the last claim that are given back unstarted."""

        def step() -> None:
            with self._writing:
                RateLimitBudget.objects.give_back(self._paid_from, tokens=tokens)

        if self._paid_from:
            ride_out(step, doing="returning tokens", stopping=self._stopping)

    def _await_slot(self, lane: Lane, door: Door, kinds: Sequence[str]) -> list[ClaimedJob]:
        """Nobody need lend us slots that we have no use for."""
        lane.awaits_slot = True
        if door.waiting or lane.look(kinds):
            lane.opens_at = time.monotonic() + BUSY_SECONDS
            door.is_short_of_slots()
        return []

    def _claim(
        self, lane: Lane, limit: int, *, free: int, patience: int, kinds: Sequence[str]
    ) -> list[ClaimedJob] | None:
        """None if a worker must be free first."""
        self._paid_from = budget = self._steering.budget_of(lane.queue)
        ahead = 0
        # No prefetch: a token is taken when its job starts, and not for one that may be given back.
        if not (budget or lane.places):
            entrusted = min(lane.entrusted, self._load.threads)
            ahead = max(lane.allowance, lane.left_elsewhere, entrusted)
            free = max(free, patience)
        if (wanted := free + ahead) <= 0:
            return None
        if not budget:  # one more than is wanted: if it is not there, there is none to ask for
            return lane.claim(min(limit, wanted + 1), kinds=kinds, process=self._process)
        return self._claim_within(budget, lane, min(limit, free), kinds)

    def _claim_within(
        self, budget: str, lane: Lane, limit: int, kinds: Sequence[str]
    ) -> list[ClaimedJob]:
        try:
            return lane.claim_within(budget, limit, kinds=kinds, process=self._process)
        except UnknownBudget as error:
            lane.rest(UNKNOWN_BUDGET_SECONDS)
            lane.may_hold_work = False
            queue_misconfigured.send_robust(Admission, queue=lane.queue, error=error)
            return []
