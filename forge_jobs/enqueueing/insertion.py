"""From rows to stored jobs: insert, find who holds a key that is taken, wake on commit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from django.db import DatabaseError, transaction

from forge_jobs import db, wake
from forge_jobs.db.rows import KeyHolder, NewRow
from forge_jobs.enqueueing.duplicates import changes, settle
from forge_jobs.enqueueing.labelling import label
from forge_jobs.enqueueing.stored import KEY_RACES, Stored, pair
from forge_jobs.enqueueing.unmigrated import refuse_unmigrated
from forge_jobs.exceptions import KeyUnavailable


def insert(rows: Sequence[NewRow]) -> list[Stored]:
    """Store one batch in the current transaction; returns a job for each row, in order."""
    if len(rows) == 1 and (job := _stored_and_told(rows[0])):
        return [job]
    try:
        stored = _stored(rows)
    except DatabaseError as error:
        refuse_unmigrated(error)
        raise
    for queue in {job.row.queue for job in stored if job.is_now_ready}:
        wake.on_commit(queue)
    keys = {job.row.concurrency_key for job in stored if job.is_now_blocked}
    if keys:
        from forge_jobs.models.promotion import wake_and_promote

        wake_and_promote(set(), {key for key in keys if key})
    return stored


def _stored_and_told(row: NewRow) -> Stored | None:
    """None where that can't be done at once."""
    connection = db.connection()
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return None
    from forge_jobs.enqueueing.at_once import store_and_tell

    return store_and_tell(row, connection)


def _stored(rows: Sequence[NewRow]) -> list[Stored]:
    if not any(row.extras for row in rows):
        return _insert_or_find(rows, races=KEY_RACES)
    stored: list[Stored] = []
    with transaction.atomic(using=db.connection().alias):
        for changing, group in groupby(rows, key=changes):
            some = [*group]
            stored += settle(some) if changing else _labelled(some)
    return stored


def _labelled(rows: Sequence[NewRow]) -> list[Stored]:
    stored = _insert_or_find(rows, races=KEY_RACES)
    label(stored)
    return stored


def _insert_or_find(rows: Sequence[NewRow], *, races: int) -> list[Stored]:
    with db.connection().cursor() as cursor:
        inserted = db.twin().insert(cursor, rows)
        stored = pair(rows, inserted)
        if len(inserted) < len(rows):
            taken = [row for row, job in zip(rows, stored, strict=True) if job is None]
            holders = _Holders(db.twin().find(cursor, taken))
            stored = [job or holders.of(row) for row, job in zip(rows, stored, strict=True)]
    gone = [row for row, job in zip(rows, stored, strict=True) if job is None]
    if not gone:
        return [job for job in stored if job]
    if not races:
        field = "dedupe_key" if gone[0].dedupe_key else "idempotency_key"
        raise KeyUnavailable(getattr(gone[0], field), field=field)
    # The holder finished between the two statements, and its key is free again.
    again = iter(_insert_or_find(gone, races=races - 1))
    return [job or next(again) for job in stored]


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
