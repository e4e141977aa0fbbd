"""What the outcomes of runs come to in the job table, and who may have the keys they set free."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from django.db import transaction

from forge_jobs import db
from forge_jobs.db.rows import Committed

if TYPE_CHECKING:
    from forge_jobs.db.rows import Promoted, Transition
    from forge_jobs.db.wanted import Wanted
    from forge_jobs.models.process import Process


def finalize(transitions: Sequence[Transition], *, process: Process) -> dict[int, str]:
    """Write them; returns the states, by id, of the jobs whose claim still held."""
    kept, forgotten = _by_fate(transitions)
    states = _settle(kept, process=process) if kept else {}
    if forgotten:
        states |= _forget(forgotten, process=process)
    return states


def finalize_and_commit(transition: Transition, *, process: Process, back: bytes) -> Committed:
    """The same of one, at the end of a block of `atomic()`, which may be committed by that."""
    committed = db.twin().settle_and_commit(
        db.connection(), process=process.pk, transition=transition, back=back
    )
    return committed or Committed(finalize([transition], process=process), is_left=False)


def finalize_and_promote(
    transitions: Sequence[Transition], *, process: Process, wanted: Wanted
) -> tuple[dict[int, str], list[Promoted]]:
    """The same, in one commit with the jobs that get the keys; returns those as well."""
    kept, forgotten = _by_fate(transitions)
    states: dict[int, str] = {}
    promoted: list[Promoted] = []
    both = transaction.atomic(using=db.connection().alias) if kept and forgotten else None
    with both or nullcontext():
        if kept:
            states, promoted = db.few_or_many(
                db.twin().settle_and_promote_few,
                db.twin().settle_and_promote,
                process=process.pk,
                transitions=kept,
                wanted=wanted,
            )
        if forgotten:
            states |= _forget(forgotten, process=process)
    return states, promoted


def _settle(transitions: Sequence[Transition], *, process: Process) -> dict[int, str]:
    twin, pk = db.twin(), process.pk
    return db.few_or_many(twin.settle_few, twin.settle, process=pk, transitions=transitions)


def _forget(transitions: Sequence[Transition], *, process: Process) -> dict[int, str]:
    """What can't be forgotten yet, because others need it, is kept."""
    with db.connection().cursor() as cursor:
        forgotten = db.twin().forget(cursor, process=process.pk, transitions=transitions)
    states: dict[int, str] = {one.id: one.state for one in transitions if one.id in forgotten}
    if kept := [one for one in transitions if one.id not in forgotten]:
        states |= _settle(kept, process=process)
    return states


def _by_fate(transitions: Sequence[Transition]) -> tuple[list[Transition], list[Transition]]:
    """Those that are kept, and those that are forgotten."""
    kept = [change for change in transitions if not change.is_forgotten]
    forgotten = [change for change in transitions if change.is_forgotten]
    return kept, forgotten
