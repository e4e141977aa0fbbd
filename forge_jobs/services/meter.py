"""Sums up what processes measured, in longer and longer spans, and counts enqueued jobs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final

from forge_jobs import db
from forge_jobs.metrics.tally import SPANS, span_start
from forge_jobs.models import MetricBucket, MetricSample, Watermark
from forge_jobs.models.metrics import BATCH
from forge_jobs.services.base import Service

MOST_BATCHES: Final = 10
"""How many one pass rolls of each span, so that other services have their turn."""


class Meter(Service):
    """A span is summed up once it is over, and as long again for what comes late.

    What comes later still is summed up later, in a bucket of its own.
    """

    interval = timedelta(seconds=10)

    def __init__(self) -> None:
        self._summed_up_to: dict[int, datetime] = {}
        """By span, before when no bucket was left to be part of a longer one."""

    def run_once(self, *, now: datetime) -> int:
        done = db.unless_locked(partial(Watermark.objects.count_enqueued, now=now))
        done += in_batches(partial(MetricSample.objects.roll, before=_over(SPANS[0], now)))
        return done + sum(self._sum_up(*spans, now=now) for spans in pairwise(SPANS))

    def _sum_up(self, span: int, longer: int, *, now: datetime) -> int:
        """Only where another of the longer spans is over: in between nothing is to be done."""
        before = _over(longer, now)
        if self._summed_up_to.get(span) == before:
            return 0
        done = in_batches(partial(MetricBucket.objects.roll, span=span, into=longer, before=before))
        if not done:
            self._summed_up_to[span] = before
        return done


def in_batches(roll: Callable[[], int]) -> int:
    rolled = 0
    for _ in range(MOST_BATCHES):
        batch = db.unless_locked(roll)
        rolled += batch
        if batch < BATCH:
            break
    return rolled


def _over(span: int, now: datetime) -> datetime:
    return span_start(now - timedelta(seconds=span), span)
