"""Which part of a queue's `max_workers` each process may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.models.base import JobsManager, JobsModel
from forge_jobs.models.process import Process


class SlotAssignmentManager(JobsManager["SlotAssignment"]):
    def assign(self, queue: str, shares: Mapping[int, int]) -> int:
        """Give each process (by its key) its share of a queue, and nothing to any other.

        Returns how many shares changed.
        """
        ours = self.filter(queue=queue)
        before = dict(ours.values_list("process_id", "slots"))
        changed = {pk: slots for pk, slots in shares.items() if before.get(pk) != slots}
        gone = before.keys() - shares.keys()
        if changed or gone:
            with transaction.atomic(using=db.connection().alias):
                ours.filter(process__in=[*gone, *changed]).delete()
                self.bulk_create(
                    [
                        SlotAssignment(queue=queue, process_id=pk, slots=slots)
                        for pk, slots in changed.items()
                    ],
                    ignore_conflicts=True,
                )
        return len(changed) + len(gone)


class SlotAssignment(JobsModel):
    queue = models.CharField(_("queue"), max_length=100)
    process = models.ForeignKey(
        Process,
        verbose_name=_("process"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="slot_assignments",
    )
    slots = models.PositiveIntegerField(_("slots"))

    objects: ClassVar[SlotAssignmentManager] = SlotAssignmentManager()

    class Meta:
        verbose_name = _("slot assignment")
        verbose_name_plural = _("slot assignments")
        constraints: ClassVar = [
            models.UniqueConstraint("queue", "process", name="forge_jobs_slots_of_process"),
        ]

    def __str__(self) -> str:
        return f"{self.queue}: {self.slots}"
