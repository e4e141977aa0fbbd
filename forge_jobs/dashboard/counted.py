"""What has been counted since counting began, for programs that compare one look with the next."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from django.db.models import Value

from forge_jobs.metrics.histogram import Histogram
from forge_jobs.metrics.tally import COUNTS, EMPTY, Work
from forge_jobs.models import MetricSample, MetricTotal
from forge_jobs.models.metric_total import MOST, OTHER

COLUMNS: Final = ("is_summed", "queue", "kind", "run_time", "wait", "latency", *COUNTS)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """No count falls from one look to a later one, whichever process looks.

    `counts` and `run_times` are of as many pairs of a queue and a kind as there is room for, with
    each queue's further kinds under `OTHER`; `waits` and `latencies` are of all of a queue's jobs.
    """

    counts: Mapping[Work, Counter[str]]
    run_times: Mapping[Work, Histogram]
    waits: Mapping[str, Histogram]
    latencies: Mapping[str, Histogram]

    @classmethod
    def read(cls) -> Self:
        totals: Any = MetricTotal.objects.annotate(is_summed=Value(1)).values_list(*COLUMNS)
        samples: Any = MetricSample.objects.annotate(is_summed=Value(0)).values_list(*COLUMNS)
        # One statement: between two, a sample could be summed up, and be seen twice or not at all.
        rows = sorted(totals.union(samples, all=True), key=lambda row: row[1:3])
        told = _told(rows)
        counts: defaultdict[Work, Counter[str]] = defaultdict(Counter)
        run_times, waits, latencies = (defaultdict[Any, list[str]](list) for _ in range(3))
        for _, queue, kind, run_time, wait, latency, *numbers in rows:
            waits[queue].append(wait)
            latencies[queue].append(latency)
            if (work := Work(queue, kind)) in told:
                run_times[work].append(run_time)
                of_work = counts[work]
                for name, number in zip(COUNTS, numbers, strict=True):
                    of_work[name] += number
        return cls(
            counts=counts,
            run_times=_merged(run_times),
            waits=_merged(waits),
            latencies=_merged(latencies),
        )


def _told(rows: Sequence[tuple[Any, ...]]) -> set[Work]:
    """Where there is no room for all that is new, some of it will be counted under `OTHER`.

    So it must not have been told before.
    """
    works = {Work(queue, kind) for _, queue, kind, *_ in rows}
    if len([work for work in works if work.kind != OTHER]) <= MOST:
        return works
    return {Work(queue, kind) for is_summed, queue, kind, *_ in rows if is_summed}


def _merged(texts: Mapping[Any, Sequence[str]]) -> dict[Any, Histogram]:
    return {
        whose: Histogram.from_json(",".join(text for text in of_one if text != EMPTY))
        for whose, of_one in texts.items()
    }
