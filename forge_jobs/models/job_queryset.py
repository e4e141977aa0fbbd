"""The verbs of jobs: what can be done to a set of rows."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db.models import F, Q

from forge_jobs import db
from forge_jobs.models.running_again import RunningAgain
from forge_jobs.states import State


class Ending(NamedTuple):
    """The place of a job among others that ended in the same state."""

    finished_at: datetime
    id: int


class JobQuerySet(RunningAgain):
    def release(self, *, now: datetime) -> int:
        """Give running jobs back unfinished, with their attempt; returns how many.

        Those that somebody asked to stop are cancelled, and completed ones have succeeded.
        """
        ended = (
            self.running()
            .completed()
            .update(state=State.SUCCEEDED, process=None, concurrency_slot=None)
        )
        cancelled = self.running().filter(cancel_requested_at__isnull=False)
        ended += cancelled.update(
            state=State.CANCELLED, process=None, concurrency_slot=None, finished_at=now
        )
        return ended + self.running().update(
            state=State.READY, process=None, attempt=F("attempt") - 1, started_at=None
        )

    def purge(self) -> int:
        """Delete finished jobs; returns how many.

        Those are kept that an unfinished job comes after, or that are in a batch without an end.
        """
        return self.finished()._in_batches(
            lambda jobs: jobs.finished().unneeded()._raw_delete(jobs.db)
        )

    def purge_next(self, size: int, *, after: Ending | None) -> tuple[int, Ending | None]:
        """The same of so many that ended next, in one statement; all of one queue and one state.

        Returns how many are gone, and the last that was looked at, None if there are no more.
        """
        jobs = self.order_by("finished_at", "id")
        if after is not None:
            is_tied = Q(finished_at=after.finished_at, id__lte=after.id)
            jobs = jobs.filter(~is_tied, finished_at__gte=after.finished_at)
        last = list(jobs.values_list("finished_at", "id")[size - 1 : size])
        chosen = self.model._default_manager.using(self.db).filter(pk__in=jobs.values("pk")[:size])
        old = chosen.finished().unneeded()
        pruned = db.unless_locked(partial(old._raw_delete, self.db))
        return pruned, Ending(*last[0]) if last else None
