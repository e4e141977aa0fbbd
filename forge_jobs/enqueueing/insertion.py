"""From rows to stored jobs: insert, find who holds a key that is taken, wake on commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import DatabaseError

from forge_jobs import db, wake
from forge_jobs.db.rows import InsertedRow, KeyHolder, NewRow
from forge_jobs.enqueueing.unmigrated import refuse_unmigrated
from forge_jobs.exceptions import KeyUnavailable
from forge_jobs.states import State

KEY_RACES: Final = 10


class Stored(NamedTuple):
    """The job of a row; `inserted` is None where another job had its key already."""

    row: NewRow
    id: int
    inserted: InsertedRow | None


def insert(rows: Sequence[NewRow]) -> list[Stored]:
    """Store one batch in the current transaction; returns a job for each row, in order."""
    try:
        stored = _insert_or_find(rows, races=KEY_RACES)
    except DatabaseError as error:
        refuse_unmigrated(error)
        raise
    for queue in {job.row.queue for job in stored if job.inserted and job.row.state == State.READY}:
        wake.on_commit(queue)
    keys = {job.row.concurrency_key for job in stored if job.row.state == State.BLOCKED}
    if keys:
        from forge_jobs.models.promotion import wake_and_promote

        wake_and_promote(set(), {key for key in keys if key})
    return stored


def _insert_or_find(rows: Sequence[NewRow], *, races: int) -> list[Stored]:
    with db.connection().cursor() as cursor:
        inserted = db.twin().insert(cursor, rows)
        stored = _pair(rows, inserted)
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


def _pair(rows: Sequence[NewRow], inserted: Sequence[InsertedRow]) -> list[Stored | None]:
    """Tell which rows were inserted: both are in the same order, and only keyed rows may lack."""
    if len(inserted) == len(rows):
        return [Stored(row, new.id, new) for row, new in zip(rows, inserted, strict=True)]
    pairs: list[Stored | None] = []
    following = iter(inserted)
    candidate = next(following, None)
    for row in rows:
        if candidate and candidate.keys == row.keys:
            pairs.append(Stored(row, candidate.id, candidate))
            candidate = next(following, None)
        else:
            pairs.append(None)
    return pairs


class _Holders:
    """The jobs that hold keys."""

    def __init__(self, found: Sequence[KeyHolder]) -> None:
        by_dedupe_key = {("dedupe", holder.dedupe_key): holder.id for holder in found}
        by_idempotency_key = {("once", holder.idempotency_key): holder.id for holder in found}
        self._ids = by_dedupe_key | by_idempotency_key

    def of(self, row: NewRow) -> Stored | None:
        """The older one, if each of the row's keys is held by another job."""
        keys = [("dedupe", row.dedupe_key), ("once", row.idempotency_key)]
        holders = [self._ids[key] for key in keys if key[1] and key in self._ids]
        return Stored(row, min(holders), None) if holders else None
