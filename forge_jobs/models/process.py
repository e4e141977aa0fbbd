"""One OS process of `runjobs`: whose claims are whose, and whether it is still there."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forge_jobs import wake
from forge_jobs.conf import conf
from forge_jobs.db.written_once import Later, Moment, UpdateWrittenOnce
from forge_jobs.models.base import JobsModel
from forge_jobs.models.verbs import RowsManager, verb
from forge_jobs.states import ProcessState


class ProcessQuerySet(models.QuerySet["Process"]):
    def live(self, *, now: datetime) -> Self:
        """Those that have not been silent for so long that they count as lost; see `is_live()`."""
        timeout = conf().process_timeout
        return self.heard_of(since=now - timeout, until=now + timeout)

    def heard_of(self, *, since: Moment, until: Moment) -> Self:
        return self.filter(heartbeat_at__range=(since, until))

    def claiming(self, *, now: datetime) -> Self:
        """Of the live ones, those that take jobs: neither quiet nor about to stop."""
        return self.live(now=now).filter(state=ProcessState.RUNNING)

    def make_quiet(self, *, by: str = "") -> int:
        """Ask them to claim nothing more, and to finish what runs; returns how many were asked."""
        return self.exclude(requested_state__in=[ProcessState.QUIET, ProcessState.STOPPING])._ask(
            ProcessState.QUIET, by=by
        )

    def let_claim(self, *, by: str = "") -> int:
        """Ask those that were made quiet to claim again; returns how many were asked."""
        return self.filter(requested_state=ProcessState.QUIET)._ask(ProcessState.RUNNING, by=by)

    def stop(self, *, by: str = "") -> int:
        """Ask them to end in order, as SIGTERM does; returns how many were asked."""
        return self.exclude(requested_state=ProcessState.STOPPING)._ask(
            ProcessState.STOPPING, by=by
        )

    def _ask(self, state: ProcessState, *, by: str) -> int:
        asked = self.update(requested_state=state, requested_by=by)
        if asked:
            wake.on_commit(wake.STOP)
        return asked


class ProcessManager(RowsManager["Process", ProcessQuerySet]):
    rows = ProcessQuerySet

    live = verb(ProcessQuerySet.live)
    heard_of = verb(ProcessQuerySet.heard_of)
    claiming = verb(ProcessQuerySet.claiming)
    make_quiet = verb(ProcessQuerySet.make_quiet)
    let_claim = verb(ProcessQuerySet.let_claim)
    stop = verb(ProcessQuerySet.stop)

    def beat(self, process: Process, *, now: datetime, **facts: Any) -> bool:
        """Say that a process lives, and how it is; False if it has been forgotten."""
        beat = _beat(tuple(facts))
        return bool(beat.carry_out(using=self.db, id=process.pk, heartbeat_at=now, **facts))


class Process(JobsModel):
    name = models.CharField(_("name"), max_length=200)
    host = models.CharField(_("host"), max_length=255)
    pid = models.PositiveIntegerField(_("process id"))
    seconds_after_boot = models.FloatField(
        _("seconds after boot"),
        help_text=_("When the OS started the process; tells it from a later one of the same pid."),
    )
    version = models.CharField(_("version"), max_length=50, db_default="")
    queues = models.JSONField(_("queues"), db_default=models.Value([], models.JSONField()))
    kinds = models.JSONField(_("kinds"), db_default=models.Value([], models.JSONField()))
    timetable = models.CharField(
        _("timetable"),
        max_length=64,
        db_default="",
        help_text=_("The fingerprint of what its code declares of schedules."),
    )
    threads = models.PositiveIntegerField(_("threads"), db_default=0)
    started_at = models.DateTimeField(_("started at"))
    heartbeat_at = models.DateTimeField(_("heartbeat at"), db_default=Now())
    state = models.CharField(
        _("state"),
        max_length=20,
        choices=ProcessState.choices,
        db_default=ProcessState.RUNNING,
    )
    running = models.PositiveIntegerField(_("running jobs"), db_default=0)
    abandoned_threads = models.PositiveIntegerField(_("abandoned threads"), db_default=0)
    rss_bytes = models.PositiveBigIntegerField(_("memory in bytes"), db_default=0)
    requested_state = models.CharField(
        _("requested state"),
        max_length=20,
        choices=ProcessState.choices,
        blank=True,
        db_default="",
        help_text=_("What somebody asked it to be. Empty: nobody has."),
    )
    requested_by = models.CharField(_("requested by"), max_length=200, db_default="")
    trouble = models.TextField(
        _("trouble"), db_default="", help_text=_("What keeps the process from its work.")
    )

    objects: ClassVar[ProcessManager] = ProcessManager()

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        permissions: ClassVar = [("stop_process", _("Can stop processes and make them quiet"))]
        constraints: ClassVar = [
            models.UniqueConstraint("host", "name", name="forge_jobs_process_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_live(self, *, now: datetime) -> bool:
        """Whether it was heard of; a beat from the future is one of a clock that was ahead."""
        return abs(now - self.heartbeat_at) <= conf().process_timeout


@cache
def _beat(facts: tuple[str, ...]) -> UpdateWrittenOnce:
    return UpdateWrittenOnce(
        lambda: Process.objects.filter(pk=Later.of(Process, "id")), ["heartbeat_at", *facts]
    )
