"""Claims on the terms of a queue: within its workers, and for as many tokens as there are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from threading import Event
from typing import Final

from forge_jobs import db
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import UnknownBudget
from forge_jobs.models import Process, Queue, RateLimitBudget
from forge_jobs.runtime.claiming.lane import BUSY_SECONDS, Lane
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.outage import ride_out
from forge_jobs.signals import queue_misconfigured

UNKNOWN_BUDGET_SECONDS: Final = 60.0


class Admission:
    def __init__(
        self,
        process: Process,
        *,
        steering: Steering,
        load: Load,
        writing: AbstractContextManager[object],
        stopping: Event,
    ) -> None:
        self._process = process
        self._steering = steering
        self._load = load
        self._writing = writing
        self._stopping = stopping
        self._paid_from = ""
        """The budget that the last claim took its tokens from; empty if it needed none."""

    def claim(self, lane: Lane, limit: int, *, kinds: Sequence[str]) -> list[ClaimedJob]:
        """Take up to `limit` jobs; a lane that must wait for something is told until when."""
        claimed = self._claim(lane, limit, kinds)
        lane.awaits_worker = claimed is None
        if claimed is None:
            lane.opens_at = time.monotonic() + BUSY_SECONDS
        return claimed or []

    def refund(self, *, tokens: int) -> None:
        """Return what was paid for jobs of the last claim that are given back unstarted."""

        def step() -> None:
            with self._writing:
                RateLimitBudget.objects.give_back(self._paid_from, tokens=tokens)

        if self._paid_from:
            ride_out(step, doing="returning tokens", stopping=self._stopping)

    def _claim(self, lane: Lane, limit: int, kinds: Sequence[str]) -> list[ClaimedJob] | None:
        """None if a worker must be free first; so in what follows."""
        ahead = max(lane.allowance, min(lane.entrusted, self._load.threads))
        if (wanted := self._load.free_threads() + ahead) <= 0:
            return None
        limit = min(limit, wanted + 1)  # and one more: if it is not there, there is none to ask for
        if self._steering.is_limited(lane.queue):
            return self._claim_limited(lane, limit, kinds)
        return self._claim_paid(lane, limit, kinds)

    def _claim_limited(
        self, lane: Lane, limit: int, kinds: Sequence[str]
    ) -> list[ClaimedJob] | None:
        """Look before locking: nobody is to wait for a claim that finds nothing."""
        lane.awaits_worker = True  # as of now: one may be free before we have found that none is
        if not lane.allowance and not lane.look(kinds):
            return []
        if self._room(lane) == 0:
            return None
        with db.read_committed():
            room = self._room(lane, lock=True)
            if room == 0:
                return None
            return self._claim_paid(lane, limit if room is None else min(limit, room), kinds)

    def _claim_paid(self, lane: Lane, limit: int, kinds: Sequence[str]) -> list[ClaimedJob] | None:
        process, budget = self._process, self._steering.budget_of(lane.queue)
        self._paid_from = budget
        if not budget:
            return lane.claim(limit, kinds=kinds, process=process)
        # No prefetch: a token is taken when its job starts, and not for one that may be given back.
        free = self._load.free_threads()
        if free <= 0:
            return None
        try:
            return lane.claim_within(budget, min(limit, free), kinds=kinds, process=process)
        except UnknownBudget as error:
            lane.opens_at = time.monotonic() + UNKNOWN_BUDGET_SECONDS
            lane.may_hold_work = False
            queue_misconfigured.send_robust(Admission, queue=lane.queue, error=error)
            return []

    def _room(self, lane: Lane, *, lock: bool = False) -> int | None:
        share = self._steering.share_of(lane.queue)
        room = Queue.objects.room(lane.queue, process=self._process, share=share, lock=lock)
        return None if room is None else lane.may_start(room)
