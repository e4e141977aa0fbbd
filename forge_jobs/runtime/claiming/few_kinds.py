"""Lanes of few kinds: of what comes into their queue, most is for others to take."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from forge_jobs.models import Job
from forge_jobs.runtime.claiming.desk import Desk
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lane import Lane
from forge_jobs.runtime.outage import asked

NEAR: Final = 1_000
"""How many jobs of a queue are looked at where that is not to take long."""


class LaneOfFewKinds(Lane):
    """Apart, for others' jobs may be all that is in front of the queue."""

    is_rumour = False
    """Whether it is only known of its queue that it may hold work."""

    def hear_of_work(self) -> None:
        self.is_rumour |= not self.may_hold_work
        super().hear_of_work()

    def entrust(self, jobs: int) -> None:
        super().entrust(jobs)
        self.is_rumour &= not jobs

    def put_off(self, seconds: float) -> None:
        """Leave it open for so long whether it holds work, unless its queue is full no more."""
        self.may_hold_work = self.is_rumour = True
        self.rest(seconds)
        self._is_from_walk = True


class ScarceLane(LaneOfFewKinds):
    """The same queue, as far as its jobs are of kinds that this process may run only so many of.

    Claimed with the others, most of them would be in vain, and those behind them would wait.
    """


class ChunkLane(LaneOfFewKinds):
    """The same queue, as far as its jobs are of one chunk kind: as many as fit on its desk."""

    def __init__(self, desk: Desk, *, weight: int = 1) -> None:
        super().__init__(desk.queue, weight=weight, kinds=[desk.kind])
        self.desk = desk
        self.needs_worker = False  # its desk knows better how much room there is


def look_near(told: Sequence[LaneOfFewKinds], *, kinds: KindLimits, look_far_at: float) -> None:
    """Look but at the front of queues that are full of others' jobs, and later for what is behind.

    To walk over all of them takes a good part of a process's life, if that is short.
    """
    look_into(told, kinds=kinds, depth=NEAR)
    for each in told:
        if not each.may_hold_work:
            each.put_off(look_far_at - time.monotonic())


def look_into(
    lanes: Iterable[LaneOfFewKinds], *, kinds: KindLimits, depth: int | None = None
) -> None:
    """Ask once which of the lanes hold work that may run here, of all that only heard of some.

    Each would claim in vain else. Where but one is to be asked about, its claim tells as well, if
    it is to be known of all jobs of its queue, and not of the first so many.
    """
    alike: dict[tuple[str, ...], list[LaneOfFewKinds]] = defaultdict(list)
    for lane in lanes:
        lane.is_rumour = False
        alike[tuple(lane.kinds)].append(lane)
    able = {those: told for all_, told in alike.items() if (those := kinds.with_room(all_))}
    queues = {those: [lane.queue for lane in told] for those, told in able.items()}
    if sum(map(len, queues.values())) < (2 if depth is None else 1):
        return
    began = time.monotonic()
    ready = asked(lambda: Job.objects.ready_among(queues, depth=depth))
    if ready is None:
        return
    each_took = (time.monotonic() - began) / len({*chain(*queues.values())})
    for those, told in able.items():
        for lane in told:
            if (those, lane.queue) not in ready:
                lane.found_nothing(took=each_took)
