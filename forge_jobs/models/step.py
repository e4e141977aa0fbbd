"""What runs have stored for those after them, by their jobs: steps, cursors, a checkpoint."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.models.base import JobsManager, JobsModel
from forge_jobs.states import Role, State

if TYPE_CHECKING:
    from forge_jobs.db.rows import ClaimedJob, StepRow
    from forge_jobs.models.job_filters import JobFilters

LONGEST_NAME = 200


class JobStepManager(JobsManager["JobStep"]):
    def of(self, job: int) -> list[StepRow]:
        """What has been stored for a job, the oldest first."""
        from forge_jobs.db.rows import StepRow

        text = Cast("value", TextField())
        rows = self.filter(job_id=job).order_by("pk").values_list("name", "role", text)
        return list(map(StepRow._make, rows))

    def store(self, row: StepRow, *, job: ClaimedJob, process: int) -> bool:
        """Store a row, or store it anew, as long as the claim holds; False if it was lost."""
        with db.connection().cursor() as cursor:
            return db.twin().store_step(
                cursor, process=process, job=job.id, claimed_at=job.claimed_at, row=row
            )

    def moved(self, claims: Collection[tuple[int, datetime]]) -> set[int]:
        """Of jobs and when they were claimed, those whose cursor that very run has moved."""
        cursors = self.filter(job_id__in=[pk for pk, _ in claims], role=Role.CURSOR)
        moved = set(cursors.values_list("job_id", "claimed_at"))
        return {claim[0] for claim in claims if claim in moved}

    def forget(self, jobs: JobFilters) -> None:
        """Forget what was stored for those of the jobs that succeeded; they are locked."""
        done = jobs.filter(state=State.SUCCEEDED).select_for_update(no_key=True)
        self.filter(job_id__in=done.values("pk")).delete()

    def sweep(self, jobs: JobFilters, *, after: int, limit: int) -> int | None:
        """Delete what was stored for others than `jobs`, among so many rows after one.

        Returns the last that it has looked at, None if there was none.
        """
        following = self.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
        if not (keys := list(following[:limit])):
            return None
        within = self.filter(pk__gt=after, pk__lte=keys[-1])
        orphaned = within.filter(~Exists(jobs.filter(pk=OuterRef("job_id"))))
        orphans = list(orphaned.values_list("pk", flat=True))
        if orphans:
            self.filter(pk__in=orphans).delete()
        return keys[-1]


class JobStep(JobsModel):
    """Written by its run alone, and read when a later run asks for it.

    Nothing ties it to its job, so that jobs without any cost nothing when they go.
    """

    job_id = models.BigIntegerField(_("job"))
    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    value = models.JSONField(_("value"))
    at = models.DateTimeField(_("at"))
    claimed_at = models.DateTimeField(
        _("claimed at"), help_text=_("When the run began that stored it, which tells its claim.")
    )

    objects: ClassVar[JobStepManager] = JobStepManager()

    class Meta:
        verbose_name = _("job step")
        verbose_name_plural = _("job steps")
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job_id", "name"], name="forge_jobs_step_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.role} of #{self.job_id}"
