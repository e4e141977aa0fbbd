"""What is measured of jobs: samples of seconds, and the buckets they are summed up in."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forge_jobs.models.base import JobsManager


class Measured(models.Model):
    """What came of the jobs of one queue and kind in some time that began, or ended, `at`.

    Rows are parts of a sum: there may be any number for the same time, queue and kind.
    """

    at = models.DateTimeField(_("at"))
    queue = models.CharField(_("queue"), max_length=100)
    kind = models.CharField(_("kind"), max_length=200)
    enqueued = models.PositiveIntegerField(_("enqueued"), default=0)
    started = models.PositiveIntegerField(_("started"), default=0)
    succeeded = models.PositiveIntegerField(_("succeeded"), default=0)
    retried = models.PositiveIntegerField(_("retried"), default=0)
    dead = models.PositiveIntegerField(_("dead"), default=0)
    cancelled = models.PositiveIntegerField(_("cancelled"), default=0)
    throttled = models.PositiveIntegerField(_("throttled"), default=0)
    snoozed = models.PositiveIntegerField(_("snoozed"), default=0)
    released = models.PositiveIntegerField(_("released"), default=0)
    run_time = models.JSONField(_("run time"), default=dict)
    latency = models.JSONField(_("latency"), default=dict, help_text=_("From enqueue to end."))
    wait = models.JSONField(_("wait"), default=dict, help_text=_("From due to start."))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} in {self.queue}, {self.at:%Y-%m-%d %H:%M:%S}"


class MetricSample(Measured):
    """What one process saw in the two seconds or so before `at`."""

    objects: ClassVar[JobsManager[Self]] = JobsManager()

    class Meta:
        verbose_name = _("metric sample")
        verbose_name_plural = _("metric samples")
        indexes: ClassVar = [models.Index("at", name="forge_jobs_sample_at")]


class MetricBucket(Measured):
    """What all processes saw in the `span_seconds` from `at` on."""

    span_seconds = models.PositiveSmallIntegerField(_("span in seconds"))
    is_summed = models.BooleanField(
        _("is summed"), default=False, help_text=_("It is part of a bucket of the next span.")
    )

    objects: ClassVar[JobsManager[Self]] = JobsManager()

    class Meta:
        verbose_name = _("metric bucket")
        verbose_name_plural = _("metric buckets")
        indexes: ClassVar = [
            models.Index("span_seconds", "at", name="forge_jobs_bucket_at"),
            models.Index(
                "span_seconds",
                "at",
                name="forge_jobs_bucket_unsummed",
                condition=Q(is_summed=False),
            ),
        ]


class Watermark(models.Model):
    """Up to which of the jobs' ids something has been done, and up to which it may be done next."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    done_id = models.BigIntegerField(_("done up to id"))
    done_at = models.DateTimeField(_("done up to"))
    seen_id = models.BigIntegerField(_("seen up to id"))
    seen_at = models.DateTimeField(_("seen up to"))

    objects: ClassVar[JobsManager[Self]] = JobsManager()

    class Meta:
        verbose_name = _("watermark")
        verbose_name_plural = _("watermarks")

    def __str__(self) -> str:
        return f"{self.name}: {self.done_id}"
