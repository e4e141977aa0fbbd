"""Circles: batches that wait for what waits for them, and therefore would never end.

One that can be seen is refused when it is enqueued. Two transactions may close one together, of
which each sees a half; that is found once nothing else is left in the batch.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import Exists, OuterRef

from forge_jobs.models.base import constants
from forge_jobs.models.batch import Batch
from forge_jobs.models.gate import Gate, Predecessor
from forge_jobs.models.job import Job
from forge_jobs.states import UNFINISHED, BatchState, GateState, State

MOST: Final = 20
"""How many batches are looked at at once."""
BUSY: Final = [state for state in UNFINISHED if state != State.HELD]


@dataclass(frozen=True)
class Waiting:
    """The gates, and the batches, that can't open or end before some batches do; those included."""

    gates: frozenset[int] = frozenset()
    batches: frozenset[int] = frozenset()

    @classmethod
    def on(cls, batches: Collection[int]) -> Self:
        gates: set[int] = set()
        found = fresh = Batch.objects.with_ancestors(batches)
        behind = Gate.objects.behind(batches=fresh)
        while behind := behind - gates:
            gates |= behind
            held = Job.objects.filter(gate__in=behind)
            inside = held.filter(batch__isnull=False).values_list("batch_id", flat=True)
            fresh = Batch.objects.with_ancestors(set(inside)) - found
            found |= fresh
            following = Predecessor.objects.filter(job__gate__in=behind)
            behind = set(following.values_list("gate_id", flat=True))
            behind |= Gate.objects.behind(batches=fresh)
        return cls(frozenset(gates), frozenset(found))

    def __or__(self, other: Waiting) -> Waiting:
        return Waiting(self.gates | other.gates, self.batches | other.batches)


def break_circles(*, after: int) -> int | None:
    """Break the gates of one batch that wait for the batch itself, among some beyond `after`.

    Returns the last batch that was looked at, None if none was left. Of a circle, one batch is
    enough: when its jobs are cancelled, the others have their end.
    """
    last = None
    for batch in _stuck(after):
        last = batch.pk
        held = Job.objects.held().filter(batch=last).values_list("gate_id", flat=True).distinct()
        if waiting := Waiting.on([last]).gates.intersection(held):
            Gate.objects.filter(pk__in=waiting).closed().update(
                state=GateState.BROKEN,
                reason=f"What it comes after waits for its batch {batch}, and so for itself.",
                is_done=False,
            )
            break
    return last


def _stuck(after: int) -> list[Batch]:
    """Batches that are complete, and of which nothing is left but jobs that are held."""
    inside = Job.objects.filter(batch=OuterRef("pk"))
    sealed = Batch.objects.filter(state=BatchState.SEALED, pk__gt=after)
    return list(
        sealed.filter(
            Exists(inside.filter(state__in=constants([State.HELD]))),
            ~Exists(inside.filter(state__in=constants(BUSY))),
        ).order_by("pk")[:MOST]
    )
