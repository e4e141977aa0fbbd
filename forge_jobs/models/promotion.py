"""What follows a change once it is committed: queues are woken, concurrency keys passed on."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from django.db import transaction

from forge_jobs import db, wake


def wake_and_promote(queues: AbstractSet[str], keys: AbstractSet[str]) -> None:
    """Once the current transaction commits: wake queues, and see who may have concurrency keys."""
    from forge_jobs.models.job import Job

    for queue in queues:
        wake.on_commit(queue)
    connection = db.connection()
    if not connection.in_atomic_block and not connection.get_autocommit():
        return  # Django has no hook for a commit by hand; the promoter finds such keys
    if not keys:
        return
    chosen = frozenset(keys)

    def promote() -> None:  # not a partial: Django logs what fails by its `__qualname__`
        Job.objects.promote(chosen)

    transaction.on_commit(promote, using=connection.alias, robust=True)
