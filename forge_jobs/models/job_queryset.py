"""The verbs of jobs: what can be done to a set of rows."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from forge_jobs.models.running_again import RunningAgain
from forge_jobs.states import State


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
