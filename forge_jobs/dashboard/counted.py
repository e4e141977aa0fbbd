"""What has been counted since counting began, for programs that compare one look with the next."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Value

from forge_jobs.metrics.tally import COUNTS, DURATIONS, Tally, Work, tallied
from forge_jobs.models import MetricSample, MetricTotal
from forge_jobs.models.metric_total import MOST, OTHER

COLUMNS: Final = ("queue", "kind", *COUNTS, *DURATIONS)


def counted() -> dict[Work, Tally]:
    """By queue and kind, of as many as there is room for; of further kinds under `OTHER`.

    No count falls from one look to a later one, whichever process looks. So what was measured of
    kinds that have no total yet is told only if each of them is sure to get one of its own.
    """
    totals: Any = MetricTotal.objects.annotate(is_summed=Value(1)).values("is_summed", *COLUMNS)
    samples: Any = MetricSample.objects.annotate(is_summed=Value(0)).values("is_summed", *COLUMNS)
    # One statement, for between two a sample could be summed up, and be seen twice or not at all.
    rows = list(totals.union(samples, all=True))
    summed = {Work(row["queue"], row["kind"]) for row in rows if row["is_summed"]}
    found = tallied(rows)
    own = {work for work in found if work.kind != OTHER}
    if len(own) <= MOST:
        return found
    return {work: tally for work, tally in found.items() if work in summed}
