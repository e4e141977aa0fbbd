"""The children that processes have, for whoever looks on, and why earlier ones are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.models.base import JobsManager, JobsModel
from forge_jobs.models.job import Job
from forge_jobs.models.process import Process
from forge_jobs.states import ChildEnd


class ChildManager(JobsManager["Child"]):
    def keep(self, children: Iterable[Child], *, process: Process) -> int:
        """Store these as all that a process has; returns how many those are."""
        children = list(children)
        with db.read_committed():
            others = self.filter(process=process)
            others.exclude(pid__in=[child.pid for child in children]).delete()
            self.bulk_create(
                children,
                update_conflicts=True,
                update_fields=["kind", "jobs_done", "rss_bytes", "job_id"],
                unique_fields=["process", "pid"],
            )
        return len(children)

    def of(self, job: Job) -> Child | None:
        """The one that runs a job, as far as is known."""
        running = {"process": job.process_id, "job_id": job.pk}
        return self.filter(**running).first() if job.process_id else None


class Child(JobsModel):
    """As it was a few seconds ago; forgotten with its process."""

    # No constraint: a process of the release before knows nothing of it, and forgets processes.
    process = models.ForeignKey(
        Process,
        verbose_name=_("process"),
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="children",
    )
    kind = models.CharField(_("kind"), max_length=200)
    pid = models.PositiveIntegerField(_("process id"))
    jobs_done = models.PositiveBigIntegerField(_("jobs done"))
    rss_bytes = models.PositiveBigIntegerField(_("memory in bytes"))
    job_id = models.BigIntegerField(_("job"), null=True, help_text=_("Which it runs."))

    objects: ClassVar[ChildManager] = ChildManager()

    class Meta:
        verbose_name = _("child")
        verbose_name_plural = _("children")
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["process", "pid"], name="forge_jobs_child_pid"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}, pid {self.pid}"


class ChildRestartManager(JobsManager["ChildRestart"]):
    def add(self, counts: Mapping[tuple[str, ChildEnd], int], *, now: datetime) -> int:
        """Count children that ended, by kind and reason; returns for how many pairs."""
        with db.read_committed():
            for (kind, reason), times in sorted(counts.items()):
                row = self.filter(kind=kind, reason=reason)
                more = {"times": F("times") + times, "last_at": now}
                if not row.update(**more):
                    new = ChildRestart(kind=kind, reason=reason, times=0, last_at=now)
                    self.bulk_create([new], ignore_conflicts=True)
                    row.update(**more)
        return len(counts)


class ChildRestart(JobsModel):
    """How many children of a kind have made way, ever, for one reason."""

    kind = models.CharField(_("kind"), max_length=200)
    reason = models.CharField(_("reason"), max_length=20, choices=ChildEnd.choices)
    times = models.PositiveBigIntegerField(_("times"))
    last_at = models.DateTimeField(_("last at"))

    objects: ClassVar[ChildRestartManager] = ChildRestartManager()

    class Meta:
        verbose_name = _("child restart")
        verbose_name_plural = _("child restarts")
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "reason"], name="forge_jobs_child_restart"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.times} {self.reason}"
