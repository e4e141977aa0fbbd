"""What jobs come after: a gate for those enqueued together, a row for each predecessor."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.models.base import JobsModel, constants
from forge_jobs.models.batch import Batch
from forge_jobs.models.verbs import RowsManager, verb
from forge_jobs.states import UNFINISHED, BatchState, GateState, Needs, State

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from forge_jobs.models.job import Job

SLICE: Final = 5_000
"""SQLite takes some 32,000 values in a statement, and thousands of gates may be behind one job."""

HAS_FAILED = Q(needs=Needs.SUCCESS) & (
    Q(job__state__in=[State.DEAD, State.CANCELLED]) | Q(batch__state=BatchState.FAILED)
)
CANT_FAIL = Q(needs=Needs.FAILURE) & (
    Q(job__state=State.SUCCEEDED)
    | Q(job_id__isnull=False, job__state__isnull=True)
    | Q(batch__state=BatchState.SUCCEEDED)
)
IS_UNFINISHED = Q(job__state__in=UNFINISHED) | Q(
    batch__state__in=[BatchState.OPEN, BatchState.SEALED]
)
"""A predecessor that has been deleted meanwhile counts as one that ended well."""


class GateQuerySet(models.QuerySet["Gate"]):
    def closed(self) -> Self:
        return self.filter(state__in=constants([GateState.CLOSED]))

    def due(self) -> Self:
        """Closed ones, though all predecessors ended as they should."""
        return self.closed().filter(~Exists(Predecessor.objects.of_gate().unmet()))

    def hopeless(self) -> Self:
        """Closed ones, though a predecessor ended as it should not."""
        return self.closed().filter(Exists(Predecessor.objects.of_gate().failed()))

    def undone(self) -> Self:
        """Decided ones of which jobs may not have been told."""
        return self.filter(is_done=False).exclude(state=GateState.CLOSED)

    def abandoned(self) -> Self:
        """Those that no job has any more."""
        return self.filter(is_done=True, jobs__isnull=True)

    def lock_free_ones(self) -> list[int]:
        """Lock those that nobody has locked; returns their ids."""
        rows = self.order_by("pk").select_for_update(skip_locked=True)
        return list(rows.values_list("pk", flat=True))

    def lock(self) -> list[int]:
        """Lock them until the current transaction ends; returns their ids."""
        return list(self.order_by("pk").select_for_update().values_list("pk", flat=True))


class GateManager(RowsManager["Gate", GateQuerySet]):
    rows = GateQuerySet

    closed = verb(GateQuerySet.closed)
    due = verb(GateQuerySet.due)
    hopeless = verb(GateQuerySet.hopeless)
    undone = verb(GateQuerySet.undone)
    abandoned = verb(GateQuerySet.abandoned)

    def behind(self, *, jobs: Collection[int] = (), batches: Collection[int] = ()) -> set[int]:
        """The gates that have one of these predecessors."""
        found: set[int] = set()
        if jobs:
            with db.connection().cursor() as cursor:
                found |= db.twin().gates_behind(cursor, jobs)
        if batches:
            behind = Predecessor.objects.filter(batch__in=batches)
            found.update(behind.values_list("gate_id", flat=True))
        return found

    def close(self, gates: Collection[int]) -> list[int]:
        """Let those of these be judged anew that are broken; returns all that are closed then."""
        closed: list[int] = []
        for among in self._in_slices(gates):
            among.lock()  # who decides about them at this moment goes by what was before
            among.filter(state=GateState.BROKEN).update(
                state=GateState.CLOSED, reason="", is_done=False
            )
            closed += among.closed().values_list("pk", flat=True)
        return closed

    def lock(self, gates: Collection[int]) -> None:
        """Lock these until the current transaction ends."""
        for among in self._in_slices(gates):
            among.lock()

    def _in_slices(self, gates: Collection[int]) -> Iterator[GateQuerySet]:
        """The lowest first, as many at a time as a statement may name."""
        ordered = sorted(gates)
        for start in range(0, len(ordered), SLICE):
            yield self.filter(pk__in=ordered[start : start + SLICE])


class Gate(JobsModel):
    """Shared by all jobs of one `enqueue…(after=…)`; it never opens twice."""

    state = models.CharField(
        _("state"), max_length=10, choices=GateState.choices, default=GateState.CLOSED
    )
    reason = models.TextField(_("reason"), default="", help_text=_("Why it is broken."))
    is_done = models.BooleanField(
        _("is done"), default=False, help_text=_("Its jobs have been let go, or cancelled.")
    )

    objects: ClassVar[GateManager] = GateManager()

    if TYPE_CHECKING:
        jobs: RelatedManager[Job]

    class Meta:
        verbose_name = _("gate")
        verbose_name_plural = _("gates")
        default_permissions = ()
        indexes: ClassVar = [
            models.Index("id", name="forge_jobs_gate_closed", condition=Q(state=GateState.CLOSED)),
            models.Index("id", name="forge_jobs_gate_undone", condition=Q(is_done=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}, {self.state}"


class PredecessorQuerySet(models.QuerySet["Predecessor"]):
    def of_gate(self) -> Self:
        """Those of the gate of an outer query."""
        return self.filter(gate=OuterRef("pk"))

    def ended(self) -> Self:
        return self.exclude(IS_UNFINISHED)

    def unended(self) -> Self:
        return self.filter(IS_UNFINISHED)

    def failed(self) -> Self:
        """Those that ended otherwise than they should."""
        return self.filter(HAS_FAILED | CANT_FAIL)

    def unmet(self) -> Self:
        """Those that have not ended as they should: the last one, for it is the likeliest."""
        return self.filter(IS_UNFINISHED | HAS_FAILED | CANT_FAIL).order_by("-place")[:1]


class PredecessorManager(RowsManager["Predecessor", PredecessorQuerySet]):
    rows = PredecessorQuerySet

    of_gate = verb(PredecessorQuerySet.of_gate)
    ended = verb(PredecessorQuerySet.ended)
    unended = verb(PredecessorQuerySet.unended)
    failed = verb(PredecessorQuerySet.failed)

    def results_for(self, job: int) -> list[Any]:
        """What the predecessors of a job came to: results of jobs, counts of batches."""
        rows = self.filter(gate__jobs=job).order_by("place")
        return [
            counts if batch else result
            for batch, counts, result in rows.values_list(
                "batch_id", "batch__counts", "job__result"
            )
        ]


class Predecessor(JobsModel):
    """A job or a batch that must have ended first. Nothing is locked for it, and none is kept."""

    gate = models.ForeignKey(
        Gate,
        verbose_name=_("gate"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="predecessors",
    )
    place = models.PositiveIntegerField(_("place"))
    job = models.ForeignKey(
        "Job",
        verbose_name=_("job"),
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="links",
    )
    batch = models.ForeignKey(
        Batch,
        verbose_name=_("batch"),
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="links",
    )
    needs = models.CharField(_("needs"), max_length=10, choices=Needs.choices)

    objects: ClassVar[PredecessorManager] = PredecessorManager()

    class Meta:
        verbose_name = _("predecessor")
        verbose_name_plural = _("predecessors")
        default_permissions = ()
        indexes: ClassVar = [
            models.Index("gate", "place", name="forge_jobs_predecessor_place"),
            models.Index("job", name="forge_jobs_predecessor_job", condition=Q(job__isnull=False)),
            models.Index(
                "batch", name="forge_jobs_predecessor_batch", condition=Q(batch__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.job or self.batch)

    def reason(self) -> str:
        """Why what comes after it can't run, if it ended otherwise than it should."""
        if self.job and self.job.was_given_up:
            return self.job.cancel_reason
        if self.job_id and not self.job:
            return f"It comes after a failure of #{self.job_id}, which is gone."
        what = str(self.job) if self.job else f"the batch {self.batch}"
        if self.needs == Needs.FAILURE:
            return f"It comes after a failure of {what}, which succeeded."
        if self.job:
            return f"It comes after {what}, which is {self.job.state}."
        return f"It comes after the batch {self.batch}, of which jobs failed."
