"""The columns of whatever is measured of jobs: counts, and how long things took."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from forge_jobs.metrics.tally import EMPTY
from forge_jobs.models.base import JobsModel


class Measured(JobsModel):
    """What came of the jobs of one queue and kind in some time that began, or ended, `at`.

    Rows are parts of a sum: there may be any number for the same time, queue and kind. The
    durations are histograms of seconds, as JSON texts.
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
    # Texts, for nothing looks into them; as `jsonb` they would be twice as large, and slow to read.
    run_time = models.TextField(_("run time"), default=EMPTY)
    latency = models.TextField(_("latency"), default=EMPTY, help_text=_("From enqueue to end."))
    wait = models.TextField(_("wait"), default=EMPTY, help_text=_("From due to start."))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} in {self.queue}, {self.at:%Y-%m-%d %H:%M:%S}"
