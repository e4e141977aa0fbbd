"""What ends decide: which batches end, which gates open and which break.

Each is decided under its lock, and asked again there, for a requeue may have been quicker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from forge_jobs import db
from forge_jobs.models.base import constants
from forge_jobs.models.batch import Batch
from forge_jobs.models.gate import Gate, Predecessor
from forge_jobs.models.job import Job
from forge_jobs.states import UNFINISHED, BatchState, GateState, State


def over() -> Q:
    """Batches that are complete, and of which nothing is left."""
    left = Job.objects.filter(batch=OuterRef("pk"), state__in=constants(UNFINISHED))
    parts = Batch.objects.filter(parent=OuterRef("pk"), ended_at__isnull=True)
    return Q(~Exists(left), ~Exists(parts), state=BatchState.SEALED)


def end(batches: Collection[int], *, now: datetime) -> list[int]:
    """End those of these batches of which nothing is left; returns them."""
    with db.connection().cursor() as cursor:  # asked again and again while a large one drains
        chosen = db.twin().over(cursor, batches)
    return [batch for batch in sorted(chosen) if _end(batch, now=now)]


def judge(gates: Collection[int]) -> list[int]:
    """Open those whose predecessors ended as they should, and break those that can't open.

    Returns the gates that were decided.
    """
    among = Gate.objects.filter(pk__in=gates)
    chosen = list((among.due() | among.hopeless()).values_list("pk", flat=True))
    if not chosen:
        return []
    with db.turn_to_write():
        among = Gate.objects.filter(pk__in=Gate.objects.filter(pk__in=chosen).lock_free_ones())
        changed = list(among.due().values_list("pk", flat=True))
        _decide(changed, GateState.OPEN)
        for reason, broken in _reasons(among.hopeless().values_list("pk", flat=True)).items():
            _decide(broken, GateState.BROKEN, reason)
            changed += broken
    return changed


def not_waiting(gates: Collection[int]) -> set[int]:
    """Those of new gates of which a predecessor has ended already; mostly none has."""
    if not gates:
        return set()
    ended = Predecessor.objects.filter(gate__gte=min(gates), gate__lte=max(gates)).ended()
    return set(gates).intersection(ended.values_list("gate_id", flat=True))


def _end(batch: int, *, now: datetime) -> bool:
    with db.turn_to_write():
        if not Batch.objects.filter(pk=batch).lock_free_ones():
            return False
        counts = Job.objects.filter(batch=batch).counts()
        has_failed = (
            counts.keys() & {State.DEAD, State.CANCELLED}
            or Batch.objects.filter(parent=batch, state=BatchState.FAILED).exists()
        )
        state = BatchState.FAILED if has_failed else BatchState.SUCCEEDED
        over_now = Batch.objects.filter(over(), pk=batch)
        return bool(over_now.update(state=state, ended_at=now, counts=counts))


def _decide(gates: Collection[int], state: GateState, reason: str = "") -> None:
    if gates:
        chosen = Gate.objects.filter(pk__in=gates).closed()
        chosen.update(state=state, reason=reason, is_done=False)


def _reasons(gates: Iterable[int]) -> dict[str, list[int]]:
    """Why gates are broken: the jobs and batches that failed, in words."""
    failed = Predecessor.objects.filter(gate__in=list(gates)).failed()
    by_gate: dict[int, str] = {}
    for one in failed.select_related("job", "batch").defer("job__payload", "job__result"):
        by_gate.setdefault(one.gate_id, one.reason())
    by_reason = defaultdict(list)
    for gate, reason in by_gate.items():
        by_reason[reason].append(gate)
    return by_reason
