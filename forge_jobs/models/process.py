"""One OS process of `runjobs`, so that its claims can be told from others'."""

from __future__ import annotations

from typing import ClassVar, Self

import psutil
from django.db import models
from django.utils.translation import gettext_lazy as _

from forge_jobs.models.base import JobsManager


class ProcessQuerySet(models.QuerySet["Process"]):
    def on(self, host: str) -> Self:
        return self.filter(host=host)


class Process(models.Model):
    name = models.CharField(_("name"), max_length=200)
    host = models.CharField(_("host"), max_length=255)
    pid = models.PositiveIntegerField(_("process id"))
    born_at = models.FloatField(
        _("born at"), help_text=_("The OS's start time of the pid, which tells reuse of the pid.")
    )
    started_at = models.DateTimeField(_("started at"))

    objects = JobsManager.from_queryset(ProcessQuerySet)()

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        constraints: ClassVar = [
            models.UniqueConstraint("host", "name", name="forge_jobs_process_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_alive(self) -> bool:
        """Whether the OS process still exists; only its own host can tell."""
        try:
            return bool(psutil.Process(self.pid).create_time() == self.born_at)
        except psutil.Error:
            return False
