"""The jobs of one batch, by the index that has them state by state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from forge_jobs.dashboard.job_list import JobList
from forge_jobs.dashboard.order import Order
from forge_jobs.models import Job
from forge_jobs.models.base import Constant
from forge_jobs.operations.selection import Selection, moment_of

BY_STATE: Final = Order(("state", "id"))
OLDEST: Final = Order(("id",))


def listed(selection: Selection, *, now: datetime) -> JobList:
    is_of_batch = selection.batch is not None and selection.ids is None
    return (BatchJobs if is_of_batch else JobList)(selection=selection, now=now)


@dataclass(frozen=True, kw_only=True)
class BatchJobs(JobList):
    @property
    def order(self) -> Order:
        return BY_STATE if self.state is None else OLDEST

    @property
    def narrowing(self) -> Q | None:
        fits = replace(self.selection, batch=None).words
        fits &= self.selection.aged(moment_of(self.state or ""), now=self.now)
        if self.selection.queue is not None:
            fits &= Q(queue=self.selection.queue)
        return fits or None

    @property
    def must_look_to_count(self) -> bool:
        return self.narrowing is not None

    def count(self, *, bound: int) -> int:
        """How many there are, but no more than just above a bound."""
        return int(self._jobs()[: bound + 1].count())

    @property
    def _of_kind(self) -> Q | None:
        return None

    @property
    def _is_of_many(self) -> bool:
        return False

    @property
    def _within(self) -> Q:
        return Q()

    def _jobs(self) -> Any:
        jobs = Job.objects.filter(batch=self.selection.batch)
        return jobs if self.state is None else jobs.filter(state=Constant(self.state))
