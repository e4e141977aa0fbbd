"""How many jobs there are by queue and state, counted now and then for those who look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final

from django.db import models, transaction
from django.db.models import Min, Sum
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.db.written_once import RowsWrittenOnce
from forge_jobs.models.base import JobsManager, JobsModel
from forge_jobs.states import State


class JobTotalManager(JobsManager["JobTotal"]):
    def retake(self, counts: Mapping[tuple[str, str], int], *, now: datetime) -> int:
        """Replace all totals by what was counted at `now`; returns how many there are."""
        totals = [
            JobTotal(queue=queue, state=state, count=count, counted_at=now)
            for (queue, state), count in counts.items()
        ]
        if not totals and not KEYS.read(using=self.db):
            return 0
        with transaction.atomic(using=db.connection().alias):
            self.all().delete()
            self.bulk_create(totals, ignore_conflicts=True)
        return len(totals)

    def last_count(self) -> tuple[int, datetime | None]:
        """How many jobs there were in all, and when; None if they have not been counted."""
        last = self.aggregate(count=Sum("count"), counted_at=Min("counted_at"))
        return last["count"] or 0, last["counted_at"]


class JobTotal(JobsModel):
    queue = models.CharField(_("queue"), max_length=100)
    state = models.CharField(_("state"), max_length=20, choices=State.choices)
    count = models.PositiveBigIntegerField(_("count"))
    counted_at = models.DateTimeField(_("counted at"))

    objects: ClassVar[JobTotalManager] = JobTotalManager()

    class Meta:
        verbose_name = _("job total")
        verbose_name_plural = _("job totals")
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint("queue", "state", name="forge_jobs_total"),
        ]

    def __str__(self) -> str:
        return f"{self.queue}, {self.state}: {self.count}"


KEYS: Final = RowsWrittenOnce(lambda: JobTotal.objects.values_list("pk")[:1])
