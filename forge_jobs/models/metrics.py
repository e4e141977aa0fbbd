"""What is measured of jobs: samples of seconds, and the buckets they are summed up in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.db.written_once import Later, RowsWrittenOnce
from forge_jobs.metrics.tally import SPANS, Tally, Work, span_start
from forge_jobs.models.base import JobsManager
from forge_jobs.models.measured import Measured
from forge_jobs.models.metric_total import MetricTotal

BATCH: Final = 2_000
"""How many rows are summed up in one transaction."""


class MetricSampleManager(JobsManager["MetricSample"]):
    def store(self, tallies: Mapping[Work, Tally], *, at: datetime) -> int:
        """Store what somebody has counted; returns how many rows that are."""
        samples = [
            MetricSample(at=at, queue=work.queue, kind=work.kind, **tally.columns())
            for work, tally in tallies.items()
        ]
        return len(self.bulk_create(samples))

    def roll(self, *, before: datetime) -> int:
        """Move samples into the shortest buckets, a batch of them; returns how many.

        Each is moved once, whoever else does the same at the same time.
        """
        if not OLD.read(using=self.db, at=before):
            return 0
        old = self.filter(at__lt=before)
        with db.read_committed():
            rows = list(old.order_by("at").select_for_update(skip_locked=True).values()[:BATCH])
            MetricBucket.objects.bulk_create(_summed_up(rows, span=SPANS[0]))
            MetricTotal.objects.add(rows, at=before)
            self.filter(pk__in=[row["id"] for row in rows]).delete()
        return len(rows)


class MetricBucketManager(JobsManager["MetricBucket"]):
    def roll(self, *, span: int, into: int, before: datetime) -> int:
        """Sum buckets of a span up in longer ones, a batch of them; returns how many.

        Each becomes part of one, whoever else does the same at the same time.
        """
        old = self.filter(span_seconds=span, is_summed=False, at__lt=before)
        if not old.exists():
            return 0
        with transaction.atomic(using=db.connection().alias):
            rows = list(old.order_by("at").select_for_update(skip_locked=True).values()[:BATCH])
            self.bulk_create(_summed_up(rows, span=into))
            self.filter(pk__in=[row["id"] for row in rows]).update(is_summed=True)
        return len(rows)


class MetricSample(Measured):
    """What one process saw in the two seconds or so before `at`."""

    objects: ClassVar[MetricSampleManager] = MetricSampleManager()

    class Meta:
        verbose_name = _("metric sample")
        verbose_name_plural = _("metric samples")
        default_permissions = ()
        indexes: ClassVar = [models.Index("at", name="forge_jobs_sample_at")]


class MetricBucket(Measured):
    """What all processes saw in the `span_seconds` from `at` on."""

    span_seconds = models.PositiveSmallIntegerField(_("span in seconds"))
    is_summed = models.BooleanField(
        _("is summed"), default=False, help_text=_("It is part of a bucket of the next span.")
    )

    objects: ClassVar[MetricBucketManager] = MetricBucketManager()

    class Meta:
        verbose_name = _("metric bucket")
        verbose_name_plural = _("metric buckets")
        default_permissions = ()
        indexes: ClassVar = [
            models.Index("span_seconds", "at", name="forge_jobs_bucket_at"),
            models.Index(
                "span_seconds",
                "at",
                name="forge_jobs_bucket_unsummed",
                condition=Q(is_summed=False),
            ),
        ]


OLD: Final = RowsWrittenOnce(
    lambda: MetricSample.objects.filter(at__lt=Later.of(MetricSample, "at")).values_list("pk")[:1]
)


def _summed_up(rows: Iterable[Mapping[str, Any]], *, span: int) -> list[MetricBucket]:
    sums: defaultdict[tuple[datetime, Work], Tally] = defaultdict(Tally)
    for row in rows:
        sums[span_start(row["at"], span), Work(row["queue"], row["kind"])].merge_columns(row)
    return [
        MetricBucket(at=at, queue=work.queue, kind=work.kind, span_seconds=span, **tally.columns())
        for (at, work), tally in sums.items()
    ]
