"""Rows of what was measured, with as little said about them as matters."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db.models import Sum

from forge_jobs.metrics.histogram import Histogram
from forge_jobs.metrics.tally import COUNTS
from forge_jobs.models import MetricBucket, MetricSample
from tests.conftest import NOON


def sample(*, at: datetime = NOON, seconds: tuple[float, ...] = (), **columns: Any) -> MetricSample:
    """One process's, with the run times that are given."""
    usual = {"queue": "default", "kind": "app.noop", "run_time": histogram(*seconds)}
    made: MetricSample = MetricSample.objects.create(at=at, **usual | columns)
    return made


def bucket(
    *, at: datetime = NOON, span: int = 60, seconds: tuple[float, ...] = (), **columns: Any
) -> MetricBucket:
    """Of all processes, with the run times that are given."""
    usual = {"queue": "default", "kind": "app.noop", "run_time": histogram(*seconds)}
    made: MetricBucket = MetricBucket.objects.create(at=at, span_seconds=span, **usual | columns)
    return made


def histogram(*seconds: float) -> str:
    made = Histogram()
    for each in seconds:
        made.add(each)
    return made.as_json()


def counted(*columns: str) -> Counter[str]:
    """What has been counted so far, wherever it is by now; only what is not zero."""
    names = columns or COUNTS
    sums = {name: Sum(name) for name in names}
    samples = MetricSample.objects.aggregate(**sums)
    buckets = MetricBucket.objects.filter(is_summed=False).aggregate(**sums)
    return +Counter({name: (samples[name] or 0) + (buckets[name] or 0) for name in names})
