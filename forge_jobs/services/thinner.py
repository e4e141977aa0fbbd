"""Deletes what was measured long ago, and thins out what need not be known in such detail."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from forge_jobs.metrics.tally import SPANS
from forge_jobs.models import DatabaseGauge, JobEvent, MetricBucket, ProcessGauge
from forge_jobs.services.base import Service
from forge_jobs.services.pace import Pace

KEPT: Final = timedelta(days=30)
DETAILED: Final = timedelta(hours=1)
"""For how long the shortest buckets are kept, and gauges that are not the first of a minute."""

BATCH: Final = 1_000
LARGEST_PASS: Final = 10_000
"""How many rows one pass deletes, so that other services have their turn."""


class Thinner(Service):
    """For metrics, gauges and events what the pruner is for jobs."""

    interval = timedelta(minutes=5)

    def __init__(self) -> None:
        self._pace = Pace()
        self._rest = self.interval

    def run_once(self, *, now: datetime) -> int:
        deleted, most = 0, BATCH if self._pace.begin() else LARGEST_PASS
        for rows in outdated(now=now):
            while deleted < most:
                ids = list(rows.order_by("at").values_list("pk", flat=True)[:BATCH])
                if ids:
                    deleted += rows.model._default_manager.filter(pk__in=ids).delete()[0]
                if len(ids) < BATCH:
                    break
        self._rest = self._pace.rest(after=deleted) if deleted >= most else self.interval
        return deleted

    def rest(self, *, now: datetime) -> timedelta:
        return self._rest


def outdated(*, now: datetime) -> Iterator[QuerySet[Any]]:
    """What nobody will look at any more."""
    detailed, kept = now - DETAILED, now - KEPT
    shortest = SPANS[0]
    yield MetricBucket.objects.filter(span_seconds=shortest, is_summed=True, at__lt=detailed)
    for span in SPANS:
        yield MetricBucket.objects.filter(span_seconds=span, at__lt=kept)
    yield ProcessGauge.objects.filter(span_seconds=shortest, at__lt=detailed)
    yield ProcessGauge.objects.filter(at__lt=kept)
    yield DatabaseGauge.objects.filter(at__lt=kept)
    yield JobEvent.objects.filter(at__lt=kept)
