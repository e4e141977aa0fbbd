"""How many jobs to claim now: as many as can be used soon, and not more."""

import time
from collections.abc import Sequence
from typing import Final

from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.few_kinds import ChunkLane
from forge_jobs.runtime.claiming.lane import Lane
from forge_jobs.runtime.claiming.load import Load
from forge_jobs.runtime.claiming.prefetch import Prefetch
from forge_jobs.runtime.retirement import Limits

LARGEST_CLAIM: Final = 500
LARGEST_FOR_DESK: Final = 1_000
"""Jobs that one call has together are used up in leaps."""

LARGEST_HOLD: Final = 5_000
LEISURE_SECONDS: Final = 0.05

SHARE_OF_HEIRS: Final = 2
"""They wait for workers here for half of the time for which prefetched jobs may: whoever else is
idle would get none of a key that passes from one job here to the next.
"""


class Room:
    def __init__(self, *, load: Load, claims: Claims, limits: Limits) -> None:
        self._load = load
        self._claims = claims
        self._limits = limits
        self.prefetch = Prefetch(threads=load.threads)

    def of(self, lane: Lane) -> int:
        """How many jobs to claim for it now."""
        if lane.places:
            return min(lane.places(), LARGEST_CLAIM, self.jobs_left())
        if not isinstance(lane, ChunkLane):
            return self.for_threads()
        free = self._load.free_threads()
        if free <= 0 and self._one_is_soon_free_for(lane):
            free = 1
        room = lane.desk.room(free_threads=free)
        return min(room, LARGEST_HOLD - len(self._claims), LARGEST_FOR_DESK, self.jobs_left())

    def _one_is_soon_free_for(self, lane: ChunkLane) -> bool:
        """While short jobs stream, a thread is; but each look takes from them what it costs."""
        rest = time.monotonic() - lane.found_nothing_at
        return bool(self.prefetch.jobs) and not lane.desk.has_calls and rest > LEISURE_SECONDS

    def is_there_for(self, lanes: Sequence[Lane]) -> bool:
        """Whether to claim for any of them now; those that need a worker have the same room."""
        one_of_all = [next((lane for lane in lanes if lane.needs_worker), None)]
        others = [lane for lane in lanes if not lane.needs_worker]
        return any(lane and self.of(lane) > 0 for lane in [*one_of_all, *others])

    def for_threads(self) -> int:
        """None until half of the prefetch is used up."""
        jobs, seconds = self._load.work_done()
        self.prefetch.threads = self._load.takers()
        self.prefetch.update(jobs=jobs, seconds=seconds)
        ahead = self._load.ahead_of(jobs)
        room = min(
            self._load.threads + self.prefetch.jobs - ahead,
            LARGEST_HOLD - len(self._claims),
            LARGEST_CLAIM,
        )
        if ahead > 0 and room <= self.prefetch.jobs // 2:
            return 0
        return min(room, self.jobs_left())

    def for_heirs(self, *, ended: int) -> int:
        """How many of so many, which are claimed still, others may take the places of.

        Their workers may not have said yet that they are free. None where each job counts, which
        the fetcher counts alone.
        """
        if self._limits.max_jobs is not None:
            return 0
        held = len(self._claims)
        free = max(self._load.free_threads(), self._load.threads - held + ended)
        ahead = min(self.prefetch.jobs // SHARE_OF_HEIRS, self._load.threads)
        return min(ended, free + ahead, LARGEST_HOLD - held)

    def jobs_left(self) -> int:
        """How many jobs this process may still claim before it makes way for another."""
        return self._limits.jobs_left(self._load.taken)
