"""One queue as a process sees it: whether it may hold work, and from where to claim."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Final

from forge_jobs import clock
from forge_jobs.budgets import Budget
from forge_jobs.db.rows import ClaimedJob, Position
from forge_jobs.models import Job, Process, RateLimitBudget
from forge_jobs.runtime.claiming.resting import LONGEST_AWAY, Resting

FRONT_SHARE: Final = 10
"""The front is looked at again after this many times as long as the last look took."""

LARGEST_ALLOWANCE: Final = 1_000

CHEAP_SECONDS: Final = 0.005
SHORTEST_WAIT: Final = 0.005
LONGEST_WAIT: Final = 1.0
"""For tokens: meanwhile somebody may fill the bucket, or let the queue spend another one."""

BUSY_SECONDS: Final = 0.1
"""How soon to look again at a queue that waits for a worker or a slot, if nobody tells."""


class Lane(Resting):
    """Claims go on from where the last one stopped, and return to the front now and then.

    At the front lie the index entries of jobs that are gone; while some session holds an old
    snapshot, PostgreSQL can't remove them, and walking over them costs more with every job.
    What has come in front of the position meanwhile (retries, higher priorities, transactions
    that committed late) is found at the next return, which is soon where returning is cheap.
    """

    def __init__(
        self,
        queue: str,
        *,
        weight: int = 1,
        kinds: Sequence[str] = (),
        places: Callable[[], int] | None = None,
    ) -> None:
        super().__init__()
        self.queue = queue
        self.weight = weight
        self.kinds = kinds
        self.places = places
        """How many more of its jobs may run, if they need no thread."""
        self.needs_worker = places is None
        """A free one, as all others do that need one."""
        self.credit = 0
        self.may_hold_work = True
        self.awaits_worker = False
        """Whether a worker that becomes free is a reason to look sooner."""
        self.awaits_slot = False
        """Whether room at the door of a limited queue is."""
        self.entrusted = 0
        """How many jobs have become ready of which nobody else was told."""
        self.allowance = 0
        """How many jobs to claim for workers that are not free: more as long as there are more.

        What is scarce is left to the free workers of other processes.
        """
        self.left_elsewhere = 0
        """How many jobs there are at least, in other queues, of which this process takes none yet:
        as long as others find those, what is here need not be left to them.
        """
        self.found_nothing_at = 0.0
        """By the monotonic clock, when a look at the front last did."""
        self._position: Position | None = None
        self._front_is_due_at = 0.0
        self._front_took = 0.0
        """Seconds, in the quicker one of the last two looks: one may have waited for the disk."""
        self._front_took_last = math.inf

    @property
    def is_plain(self) -> bool:
        """Whether its jobs take but a free worker."""
        return type(self) is Lane and not self.places

    @property
    def wants_worker(self) -> bool:
        """Whether what may be in it waits for nothing else."""
        return self.needs_worker and (self.awaits_worker or self.opens_at <= time.monotonic())

    @property
    def is_full(self) -> bool:
        """Whether its last claim found as much as it might."""
        return self.allowance > 0

    @property
    def has_waited(self) -> bool:
        """Whether no worker became free for it in good time, nor another process's, it seems.

        The workers may have no end of jobs of another queue claimed ahead.
        """
        return self.awaits_worker and 0.0 < self.opens_at <= time.monotonic()

    def hear_of_work(self) -> None:
        """Its queue may hold some, of whatever kind."""
        self.may_hold_work = True

    def entrust(self, jobs: int) -> None:
        """Jobs have become ready, anywhere in the queue, and nobody else was told."""
        if jobs:
            self.entrusted += jobs
            self.may_hold_work = True
            self.rest_no_more()
            if self._front_took <= CHEAP_SECONDS:
                self._front_is_due_at = 0.0

    def await_place(self) -> None:
        """Rest until one of its jobs has ended."""
        self.awaits_worker = True
        self.opens_at = time.monotonic() + LONGEST_WAIT

    def spare(self, *, of_queue: Sequence[Lane]) -> None:
        """Having found nothing, rest as long as the queue is full of what other lanes are for.

        Once it isn't, none of them need rest.
        """
        if any(other.is_full for other in of_queue):
            self.rest_from_walk()
        else:
            for other in of_queue:
                other.walk_again()
        self.strayed = 0.0

    def look(self, kinds: Sequence[str]) -> bool:
        """Learn whether anything is ready: that costs neither a lock nor a token."""
        began = time.monotonic()
        self.may_hold_work = Job.objects.ready().filter(queue=self.queue, kind__in=kinds).exists()
        if not self.may_hold_work:
            self.found_nothing(took=time.monotonic() - began)
        return self.may_hold_work

    def found_nothing(self, *, took: float) -> None:
        """A look at the front did, which has just ended and took so many seconds."""
        self.may_hold_work = False
        self.strayed = took
        self.found_nothing_at = time.monotonic()
        self.entrusted = self.allowance = 0
        self._is_owed_nothing()

    def claim(self, limit: int, *, kinds: Sequence[str], process: Process) -> list[ClaimedJob]:
        """Take up to `limit` jobs; `may_hold_work` then tells whether to ask again."""
        claimed = self._claim(limit, kinds, process)
        if len(claimed) == limit:
            self.allowance = grown(self.allowance)
        elif not self.may_hold_work:
            self.allowance = 0
        self.entrusted = max(0, self.entrusted - len(claimed)) if self.may_hold_work else 0
        return claimed

    def _claim(self, limit: int, kinds: Sequence[str], process: Process) -> list[ClaimedJob]:
        if self._position and time.monotonic() < self._front_is_due_at:
            claimed = self._take(limit, kinds, process, after=self._position)
            if len(claimed) < limit:
                self._front_is_due_at = 0.0
            if claimed:
                return claimed
        began = time.monotonic()
        claimed = self._take(limit, kinds, process, after=None)
        took = time.monotonic() - began
        self._front_took, self._front_took_last = min(took, self._front_took_last), took
        self.strayed = 0.0
        self.may_hold_work = len(claimed) == limit
        if not claimed:
            self.found_nothing(took=took)
        if self.may_hold_work or took > CHEAP_SECONDS:
            self._front_is_due_at = until_next_look(began, took)
        return claimed

    @property
    def starts_at_front(self) -> bool:
        """Whether its next claim is to look at the front, which did not take long of late."""
        return time.monotonic() >= self._front_is_due_at

    def was_claimed_from(
        self, claimed: Sequence[ClaimedJob], *, limit: int, is_empty: bool, next_look_at: float
    ) -> None:
        """Jobs were taken from its front, of up to `limit` with those of other lanes."""
        self.may_hold_work = not is_empty
        if is_empty and not claimed:
            self._is_owed_nothing()
        if is_empty:
            self.allowance = 0
        elif 2 * len(claimed) > limit:
            self.allowance = grown(self.allowance)
        self._front_is_due_at = next_look_at
        self._remember(claimed)

    def claim_within(
        self, budget: str, limit: int, *, kinds: Sequence[str], process: Process
    ) -> list[ClaimedJob]:
        """Take up to `limit` jobs and a token for each; none is claimed only to be sent back.

        Raises `UnknownBudget`.
        """
        if not self.look(kinds):
            return []
        granted = int(RateLimitBudget.objects.take(budget, at_least=1, at_most=limit))
        if not granted:
            wait = Budget(budget).level().seconds_until(1)
            self.opens_at = time.monotonic() + min(LONGEST_WAIT, max(SHORTEST_WAIT, wait))
            return []
        claimed = self.claim(granted, kinds=kinds, process=process)
        if len(claimed) < granted:
            RateLimitBudget.objects.give_back(budget, tokens=granted - len(claimed))
        return claimed

    def _take(
        self, limit: int, kinds: Sequence[str], process: Process, *, after: Position | None
    ) -> list[ClaimedJob]:
        claimed = Job.objects.claim(
            queue=self.queue,
            kinds=kinds,
            limit=limit,
            process=process,
            now=clock.now(),
            after=after,
        )
        self._remember(claimed)
        return claimed

    def _is_owed_nothing(self) -> None:
        self.credit = min(self.credit, 0)

    def _remember(self, claimed: Sequence[ClaimedJob]) -> None:
        if claimed:
            last = claimed[-1]
            self._position = Position(last.priority, last.run_at, last.id)


def grown(allowance: int) -> int:
    return min(LARGEST_ALLOWANCE, 2 * allowance + 1)


def until_next_look(began: float, took: float) -> float:
    """When to look at the front again, by the monotonic clock, after a look that took so long."""
    return began + took + away_after(took)


def away_after(took: float) -> float:
    """For how many seconds not to look again, after a look that took so long."""
    return min(LONGEST_AWAY, FRONT_SHARE * took)
