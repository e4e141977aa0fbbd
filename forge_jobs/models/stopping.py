"""What is done to jobs that are to stop, whether they wait or run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from forge_jobs import clock, wake
from forge_jobs.models.in_batches import InBatches, note, storable
from forge_jobs.models.promotion import wake_and_promote
from forge_jobs.states import Event, State
from forge_jobs.wording import LONGEST_MESSAGE, trimmed

if TYPE_CHECKING:
    from forge_jobs.models.job_queryset import JobQuerySet


class Stopping(InBatches):
    def cancel(self, reason: str = "", *, by: str = "", now: datetime | None = None) -> int:
        """Cancel what waits, and ask what runs to stop; returns how many jobs.

        A run that ends well all the same stays a success. `reason` is told to the handler, `by`
        says who asked.
        """
        return self.cancellable()._stop_all(
            lambda jobs: jobs._stop(
                jobs.cancellable(), Event.CANCEL_REQUESTED, reason, by=by, now=now or clock.now()
            )
        )

    def kill(self, reason: str = "", *, by: str = "", now: datetime | None = None) -> int:
        """Cancel what waits, and end what runs; returns how many jobs.

        Their handlers are interrupted by `JobKilled`; threads that do not react are given up.
        """
        return self.killable()._stop_all(
            lambda jobs: jobs._stop(
                jobs.killable(),
                Event.KILL_REQUESTED,
                reason,
                by=by,
                now=now or clock.now(),
                is_to_be_killed=True,
            )
        )

    def _stop_all(self, act: Callable[[JobQuerySet], int]) -> int:
        """What waits comes first, and keys are passed on at last.

        Otherwise jobs would begin that are to be stopped as well.
        """
        freed: set[str] = set()

        def stop(jobs: JobQuerySet) -> int:
            _, keys = jobs.ready().filter(concurrency_slot__isnull=False)._queues_and_keys()
            freed.update(keys)
            return act(jobs)

        stopped = self.exclude(state=State.RUNNING)._in_batches(stop) + self._in_batches(stop)
        wake_and_promote(set(), freed)
        return stopped

    def _stop(
        self, those: Self, event: Event, reason: str, *, by: str, now: datetime, **columns: Any
    ) -> int:
        """In one statement, for a job may be claimed, or end its run, at any moment.

        Those that run are asked to, which is the `event`.
        """
        is_running = Q(state=State.RUNNING)
        with transaction.atomic(using=self.db):
            stopped = those.update(
                state=Case(When(is_running, then=F("state")), default=Value(State.CANCELLED)),
                finished_at=Case(When(is_running, then=F("finished_at")), default=Value(now)),
                concurrency_slot=Case(When(is_running, then=F("concurrency_slot")), default=None),
                cancel_requested_at=now,
                cancel_reason=trimmed(reason, LONGEST_MESSAGE),
                cancelled_by=storable(by),
                **columns,
            )
            if stopped:
                asked = self.filter(cancel_requested_at=now, **columns)
                note(asked.filter(is_running), event, at=now, by=by, detail=reason)
                note(asked.exclude(is_running), Event.CANCELLED, at=now, by=by, detail=reason)
                wake.on_commit(wake.STOP)
        return stopped
