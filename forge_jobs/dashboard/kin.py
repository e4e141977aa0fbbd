"""What a job or a batch comes after, and what comes after it: some of it, and whether all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import Q

from forge_jobs.dashboard.awaited import Awaited
from forge_jobs.models import Batch, Gate, GateState, Job, Needs, Predecessor, State
from forge_jobs.models.gate import PredecessorQuerySet

SHOWN: Final = 10
"""Of thousands, so many are shown."""

SLIM: Final = ("kind", "state", "gate")
SLIM_LINK: Final = (
    "needs",
    "job__kind",
    "job__state",
    "batch__name",
    "batch__state",
)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A job or a batch, with its state; `needs` is how the former of the two must end.

    Both are None if it has been deleted.
    """

    key: str
    job: Job | None = None
    batch: Batch | None = None
    needs: str = ""

    @classmethod
    def to(cls, one: Predecessor) -> Self:
        return cls(key=str(one.pk), job=one.job, batch=one.batch, needs=one.needs)


@dataclass(frozen=True)
class Kin:
    """Some of them, and whether there are more."""

    links: Sequence[Link] = ()
    has_more: bool = False

    @classmethod
    def of(cls, found: Iterable[Link]) -> Self:
        links = list(found)
        return cls(links[:SHOWN], len(links) > SHOWN)


def comes_after(job: Job) -> Kin:
    """Those first that have to do with its state: what has not ended, or what failed."""
    if job.gate_id is None:
        return Kin()
    every = Predecessor.objects.filter(gate=job.gate_id)
    first: Iterable[Predecessor] = ()
    if job.state == State.HELD:
        first = _some(every.unended())
    elif job.was_given_up:
        first = _some(every.failed())
    by_key = {one.pk: one for one in [*first, *_some(every)]}
    return Kin.of(map(Link.to, by_key.values()))


def comes_before(one: Job | Batch) -> Kin:
    """The jobs that come after it."""
    behind = Predecessor.objects.filter(Q(job=one.pk) if isinstance(one, Job) else Q(batch=one.pk))
    needs = dict(behind.order_by("pk").values_list("gate_id", "needs")[: SHOWN + 1])
    jobs = Job.objects.filter(gate__in=needs.keys()).only(*SLIM)
    found = jobs.order_by("gate_id", "state", "pk")[: SHOWN + 1]
    links = [(job, needs[job.gate_id]) for job in found if job.gate_id]
    return Kin.of(Link(key=str(job.pk), job=job, needs=how) for job, how in links)


def awaited(job: Job) -> Awaited:
    """What keeps a job that is held, or was given up."""
    every = Predecessor.objects.filter(gate=job.gate_id)
    left = _some(every.unended())
    gate = Gate.objects.filter(jobs=job.pk).first()
    return Awaited(
        jobs=[one.job_id for one in left[:SHOWN] if one.job_id],
        batches=[(one.batch.pk, one.batch.name) for one in left[:SHOWN] if one.batch],
        has_more=len(left) > SHOWN,
        reason=gate.reason if gate and gate.state == GateState.BROKEN else "",
        may_go_on=every.failed().filter(needs=Needs.SUCCESS).exists(),
    )


def _some(predecessors: PredecessorQuerySet) -> list[Predecessor]:
    links = predecessors.select_related("job", "batch").only(*SLIM_LINK)
    return list(links.order_by("place")[: SHOWN + 1])
