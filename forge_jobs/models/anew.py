"""What is decided anew when jobs run again, and in which order it is locked for that."""

from __future__ import annotations

from collections.abc import Collection

from forge_jobs import db
from forge_jobs.models.batch import Batch
from forge_jobs.models.gate import Gate
from forge_jobs.states import BatchState


def lock_around(jobs: Collection[int]) -> set[int]:
    """Lock the batches that these jobs are in, and the gates before and behind all of them.

    To be called before any of the jobs is locked: so nobody waits for one who waits for them, and
    nothing is decided behind their backs. Returns the gates that the jobs themselves come after.
    """
    of_jobs = _batches_of(jobs)
    _lock_batches(Batch.objects.with_ancestors(of_jobs))
    before = set(Gate.objects.filter(jobs__in=jobs).values_list("pk", flat=True))
    ended = Batch.objects.with_ancestors(_ended(of_jobs))
    behind = Gate.objects.behind(jobs=jobs, batches=ended)
    Gate.objects.lock(before | behind)
    return before


def judge_anew(jobs: Collection[int]) -> None:
    """Let what ended, or broke, because of these jobs do so anew, for they run again."""
    batches = Batch.objects.reopen(_ended(_batches_of(jobs)))
    Gate.objects.close(Gate.objects.behind(jobs=jobs, batches=batches))


def _batches_of(jobs: Collection[int]) -> set[int]:
    return set(Batch.objects.filter(jobs__in=jobs).values_list("pk", flat=True))


def _ended(batches: Collection[int]) -> set[int]:
    ended = Batch.objects.filter(pk__in=batches, ended_at__isnull=False)
    return set(ended.values_list("pk", flat=True))


def _lock_batches(batches: Collection[int]) -> None:
    """One that is open is only kept from being sealed: others may be filling it."""
    around = Batch.objects.filter(pk__in=batches)
    with db.connection().cursor() as cursor:
        db.twin().keep_open(cursor, batches)
    around.exclude(state=BatchState.OPEN).lock()
