"""What follows a change once it is committed: queues are woken, concurrency keys passed on."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from django.db import transaction

from forge_jobs import clock, db, wake

if TYPE_CHECKING:
    from forge_jobs.db.rows import Promoted


def wake_and_promote(queues: AbstractSet[str], keys: AbstractSet[str]) -> None:
    """Once the current transaction commits: wake queues, and see who may have concurrency keys."""
    for queue in queues:
        wake.on_commit(queue)
    connection = db.connection()
    if not connection.in_atomic_block and not connection.get_autocommit():
        return  # Django has no hook for a commit by hand; the promoter finds such keys
    if not keys:
        return
    chosen = frozenset(keys)

    def promote_chosen() -> None:  # not a partial: Django logs what fails by its `__qualname__`
        promote(chosen)

    transaction.on_commit(promote_chosen, using=connection.alias, robust=True)


def follow_on_commit(*, batches: Collection[int] = (), gates: Collection[int] = ()) -> None:
    """Once the current transaction commits: end batches that are over, and judge gates."""
    connection = db.connection()
    if not connection.in_atomic_block and not connection.get_autocommit():
        return  # the leader looks
    if not batches and not gates:
        return

    def follow_chosen() -> None:
        from forge_jobs.models.deciding import not_waiting
        from forge_jobs.models.following import Following

        Following(batches=batches, gates=not_waiting(gates)).finish(now=clock.now())

    transaction.on_commit(follow_chosen, using=connection.alias, robust=True)


def promote(keys: AbstractSet[str]) -> int:
    """Let the oldest jobs that wait for these concurrency keys be ready, as far as they may.

    Wakes their queues; returns how many jobs.
    """
    promoted = pass_keys_on(keys)
    for queue in {one.queue for one in promoted}:
        wake.on_commit(queue)
    return len(promoted)


def pass_keys_on(keys: AbstractSet[str]) -> list[Promoted]:
    """The same, but wakes nobody; tells which jobs are ready now."""
    promoted: list[Promoted] = []
    if not keys:
        return promoted
    with transaction.atomic(using=db.connection().alias):
        while keys:
            with db.connection().cursor() as cursor:
                rows = db.twin().promote(cursor, sorted(keys))
            promoted += rows
            keys = {one.key for one in rows if one.limit > 1}  # which may have more slots
    return promoted
