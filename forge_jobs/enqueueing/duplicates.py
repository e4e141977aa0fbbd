"""Rows that change the job that has their dedupe key: it is replaced, or postponed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Case, JSONField, TextField, Value, When
from django.db.models.functions import Cast

from forge_jobs import db
from forge_jobs.db.moments import PresentMoment
from forge_jobs.db.rows import NewRow
from forge_jobs.enqueueing.labelling import label
from forge_jobs.enqueueing.stored import KEY_RACES, Stored, pair
from forge_jobs.exceptions import KeyUnavailable
from forge_jobs.states import State


def changes(row: NewRow) -> bool:
    """Whether it does something to the job that has its key."""
    return row.extras is not None and row.extras.on_duplicate != "keep"


def settle(rows: Sequence[NewRow]) -> list[Stored]:
    """A job for each row, in order: the one that waits under its key, changed, or a new one.

    A job that has been claimed is left as it is, and not even locked: how it went could not be
    stored before the caller's transaction ends.
    """
    wanted: dict[str, NewRow] = {}
    for row in rows:
        key = _key(row)
        wanted[key] = folded(wanted[key], row) if key in wanted else row
    db.take_turn_to_write()
    settled: dict[str, Stored] = {}
    for _ in range(KEY_RACES + 1):
        if not (left := sorted(wanted.keys() - settled.keys())):
            break
        settled |= _settled({key: wanted[key] for key in left})
    else:
        raise KeyUnavailable(left[0], field="dedupe_key")
    label(settled.values())
    return [*_in_order(rows, settled)]


def folded(row: NewRow, later: NewRow) -> NewRow:
    """Two rows with one key as one: the later one has found the other's job."""
    if _way(later) == "replace":
        return later
    if not _is_later(later, row.run_at):
        return row
    extras = row.extras and later.extras and row.extras._replace(expires_at=later.expires_at)
    return row._replace(run_at=later.run_at, state=later.state, extras=extras)


def _in_order(rows: Sequence[NewRow], settled: Mapping[str, Stored]) -> Iterable[Stored]:
    seen = set()
    for row in rows:
        stored = settled[_key(row)]
        if stored.id in seen:
            stored = Stored(row, stored.id, None, _way(row))
        seen.add(stored.id)
        yield stored


class _Holder(NamedTuple):
    """An unfinished job with the key of a row."""

    id: int
    dedupe_key: str
    dedupe_turn: int | None
    state: str
    run_at: datetime
    concurrency_key: str | None


def _holders(keys: Iterable[str]) -> dict[str, list[_Holder]]:
    """The oldest first."""
    from forge_jobs.models import Job

    found = defaultdict(list)
    jobs = Job.objects.unfinished().filter(dedupe_key__in=keys).order_by("pk")
    for holder in map(_Holder._make, jobs.values_list(*_Holder._fields)):
        found[holder.dedupe_key].append(holder)
    return found


def _settled(rows: Mapping[str, NewRow]) -> dict[str, Stored]:
    """What became of rows; those are left out to whose holders something happened meanwhile."""
    holders = _holders(rows)
    settled: dict[str, Stored | None] = {}
    for key, held in holders.items():
        waiting = [holder for holder in held if holder.state != State.RUNNING]
        settled[key] = _changed(rows[key], waiting[-1]) if waiting else _behind(rows[key], held)
    if free := [row for key, row in rows.items() if key not in holders]:
        with db.connection().cursor() as cursor:
            inserted = db.twin().insert(cursor, free)
        settled |= zip(map(_key, free), pair(free, inserted), strict=True)
    return {key: stored for key, stored in settled.items() if stored}


def _behind(row: NewRow, held: Sequence[_Holder]) -> Stored | None:
    """A new job, though all that have its key are unfinished; None if another was quicker."""
    from forge_jobs.models import Job

    turn = max(holder.dedupe_turn or 0 for holder in held) + 1
    try:
        with transaction.atomic(using=db.connection().alias), db.connection().cursor() as cursor:
            (new,) = db.twin().insert(cursor, [row._replace(dedupe_key=None)])
            Job.objects.filter(pk=new.id).update(dedupe_key=row.dedupe_key, dedupe_turn=turn)
    except IntegrityError:
        return None
    return Stored(row, new.id, None)


def _changed(row: NewRow, holder: _Holder) -> Stored | None:
    """The job that waits; None if it has been claimed, or ended, in the meantime."""
    from forge_jobs.models import Job
    from forge_jobs.models.promotion import wake_and_promote

    way = _way(row)
    if way == "postpone" and not _is_later(row, holder.run_at):
        return Stored(row, holder.id, None, "keep")
    waiting = Job.objects.filter(pk=holder.id).unfinished().exclude(state=State.RUNNING)
    if way == "postpone":
        changed = waiting.filter(run_at__lt=row.run_at).update(**_postponed(row))
    else:
        changed = waiting.update(**_replaced(row))
    if not changed:
        return None
    if holder.concurrency_key:
        wake_and_promote(set(), {holder.concurrency_key})
    return Stored(row, holder.id, None, way)


def _postponed(row: NewRow) -> dict[str, Any]:
    stays = When(state__in=[State.RETRYING, State.HELD], then="state")
    return {
        "run_at": row.run_at,
        "expires_at": row.expires_at,
        "state": Case(stays, default=Value(State.SCHEDULED)),
        "concurrency_slot": None,
    }


def _replaced(row: NewRow) -> dict[str, Any]:
    """All of a job but its id, its keys, when it was enqueued, and what went wrong so far.

    It stays in its batch, and held by what it comes after.
    """
    given = row._asdict()
    texts = {name: Value(given.pop(name), TextField()) for name in ("payload", "context")}
    for name in ("extras", "dedupe_key", "idempotency_key", "batch_id", "gate_id"):
        del given[name]
    return {
        **given,
        **{name: Cast(text, JSONField()) for name, text in texts.items()},
        "state": Case(When(state=State.HELD, then="state"), default=Value(row.state)),
        "run_at": row.run_at or PresentMoment(),
        "expires_at": row.expires_at,
        "concurrency_slot": None,
        "attempt": 0,
        "started_at": None,
        "last_error": "",
        "progress": None,
    }


def _is_later(row: NewRow, moment: datetime | None) -> bool:
    """Whether a row's job would run later than at a moment, of which None is now."""
    if row.run_at is None or row.state != State.SCHEDULED:
        return False
    return moment is None or row.run_at > moment


def _key(row: NewRow) -> str:
    return row.dedupe_key or ""


def _way(row: NewRow) -> Any:
    return row.extras.on_duplicate if row.extras else "keep"
