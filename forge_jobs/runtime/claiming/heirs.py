"""Who comes next of a concurrency key: claimed in the commit in which the one before has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Final

from forge_jobs import clock
from forge_jobs.db.rows import ClaimedJob, Promoted
from forge_jobs.db.wanted import NOTHING, Wanted
from forge_jobs.runtime.claiming.buffer import LONGEST_WAIT, Buffer
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.lanes import Lanes
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.rings import ROOM
from forge_jobs.runtime.claiming.room import Room
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.wake.local import Bell

SHORT_WAIT: Final = 0.05
"""Seconds: about as long as jobs that are claimed ahead keep others waiting."""

APART: Final = timedelta(microseconds=1)
"""So no claim of the fetcher's is of the same moment, for the clock goes in larger steps."""

Settled = tuple[dict[int, str], list[Promoted]]
Settle = Callable[[Wanted], Settled]


class Heirs:
    """Asked by the finalizer, while the fetcher claims as ever or sleeps.

    If they were only made ready, it would take another commit to claim them, for which the fetcher
    must wake; and other processes, which look as well, would find nothing.
    """

    def __init__(
        self,
        *,
        lanes: Lanes,
        steering: Steering,
        room: Room,
        load: Load,
        claims: Claims,
        buffer: Buffer,
        bell: Bell,
        lifecycle: Lifecycle,
        stopping: Event,
    ) -> None:
        self._lanes = lanes
        self._steering = steering
        self._room = room
        self._load = load
        self._claims = claims
        self._buffer = buffer
        self._bell = bell
        self._lifecycle = lifecycle
        self._stopping = stopping
        self._kinds = frozenset(next((lane.kinds for lane in lanes if lane.is_plain), ()))
        """Those that need but a worker."""
        self._unsure: list[datetime] = []
        """When those were claimed, if any, of which the answer got lost."""

    def inherit(self, ended: Sequence[ClaimedJob], settle: Settle) -> Settled:
        """Let `settle(wanted)` write how these jobs ended, and workers have what it has claimed."""
        with self._claims.inheriting:
            wanted = self._wanted(ended)
            if wanted.limit:
                self._unsure.append(wanted.now)
            states, promoted = settle(wanted)
            if self._stopping.is_set():  # meanwhile: no worker will come for them
                promoted = [one._replace(claimed=None) for one in promoted]
            else:
                self._unsure = [moment for moment in self._unsure if moment != wanted.now]
                self._take([one.claimed for one in promoted if one.claimed])
            self._release_lost()
        return states, promoted

    def _wanted(self, ended: Sequence[ClaimedJob]) -> Wanted:
        room = self._room.for_heirs(ended=len(ended))
        is_ending = self._stopping.is_set() or self._lifecycle.is_quiet
        if room <= 0 or is_ending or self._others_wait():
            return NOTHING
        queues = {job.queue for job in ended if self._is_on_no_terms(job.queue)}
        kinds = {job.kind for job in ended if job.kind in self._kinds}
        if not (queues and kinds):
            return NOTHING
        return Wanted(sorted(queues), sorted(kinds), room, clock.now() + APART)

    def _others_wait(self) -> bool:
        """Whether other jobs do, and not but for a moment; they may matter more."""
        waited = time.monotonic() - self._lanes.were_served_at
        return waited > SHORT_WAIT and self._lanes.want_worker()

    def _is_on_no_terms(self, queue: str) -> bool:
        steering = self._steering
        return not (queue in steering.closed or steering.has_terms(queue))

    def _take(self, claimed: Sequence[ClaimedJob]) -> None:
        """Let workers have what was claimed, and the fetcher see in time what they leave."""
        self._load.inherited += len(claimed)
        self._claims.add(*claimed)
        for job in claimed:
            self._buffer.put(job)
        may_wait_for_long = bool(claimed) and self._load.free_threads() < 0
        if may_wait_for_long and self._bell.sleeps_until > time.monotonic() + LONGEST_WAIT:
            self._bell.ring(ROOM)

    def _release_lost(self) -> None:
        """Give back what was claimed and is not held.

        After the next commit: before it, a statement whose answer got lost may still wait for a
        lock. Then it has ended, or found nothing left to do.
        """
        while self._unsure:
            self._claims.release_unheld(claimed_at=self._unsure[0])
            del self._unsure[0]
