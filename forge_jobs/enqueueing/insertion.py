"""From rows to stored jobs: insert, find who holds a key that is taken, wake on commit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import db, wake
from forge_jobs.db.rows import KeyHolder, NewRow
from forge_jobs.enqueueing.draft import BLOCKED, READY
from forge_jobs.enqueueing.duplicates import changes, settle
from forge_jobs.enqueueing.labelling import label
from forge_jobs.enqueueing.stored import KEY_RACES, Stored, pair
from forge_jobs.enqueueing.unmigrated import refuse_unmigrated
from forge_jobs.exceptions import KeyUnavailable


def insert(rows: Sequence[NewRow]) -> list[Stored]:
    """Store one batch in the current transaction; returns a job for each row, in order."""
    connection = db.connection()
    if len(rows) == 1 and (job := _stored_and_told(rows[0], connection)):
        return [job]
    try:
        stored = _stored(rows, connection)
    except DatabaseError as error:
        refuse_unmigrated(error)
        raise
    _wake(stored, connection)
    return stored


def _stored_and_told(row: NewRow, connection: BaseDatabaseWrapper) -> Stored | None:
    """None where that can't be done at once."""
    if connection.in_atomic_block or connection.vendor != "postgresql":
        return None
    from forge_jobs.enqueueing.at_once import store_and_tell

    return store_and_tell(row, connection)


def _stored(rows: Sequence[NewRow], connection: BaseDatabaseWrapper) -> list[Stored]:
    if not any(row.extras for row in rows):
        return _insert_or_find(rows, connection, races=KEY_RACES)
    stored: list[Stored] = []
    with transaction.atomic(using=connection.alias):
        for changing, group in groupby(rows, key=changes):
            some = [*group]
            stored += settle(some) if changing else _labelled(some, connection)
    return stored


def _wake(stored: Sequence[Stored], connection: BaseDatabaseWrapper) -> None:
    """On commit, whoever serves what is ready; and what waits only for its key, in its turn."""
    queues, keys = set(), set()
    for job in stored:
        if job.became in ("new", "replace"):
            if job.row.state == READY:
                queues.add(job.row.queue)
            elif job.row.state == BLOCKED:
                keys.add(job.row.concurrency_key)
    for queue in queues:
        wake.on_commit(queue, connection=connection)
    if keys:
        from forge_jobs.models.promotion import wake_and_promote

        wake_and_promote(set(), {key for key in keys if key})


def _labelled(rows: Sequence[NewRow], connection: BaseDatabaseWrapper) -> list[Stored]:
    stored = _insert_or_find(rows, connection, races=KEY_RACES)
    label(stored)
    return stored


def _insert_or_find(
    rows: Sequence[NewRow], connection: BaseDatabaseWrapper, *, races: int
) -> list[Stored]:
    stored = _inserted(rows, connection)
    gone = [row for row, job in zip(rows, stored, strict=True) if job is None]
    if gone:
        with connection.cursor() as cursor:
            holders = _Holders(db.twin().find(cursor, gone))
        stored = [job or holders.of(row) for row, job in zip(rows, stored, strict=True)]
        gone = [row for row, job in zip(rows, stored, strict=True) if job is None]
    if not gone:
        return [job for job in stored if job]
    if not races:
        field = "dedupe_key" if gone[0].dedupe_key else "idempotency_key"
        raise KeyUnavailable(getattr(gone[0], field), field=field)
    # The holder finished between the two statements, and its key is free again.
    again = iter(_insert_or_find(gone, connection, races=races - 1))
    return [job or next(again) for job in stored]


def _inserted(rows: Sequence[NewRow], connection: BaseDatabaseWrapper) -> list[Stored | None]:
    """None for each row of which a key is taken."""
    twin = db.twin_of(connection.vendor)
    if len(rows) == 1:
        (row,) = rows
        inserted = twin.insert_one(connection, row)
        return [Stored(row, inserted.id, inserted) if inserted else None]
    with connection.cursor() as cursor:
        return pair(rows, twin.insert(cursor, rows))


class _Holders:
    """The jobs that hold keys."""

    def __init__(self, found: Sequence[KeyHolder]) -> None:
        newest_last = sorted(found, key=lambda holder: holder.id)
        by_dedupe_key = {("dedupe", holder.dedupe_key): holder.id for holder in newest_last}
        by_idempotency_key = {("once", holder.idempotency_key): holder.id for holder in found}
        self._ids = by_dedupe_key | by_idempotency_key

    def of(self, row: NewRow) -> Stored | None:
        """The older one, if each of the row's keys is held by another job."""
        keys = [("dedupe", row.dedupe_key), ("once", row.idempotency_key)]
        holders = [self._ids[key] for key in keys if key[1] and key in self._ids]
        return Stored(row, min(holders), None, "keep") if holders else None
