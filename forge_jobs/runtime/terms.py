"""Claims on the terms of a queue: within its workers, and for as many tokens as there are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from forge_jobs import clock
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import UnknownBudget
from forge_jobs.models import Queue
from forge_jobs.runtime.lane import Lane
from forge_jobs.signals import queue_misconfigured

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

BUSY_SECONDS: Final = 0.1
"""How soon to look again at a queue that has as many workers busy as it may."""

UNKNOWN_BUDGET_SECONDS: Final = 60.0


class Terms:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def claim(self, lane: Lane, limit: int, *, kinds: Sequence[str]) -> list[ClaimedJob]:
        """Take up to `limit` jobs; a lane that must wait for something is told until when."""
        process, steering = self.engine.process, self.engine.steering
        if not steering.is_limited(lane.queue):
            return self._claim_paid(lane, limit, kinds)
        share = steering.share_of(lane.queue)
        with Queue.objects.free_workers(
            lane.queue, process=process, share=share, now=clock.now()
        ) as free:
            if free == 0:
                lane.opens_at = time.monotonic() + BUSY_SECONDS
                return []
            return self._claim_paid(lane, limit if free is None else min(limit, free), kinds)

    def _claim_paid(self, lane: Lane, limit: int, kinds: Sequence[str]) -> list[ClaimedJob]:
        process, budget = self.engine.process, self.engine.steering.budget_of(lane.queue)
        if not budget:
            return lane.claim(limit, kinds=kinds, process=process)
        free = self.engine.threads - self.engine.buffer.qsize()  # tokens are not for a prefetch
        try:
            return lane.claim_within(budget, max(1, min(limit, free)), kinds=kinds, process=process)
        except UnknownBudget as error:
            lane.opens_at = time.monotonic() + UNKNOWN_BUDGET_SECONDS
            lane.may_hold_work = False
            queue_misconfigured.send_robust(Terms, queue=lane.queue, error=error)
            return []
