"""One OS process of `runjobs`, so that its claims can be told from others'."""

from __future__ import annotations

from typing import ClassVar, Final

import psutil
from django.db import models
from django.utils.translation import gettext_lazy as _

from forge_jobs.models.base import JobsManager

CLOCK_TICK: Final = 0.1


class Process(models.Model):
    name = models.CharField(_("name"), max_length=200)
    host = models.CharField(_("host"), max_length=255)
    pid = models.PositiveIntegerField(_("process id"))
    seconds_after_boot = models.FloatField(
        _("seconds after boot"),
        help_text=_("When the OS started the process; tells it from a later one of the same pid."),
    )
    started_at = models.DateTimeField(_("started at"))

    objects = JobsManager["Process"]()

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
            return abs(born_after_boot(self.pid) - self.seconds_after_boot) < CLOCK_TICK
        except psutil.Error:
            return False


def born_after_boot(pid: int) -> float:
    """When the OS started a process; unlike its wall-clock time, this stays when clocks step."""
    return psutil.Process(pid).create_time() - psutil.boot_time()
