"""What an end sets free: batches end, gates open or break, and what is behind them goes on.

Truth is in the states of jobs and batches, asked after the commit that changed them: inside of it,
two that end last do not see each other. So all of this may be done twice, and by anybody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef

from forge_jobs import db
from forge_jobs.db.signs import Awaited
from forge_jobs.models.batch import Batch
from forge_jobs.models.deciding import end, judge
from forge_jobs.models.gate import Gate
from forge_jobs.models.job import Job
from forge_jobs.models.letting_go import LARGEST_RELEASE, give_up, release
from forge_jobs.states import BatchState, GateState

SLICE: Final = 500
"""How many gates or batches are judged at once."""
MANY: Final = 50
"""So many jobs take longer to look up than what there is to wait for them."""
MOST_AWAITED: Final = 20


class Following:
    """What is left to be seen to, in steps, so that whoever does it can do other things too."""

    def __init__(
        self,
        *,
        jobs: Iterable[int] = (),
        batches: Iterable[int] = (),
        gates: Iterable[int] = (),
        decided: Iterable[int] = (),
    ) -> None:
        self._ended = deque(jobs)
        self._batches = deque(batches)
        self._gates = deque(gates)
        self._decided = deque(decided)

    def __bool__(self) -> bool:
        return bool(self._ended or self._batches or self._gates or self._decided)

    def add(self, jobs: Iterable[int]) -> None:
        """Jobs that have ended, in whatever way."""
        self._ended.extend(jobs)

    def step(self, *, now: datetime) -> int:
        """See to one slice; returns how many jobs, gates and batches it changed."""
        if self._ended:
            self._look_behind(_take(self._ended, LARGEST_RELEASE))
            return 0
        if self._batches:
            ended = end(_take(self._batches, SLICE), now=now)
            self._batches.extend(parents_of(ended))
            self._gates.extend(Gate.objects.behind(batches=ended))
            return len(ended)
        if self._gates:
            decided = judge(_take(self._gates, SLICE))
            self._decided.extend(decided)
            return len(decided)
        return self._carry_out(_take(self._decided, SLICE), now=now) if self._decided else 0

    def finish(self, *, now: datetime) -> int:
        changed = 0
        while self:
            changed += self.step(now=now)
        return changed

    def _look_behind(self, jobs: list[int]) -> None:
        """Each of many is looked up only where more waits than can be gone through instead."""
        awaited = awaited_now() if len(jobs) >= MANY else None
        if awaited and len(awaited.batches) < MOST_AWAITED:
            self._batches.extend(awaited.batches)
        else:
            self._batches.extend(batches_of(jobs))
        if awaited is None or awaited.has_jobs:
            self._gates.extend(Gate.objects.behind(jobs=jobs))

    def _carry_out(self, gates: list[int], *, now: datetime) -> int:
        released, is_all = release(gates)
        cancelled = give_up(gates, now=now)
        self._ended.extend(cancelled)
        if not is_all or len(cancelled) >= LARGEST_RELEASE:
            self._decided.extend(gates)
        else:
            is_held = Job.objects.held().filter(gate=OuterRef("pk"))
            seen_to = Gate.objects.filter(~Exists(is_held), pk__in=gates)
            seen_to.exclude(state=GateState.CLOSED).update(is_done=True)
        return released + len(cancelled)


def awaited_now() -> Awaited:
    with db.connection().cursor() as cursor:
        return db.twin().awaited(cursor, most=MOST_AWAITED)


def batches_of(jobs: Collection[int]) -> set[int]:
    """The batches that these jobs are in, as far as they may end."""
    with db.connection().cursor() as cursor:
        return db.twin().batches_of(cursor, jobs)


def parents_of(batches: Collection[int]) -> set[int]:
    if not batches:
        return set()
    part = Batch.objects.filter(pk__in=batches, parent__state=BatchState.SEALED)
    return set(part.values_list("parent_id", flat=True))


def _take(work: deque[int], most: int) -> list[int]:
    return [work.popleft() for _ in range(min(most, len(work)))]
