"""How processes and the database are, moment by moment."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from forge_jobs.models.base import JobsManager, JobsModel


class ProcessGauge(JobsModel):
    """One process at one moment.

    `span_seconds` is the longest span (of `SPANS`) of which this is the process's first gauge.
    So rows can be thinned out: those of at least a span are one for each such span.
    """

    at = models.DateTimeField(_("at"))
    span_seconds = models.PositiveSmallIntegerField(_("span in seconds"))
    process_name = models.CharField(_("process"), max_length=200)
    host = models.CharField(_("host"), max_length=255)
    cpu_percent = models.FloatField(_("CPU in percent"), help_text=_("Of one core."))
    rss_bytes = models.BigIntegerField(_("memory in bytes"))
    busy = models.PositiveIntegerField(_("busy threads"))
    threads = models.PositiveIntegerField(_("threads"))
    database_seconds = models.FloatField(
        _("database latency in seconds"), help_text=_("How long its heartbeat took to be stored.")
    )
    connections = models.PositiveIntegerField(_("database connections"))

    objects: ClassVar[JobsManager[Self]] = JobsManager()

    class Meta:
        verbose_name = _("process gauge")
        verbose_name_plural = _("process gauges")
        default_permissions = ()
        indexes: ClassVar = [models.Index("at", name="forge_jobs_process_gauge_at")]

    def __str__(self) -> str:
        return f"{self.process_name}, {self.at:%Y-%m-%d %H:%M:%S}"


class DatabaseGauge(JobsModel):
    """The job database at one moment; what can't be known there is null."""

    at = models.DateTimeField(_("at"))
    size_bytes = models.BigIntegerField(_("size in bytes"), null=True)
    wal_bytes = models.BigIntegerField(_("write-ahead log in bytes"), null=True)
    connections = models.PositiveIntegerField(_("connections"), null=True)
    live_tuples = models.BigIntegerField(_("live job rows"), null=True)
    dead_tuples = models.BigIntegerField(_("dead job rows"), null=True)
    disk_free_bytes = models.BigIntegerField(_("free disk space in bytes"), null=True)

    objects: ClassVar[JobsManager[Self]] = JobsManager()

    class Meta:
        verbose_name = _("database gauge")
        verbose_name_plural = _("database gauges")
        default_permissions = ()
        indexes: ClassVar = [models.Index("at", name="forge_jobs_database_gauge_at")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
