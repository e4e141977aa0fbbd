"""A set of jobs that ends as one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock, db
from forge_jobs.exceptions import BatchFailed
from forge_jobs.models import joining
from forge_jobs.models.base import JobsModel
from forge_jobs.models.job_filters import GIVEN_UP
from forge_jobs.models.promotion import follow_on_commit
from forge_jobs.models.verbs import RowsManager, verb
from forge_jobs.states import BatchState, State

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from forge_jobs.models.job import Job
    from forge_jobs.models.job_queryset import JobQuerySet


class BatchQuerySet(models.QuerySet["Batch"]):
    def unended(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def deserted(self) -> Self:
        """Those that have no job and no part, and that nothing comes after."""
        return self.filter(jobs__isnull=True, children__isnull=True, links__isnull=True)

    def forgotten(self, *, now: datetime) -> Self:
        """Those that whoever opened them should have sealed by now."""
        return self.filter(state=BatchState.OPEN, expires_at__lte=now)

    def lock_free_ones(self) -> list[int]:
        """Lock those that nobody has locked; returns their ids."""
        rows = self.order_by("pk").select_for_update(skip_locked=True)
        return list(rows.values_list("pk", flat=True))

    def lock(self) -> list[int]:
        """Lock them until the current transaction ends; returns their ids."""
        return list(self.order_by("pk").select_for_update().values_list("pk", flat=True))


class BatchManager(RowsManager["Batch", BatchQuerySet]):
    rows = BatchQuerySet

    unended = verb(BatchQuerySet.unended)
    deserted = verb(BatchQuerySet.deserted)
    forgotten = verb(BatchQuerySet.forgotten)

    def reopen(self, batches: Collection[int]) -> set[int]:
        """Let these, which ended, and those that they are part of, end once more; returns them."""
        reopened = self.with_ancestors(batches)
        self.filter(pk__in=reopened, ended_at__isnull=False).update(
            state=BatchState.SEALED, ended_at=None, counts=None
        )
        return reopened

    def with_ancestors(self, batches: Collection[int]) -> set[int]:
        """These, and those that they are part of."""
        return _closure(
            batches,
            lambda pks: self.filter(pk__in=pks, parent__isnull=False).values_list(
                "parent_id", flat=True
            ),
        )

    def with_descendants(self, batches: Collection[int]) -> set[int]:
        """These, and those that are part of them."""
        return _closure(
            batches, lambda pks: self.filter(parent__in=pks).values_list("pk", flat=True)
        )


def _closure(batches: Collection[int], following: Callable[[set[int]], Iterable[int]]) -> set[int]:
    found: set[int] = set()
    while batches := set(batches) - found:
        found |= batches
        batches = set(following(batches))
    return found


class Batch(JobsModel):
    name = models.CharField(_("name"), max_length=200)
    state = models.CharField(
        _("state"), max_length=10, choices=BatchState.choices, default=BatchState.OPEN
    )
    opened_at = models.DateTimeField(_("opened at"), db_default=Now())
    sealed_at = models.DateTimeField(_("sealed at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    expires_at = models.DateTimeField(
        _("expires at"), null=True, help_text=_("Then it is sealed and cancelled, if it is open.")
    )
    parent = models.ForeignKey(
        "self",
        verbose_name=_("part of"),
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="children",
    )
    counts = models.JSONField(
        _("counts"), null=True, help_text=_("How many jobs ended in which state, at the end.")
    )

    is_of_this_job: bool = False
    """Set by `ctx.batch`: whoever has it is one of its jobs, for which it stays open."""

    objects: ClassVar[BatchManager] = BatchManager()

    if TYPE_CHECKING:
        jobs: RelatedManager[Job]
        children: RelatedManager[Batch]
        parent_id: int | None

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes: ClassVar = [
            models.Index(
                "state", "id", name="forge_jobs_batch_unended", condition=Q(ended_at__isnull=True)
            ),
            models.Index(
                "parent", name="forge_jobs_batch_parent", condition=Q(parent__isnull=False)
            ),
            models.Index("ended_at", name="forge_jobs_batch_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None

    def all_jobs(self) -> JobQuerySet:
        """Its own jobs, and those of the batches that are part of it."""
        from forge_jobs.models.job import Job

        return Job.objects.filter(batch__in=Batch.objects.with_descendants([self.pk]))

    def seal(self, *, now: datetime | None = None) -> bool:
        """Say that it is complete, so that it may end; False if that was said before.

        Of a sealed batch only its own jobs may add others, by `ctx.batch`. Raises
        `Batch.DoesNotExist` if it was deleted.
        """
        is_ours = Batch.objects.filter(pk=self.pk, state=BatchState.OPEN)
        changed = is_ours.update(state=BatchState.SEALED, sealed_at=now or clock.now())
        if changed:
            follow_on_commit(batches=[self.pk])
        self._read_anew()
        return bool(changed)

    def cancel(self, reason: str = "", *, by: str = "", now: datetime | None = None) -> int:
        """Seal it with its parts, and cancel all jobs that have not ended; returns how many.

        It ends once those that run have come to their end. Raises `Batch.DoesNotExist` if it was
        deleted.
        """
        self.seal(now=now)
        while open_parts := self._open_parts():  # while one is sealed, it may get one more itself
            for part in open_parts:
                with suppress(Batch.DoesNotExist):
                    part.seal(now=now)
        return self.all_jobs().cancel(reason, by=by, now=now)

    def _open_parts(self) -> list[Batch]:
        within = Batch.objects.with_descendants([self.pk])
        return list(Batch.objects.filter(pk__in=within, state=BatchState.OPEN).order_by("pk"))

    def join(self, timeout: timedelta | float | None = None) -> dict[str, int]:
        """Wait for its end; returns how many jobs ended in which state.

        Raises `BatchFailed`, `TimeoutError` after so many seconds, or `CantWait`.
        """
        return self._as_joined(joining.join(self._look, what=f"batch {self}", timeout=timeout))

    async def ajoin(self, timeout: timedelta | float | None = None) -> dict[str, int]:
        joined = await joining.ajoin(self._look, what=f"batch {self}", timeout=timeout)
        return self._as_joined(joined)

    def _read_anew(self) -> None:
        try:
            self.refresh_from_db(using=db.connection().alias)
        except Batch.DoesNotExist:
            raise Batch.DoesNotExist(
                f"Batch {self} is gone: it was deleted. Open another with open_batch()."
            ) from None

    def _look(self) -> dict[str, int] | None:
        self.refresh_from_db(using=db.connection().alias)
        return self.counts if self.ended_at else None

    def _as_joined(self, counts: dict[str, int]) -> dict[str, int]:
        if self.state == BatchState.FAILED:
            raise BatchFailed(self)
        return counts

    def requeue(self, *, by: str = "", now: datetime | None = None) -> int:
        """Let those of its jobs run again that are dead or were cancelled; returns how many.

        What only came after them, and was cancelled for that, goes on when they succeed.
        """
        return self.failed_jobs().requeue(by=by, now=now)

    def failed_jobs(self) -> JobQuerySet:
        """Of all its jobs those that are dead or were cancelled, but not for another's sake."""
        ended = self.all_jobs().filter(state__in=[State.DEAD, State.CANCELLED])
        return ended.exclude(GIVEN_UP)
