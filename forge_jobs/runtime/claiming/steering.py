"""What operators and throttles make of the queues, as this process knows it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from forge_jobs import clock
from forge_jobs.backoff import Exponential, RetryPolicy
from forge_jobs.durations import of_seconds
from forge_jobs.models import Queue
from forge_jobs.models.queue import CALM
from forge_jobs.services.base import Service
from forge_jobs.wake import local


class Steering(Service):
    """Reads the rows of the queues that are served here.

    A claim looks for itself whether its queue is open; to know it here as well spares the claim,
    gives back what was prefetched, and wakes the fetcher when a queue opens again.
    """

    interval = timedelta(seconds=0.5)

    def __init__(self, queues: Iterable[str]) -> None:
        self._queues = list(queues)
        self.rows: dict[str, Queue] = {}
        self.closed: frozenset[str] = frozenset()

    def run_once(self, *, now: datetime) -> int:
        self.rows = {row.name: row for row in Queue.objects.filter(name__in=self._queues)}
        return self.pass_time(now=now)

    def pass_time(self, *, now: datetime) -> int:
        """Open and close queues whose rows say so as of now; returns how many."""
        before = self.closed
        self.closed = frozenset(name for name, row in self.rows.items() if not row.is_open(now=now))
        for queue in before ^ self.closed:
            local.ring(queue)
        return len(before ^ self.closed)

    def is_limited(self, queue: str) -> bool:
        row = self.rows.get(queue)
        return row is not None and row.max_workers is not None

    def has_terms(self, queue: str) -> bool:
        """Whether it takes more than a free worker to run a job of its."""
        return self.is_limited(queue) or bool(self.budget_of(queue))

    def limits(self) -> dict[str, int]:
        """How many jobs of each limited queue may run in the whole cluster."""
        return {
            name: row.max_workers for name, row in self.rows.items() if row.max_workers is not None
        }

    def throttle(self, queue: str, *, retry_after: timedelta) -> None:
        """Let a queue cool down, here at once."""
        Queue.objects.throttle(queue, retry_after=retry_after, now=clock.now())
        self.closed |= {queue}

    def calm(self, queues: AbstractSet[str]) -> None:
        """Forget the throttles of queues that have just had a success, if they are long past."""
        now = clock.now()
        for queue in queues:
            row = self.rows.get(queue)
            if (
                row
                and row.throttle_attempts
                and row.throttled_until
                and (row.throttled_until + CALM <= now)
            ):
                Queue.objects.calm(queue, now=now)
                row.throttle_attempts = 0

    def unrestricted(self) -> list[str]:
        """The queues of which nothing but a lack of workers keeps jobs from running."""
        return [
            queue
            for queue in self._queues
            if queue not in self.closed and not self.has_terms(queue)
        ]

    def budget_of(self, queue: str) -> str:
        """The budget of which each of its jobs takes a token; empty if there is none."""
        row = self.rows.get(queue)
        return row.budget if row else ""

    def allows_retries(self, queue: str) -> bool:
        row = self.rows.get(queue)
        return row is None or row.retries

    def retry_of(self, queue: str) -> RetryPolicy | None:
        """The policy that an operator gave the queue, if any."""
        row = self.rows.get(queue)
        if row is None or row.retry_base_seconds is None:
            return None
        base = of_seconds(row.retry_base_seconds)
        cap = of_seconds(row.retry_cap_seconds) if row.retry_cap_seconds else Exponential().cap
        return Exponential(base=min(base, cap), cap=cap)

    def keeps_all_successes(self) -> bool:
        return all(self.keeps_successes(queue) for queue in self._queues)

    def keeps_successes(self, queue: str) -> bool:
        row = self.rows.get(queue)
        return row is None or row.retain_succeeded_seconds != 0
