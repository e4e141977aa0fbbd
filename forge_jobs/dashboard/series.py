"""What came of jobs over time, as columns for charts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from django.db.models import Q, Sum

from forge_jobs import db
from forge_jobs.dashboard.window import Window
from forge_jobs.metrics.histogram import Histogram
from forge_jobs.metrics.tally import COUNTS, DURATIONS
from forge_jobs.models import MetricBucket, MetricSample, Watermark

PERCENTS: Final = (50, 95, 99)
Column = list[float | None]


@dataclass(frozen=True)
class Percentiles:
    """Seconds, by percent: at each moment, and over the whole window; None where nothing ended."""

    columns: Mapping[int, Column]
    whole: Mapping[int, float | None]

    @classmethod
    def of(cls, histograms: Iterable[Histogram]) -> Self:
        rows, whole = [], Histogram()
        for histogram in histograms:
            rows.append(histogram.percentiles(PERCENTS))
            whole.merge(histogram)
        columns = zip(*rows, strict=True)
        return cls(
            dict(zip(PERCENTS, map(list, columns), strict=True)),
            dict(zip(PERCENTS, whole.percentiles(PERCENTS), strict=True)),
        )


@dataclass(frozen=True, kw_only=True)
class JobSeries:
    """All columns are as long as `moments`, which are when the steps begin: seconds since 1970.

    `counts` are jobs in each step, by what became of them: `enqueued`, `started`, `succeeded`,
    `retried`, `dead`, `cancelled`, `throttled`, `snoozed`, `released`; `totals` those of the whole
    window. How many were enqueued is known some twenty seconds later, and None until then.
    `durations` are `wait`, from being due to the start; `run_time`, for how long handlers ran; and
    `latency`, from enqueue to the end of a job that succeeded or died.
    """

    moments: list[int]
    step_seconds: int
    counts: Mapping[str, Column]
    totals: Mapping[str, int]
    durations: Mapping[str, Percentiles]

    @classmethod
    def read(
        cls,
        window: Window,
        *,
        queue: str = "",
        kind: str = "",
        durations: Sequence[str] = ("wait", "run_time", "latency"),
    ) -> Self:
        """Of one queue or kind, or of all."""
        with db.connection().cursor() as cursor:
            rows = db.twin().measured(
                cursor, grid=window.grid, span=window.span, queue=queue, kind=kind
            )
        counts = {name: [0] * window.points for name in COUNTS}
        texts = {name: [""] * window.points for name in DURATIONS}
        every: list[list[Any]] = [*counts.values(), *texts.values()]
        for place, *values in rows:
            for column, value in zip(every, values, strict=True):
                column[place] = value
        columns: dict[str, Column] = {name: list(column) for name, column in counts.items()}
        columns["enqueued"] = _known(window, counts["enqueued"])
        return cls(
            moments=window.moments,
            step_seconds=window.step,
            counts=columns,
            totals={name: sum(column) for name, column in counts.items()},
            durations={
                name: Percentiles.of(map(Histogram.from_json, texts[name])) for name in durations
            },
        )


def finished_by_queue(window: Window, *, queues: Collection[str]) -> dict[str, list[int]]:
    """How many jobs of each succeeded or died in each step: small charts for all at once."""
    fitting = Q(span_seconds=window.span) | Q(span_seconds__lt=window.span, is_summed=False)
    within = Q(at__gte=window.start, at__lt=window.end, queue__in=queues)
    finished = Sum("succeeded") + Sum("dead")
    rows = MetricBucket.objects.filter(fitting, within).values_list("at", "queue")
    samples = MetricSample.objects.filter(within).values_list("at", "queue")
    columns: defaultdict[str, list[int]] = defaultdict(lambda: [0] * window.points)
    for at, queue, count in rows.annotate(count=finished).union(
        samples.annotate(count=finished), all=True
    ):
        columns[queue][window.place(at)] += count
    return dict(columns)


def _known(window: Window, column: list[int]) -> Column:
    """The steps in which all that were enqueued have been counted, or some at least."""
    mark = Watermark.objects.first()
    if mark is None:
        return list(column)
    known = mark.done_at.timestamp()
    return [
        count if count or moment + window.step <= known else None
        for moment, count in zip(window.moments, column, strict=True)
    ]
