"""What has been counted since counting began, for programs that compare one look with the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from django.db.models import Value

from forge_jobs.metrics.tally import COUNTS, DURATIONS, Tally, Work, tallied
from forge_jobs.models import MetricSample, MetricTotal
from forge_jobs.models.metric_total import MOST, OTHER

COLUMNS: Final = ("is_summed", "queue", "kind", *COUNTS, *DURATIONS)


@dataclass(frozen=True)
class Counted:
    """Of as many pairs of a queue and a kind as there is room for, of a queue's further kinds
    under `OTHER`; and of each queue as a whole.

    No count falls from one look to a later one, whichever process looks.
    """

    by_work: Mapping[Work, Tally]
    by_queue: Mapping[str, Tally]

    @classmethod
    def read(cls) -> Self:
        totals: Any = MetricTotal.objects.annotate(is_summed=Value(1)).values(*COLUMNS)
        samples: Any = MetricSample.objects.annotate(is_summed=Value(0)).values(*COLUMNS)
        # One statement: between two, a sample could be summed up, and be seen twice or not at all.
        rows = list(totals.union(samples, all=True))
        by_work = tallied(rows)
        by_queue: defaultdict[str, Tally] = defaultdict(Tally)
        for work, tally in by_work.items():
            by_queue[work.queue].merge(tally)
        if len([work for work in by_work if work.kind != OTHER]) > MOST:
            # Some of what is new will be counted under `OTHER`, and must not have been told before.
            summed = {Work(row["queue"], row["kind"]) for row in rows if row["is_summed"]}
            by_work = {work: by_work[work] for work in by_work if work in summed}
        return cls(by_work, by_queue)
