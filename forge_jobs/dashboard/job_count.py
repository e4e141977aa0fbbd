"""How many jobs fit a filter, as far as that can be told without reading them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from forge_jobs.dashboard.batch_jobs import BatchJobs
from forge_jobs.dashboard.job_list import COUNTED, JobList
from forge_jobs.dashboard.list_page import JobPage
from forge_jobs.dashboard.totals import Totals

BOUND: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class JobCount:
    """`number` jobs: exactly, or more than that, or so many among the first `looked_through`.

    `counted_at` is when, if that is not just now.
    """

    number: int
    is_more: bool = False
    looked_through: int = 0
    counted_at: datetime | None = None

    @classmethod
    def of(cls, jobs: JobList, page: JobPage, totals: Totals) -> Self | None:
        """None where only the first page knows."""
        selection = jobs.selection
        if selection.ids is not None:
            return cls(number=len(page.jobs))
        if isinstance(jobs, BatchJobs) and not jobs.must_look_to_count:
            number = jobs.count(bound=BOUND)
            return cls(number=min(number, BOUND), is_more=number > BOUND)
        if jobs.must_look_to_count:
            if page.matched is None:
                return None
            if jobs.narrowing is None and page.matched > COUNTED:
                return cls(number=COUNTED, is_more=True)
            return cls(number=page.matched, looked_through=0 if page.is_all else page.looked)
        if selection.since is None and selection.until is None:
            number = totals.of(queue=selection.queue or "", states=selection.states)
            return cls(number=number, counted_at=totals.counted_at)
        number = jobs.count_finished(bound=BOUND)
        return cls(number=min(number, BOUND), is_more=number > BOUND)
