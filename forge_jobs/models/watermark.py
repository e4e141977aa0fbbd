"""How far the enqueued jobs have been counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import models, transaction
from django.db.models import Subquery
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock, db
from forge_jobs.db.by_key import ByKey
from forge_jobs.db.written_once import Later, UpdateWrittenOnce
from forge_jobs.models.base import JobsManager, JobsModel
from forge_jobs.models.job import Job
from forge_jobs.models.metrics import MetricSample

ENQUEUED: Final = "enqueued"

PATIENCE: Final = timedelta(seconds=10)
"""For how long a transaction may hold back a job that has its id already."""


class WatermarkManager(JobsManager["Watermark"]):
    def counted_up_to(self) -> int:
        """The id up to which enqueued jobs have been counted; 0 if none have been yet."""
        return self.filter(name=ENQUEUED).values_list("done_id", flat=True).first() or 0

    def count_enqueued(self, *, now: datetime) -> int:
        """Count jobs that were there the last time; what is newer may not be all there yet.

        Each is counted once, whoever else counts at the same time. Returns how many.
        """
        mark = MARK.get(ENQUEUED, using=self.db)
        if mark is None:
            newest = _newest_jobs().values_list("pk", flat=True).first() or 0
            first = Watermark(
                name=ENQUEUED, done_id=newest, done_at=now, seen_id=newest, seen_at=now
            )
            self.bulk_create([first], ignore_conflicts=True)
            return 0
        if -clock.AHEAD < now - mark.seen_at < PATIENCE:
            return 0
        samples = mark.samples()
        with transaction.atomic(using=db.connection().alias):
            if not self._move(mark, now=now):
                return 0
            MetricSample.objects.bulk_create(samples)
        return sum(sample.enqueued for sample in samples)

    def _move(self, mark: Watermark, *, now: datetime) -> bool:
        """Unless somebody else has, meanwhile."""
        before = {"id": mark.pk, "was_done_id": mark.done_id, "was_seen_at": mark.seen_at}
        newest: int = getattr(mark, "newest") or 0  # noqa: B009 - annotated
        moved = MOVE.carry_out(
            using=self.db,
            done_id=mark.seen_id,
            done_at=mark.seen_at,
            seen_id=max(newest, mark.seen_id),
            seen_at=now,
            **before,
        )
        return bool(moved)


class Watermark(JobsModel):
    """Up to which id jobs have been counted, and up to which they can be the next time."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    done_id = models.BigIntegerField(_("done up to id"))
    done_at = models.DateTimeField(_("done up to"))
    seen_id = models.BigIntegerField(_("seen up to id"))
    seen_at = models.DateTimeField(_("seen up to"))

    objects: ClassVar[WatermarkManager] = WatermarkManager()

    class Meta:
        verbose_name = _("watermark")
        verbose_name_plural = _("watermarks")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.done_id}"

    def samples(self) -> list[MetricSample]:
        """What is to be counted next."""
        if self.seen_id <= self.done_id:
            return []
        with db.connection().cursor() as cursor:
            counts = db.twin().count_enqueued(cursor, after=self.done_id, up_to=self.seen_id)
        return [
            MetricSample(at=one.at, queue=one.queue, kind=one.kind, enqueued=one.jobs)
            for one in counts
        ]


def _newest_jobs() -> models.QuerySet[Job]:
    return Job.objects.order_by("-pk")[:1]


MARK: Final = ByKey(
    lambda using, name: (
        Watermark.objects.using(using)
        .filter(name=name)
        .annotate(newest=Subquery(_newest_jobs().values("pk")))
    ),
    lambda: Watermark._meta.get_field("name"),
)
MOVE: Final = UpdateWrittenOnce(
    lambda: Watermark.objects.filter(
        pk=Later.of(Watermark, "id"),
        done_id=Later.of(Watermark, "done_id", name="was_done_id"),
        seen_at=Later.of(Watermark, "seen_at", name="was_seen_at"),
    ),
    ["done_id", "done_at", "seen_id", "seen_at"],
)
