"""What happened to a job, when, and who did it: the timeline of its life."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.models.base import JobsManager, JobsModel
from forge_jobs.states import Event

if TYPE_CHECKING:
    from forge_jobs.db.observed import EventRow


class JobEventManager(JobsManager["JobEvent"]):
    def write(self, rows: Sequence[EventRow]) -> int:
        """Store events, as plain rows, for there may be hundreds a second; returns how many."""
        if rows:
            with db.connection().cursor() as cursor:
                db.twin().insert_events(cursor, rows)
        return len(rows)

    def note(
        self, jobs: Iterable[int], event: Event, *, at: datetime, by: str = "", detail: str = ""
    ) -> None:
        """Write down the same of some jobs, by their ids."""
        from forge_jobs.db.observed import EventRow

        self.write([EventRow(pk, at, event, by=by, detail=detail) for pk in jobs])


class JobEvent(JobsModel):
    """Written in batches, soon after it happened.

    Ordinary events of very many jobs are left out in part; what went wrong, and what people did,
    is all there. A job may be gone before its events.
    """

    job_id = models.BigIntegerField(_("job"))
    at = models.DateTimeField(_("at"))
    event = models.CharField(_("event"), max_length=20, choices=Event.choices)
    attempt = models.IntegerField(_("attempt"), null=True)
    process_name = models.CharField(_("process"), max_length=200, default="")
    seconds = models.FloatField(
        _("seconds"), null=True, help_text=_("How long the run took that ended with it.")
    )
    by = models.CharField(_("by"), max_length=200, default="")
    detail = models.TextField(_("detail"), default="")

    objects: ClassVar[JobEventManager] = JobEventManager()

    class Meta:
        verbose_name = _("job event")
        verbose_name_plural = _("job events")
        default_permissions = ()
        indexes: ClassVar = [
            models.Index("job_id", "id", name="forge_jobs_event_job"),
            models.Index("at", name="forge_jobs_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event} #{self.job_id}"
