"""Enqueueing: refuse what can't run, store the rest in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, Unpack, overload

from asgiref.sync import sync_to_async
from django.db import transaction

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.db.rows import NewRow
from forge_jobs.enqueueing.alike import Drafts
from forge_jobs.enqueueing.draft import Draft
from forge_jobs.enqueueing.incoming import seen
from forge_jobs.enqueueing.insertion import insert
from forge_jobs.enqueueing.place import Place
from forge_jobs.enqueueing.stored import Stored
from forge_jobs.exceptions import InvalidOption
from forge_jobs.handlers.handler import JobHandler, JobOptions
from forge_jobs.wording import quoted

if TYPE_CHECKING:  # unlike the models, this module may be imported before the apps are loaded
    from forge_jobs.models import Job

T = TypeVar("T")

BATCH: Final = 5_000
BATCH_CHARACTERS: Final = 32 * 1024 * 1024


def enqueue(
    kind: str | JobHandler, payload: dict[str, Any] | None = None, **options: Unpack[JobOptions]
) -> Job:
    """Store one job, in the current transaction if there is one.

    `kind` is a registered name or a handler; `payload` its keyword arguments. Options:

    - `queue`: else the handler's, else what `FORGE_JOBS["ROUTER"]` says, else `"default"`;
    - `priority`: -100 to 100, higher runs first;
    - `run_at` (an aware datetime) or `delay` (a timedelta or seconds);
    - `max_attempts`: 1 or more, None for no limit;
    - `timeout`: how long one attempt may run, a timedelta or seconds;
    - `expires_at` (an aware datetime) or `expires_in` (a timedelta or seconds after it is due): if
      it has not begun by then, it is cancelled; else the handler's;
    - `dedupe_key`: while an unfinished job has this key, in whatever queue, no other is made;
    - `on_duplicate`: what becomes of a job that has the `dedupe_key` and waits: `"keep"` it,
      `"replace"` it, or `"postpone"` it to when this one would run; for one that was claimed
      already, the last two store another one;
    - `idempotency_key`: as long as any job has this key, no other is made;
    - `concurrency_key`: of all jobs with this key, in whatever queue, only as many run at once as
      the handler's `concurrency_limit` says, the oldest first; else the handler's;
    - `labels`: a few words to find the job by;
    - `context`: a dictionary kept with the job, such as trace headers;
    - `batch`: the set of jobs that it is one of;
    - `after`, `after_end`, `after_failure`: jobs or batches, one or many, that must have ended
      first: well, in whatever way, or not well. If that can't be any more, the job is cancelled.

    Returns the job, or with `was_deduplicated` set the one that has the key already. Raises an
    `EnqueueError` that names the `field`; then nothing was written.
    """
    draft = Draft.of(kind, **options)
    row = draft.row({} if payload is None else payload)
    if conf().middleware:
        (row,) = seen([row])
    if draft.place is None:
        (stored,) = db.unless_locked(lambda: insert([row]))
    else:
        (stored,) = db.unless_locked(lambda: _insert_placed([row], [draft.place]))
    return _job(stored)


class NewJob:
    """One job for `enqueue_many()`: the same arguments as for `enqueue()`."""

    __slots__ = ("kind", "options", "payload")

    def __init__(
        self,
        kind: str | JobHandler,
        payload: dict[str, Any] | None = None,
        **options: Unpack[JobOptions],
    ) -> None:
        self.kind = kind
        self.payload = {} if payload is None else payload
        self.options = options


def enqueue_many(jobs: Iterable[NewJob]) -> EnqueuedJobs:
    """Store many jobs, thousands in one statement, all or none; they run in the given order.

    Every job is checked before the first is written. Raises as `enqueue()` does.
    """
    rows, places, drafts = [], [], Drafts()
    for job in _each(jobs, field="jobs"):
        if not isinstance(job, NewJob):
            raise InvalidOption(
                f"jobs must be NewJob(kind, payload) each, not {quoted(job)}.", field="jobs"
            )
        draft = drafts.of(job.kind, job.options)
        rows.append(draft.row(job.payload))
        places.append(draft.place)
    return _store(rows, places)


def enqueue_payloads(
    handler: JobHandler, payloads: Iterable[dict[str, Any]], **options: Unpack[JobOptions]
) -> EnqueuedJobs:
    """Store one job of the same kind and options for each payload; see `enqueue_many()`."""
    draft = Draft.of(handler, **options)
    rows = [draft.row(payload) for payload in _each(payloads, field="payloads")]
    return _store(rows, [draft.place] * len(rows))


aenqueue: Final = sync_to_async(enqueue)
aenqueue_many: Final = sync_to_async(enqueue_many)


class EnqueuedJobs(Sequence["Job"]):
    """The jobs of an `enqueue_many()`, in its order; loaded from the database when looked at."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self._stored = stored

    @property
    def ids(self) -> list[int]:
        """The primary keys, without a query."""
        return [stored.id for stored in self._stored]

    @property
    def deduplicated(self) -> int:
        """How many were there already, under a key that was given."""
        return sum(stored.became != "new" for stored in self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    @overload
    def __getitem__(self, place: int) -> Job: ...

    @overload
    def __getitem__(self, place: slice) -> list[Job]: ...

    def __getitem__(self, place: int | slice) -> Job | list[Job]:
        return self._jobs[place]

    @cached_property
    def _jobs(self) -> list[Job]:
        from forge_jobs.models import Job

        loaded = Job.objects.in_bulk(self.ids)
        jobs = [copy(loaded[stored.id]) for stored in self._stored]
        for job, stored in zip(jobs, self._stored, strict=True):
            _tell(job, stored)
        return jobs


def _each(given: Iterable[T], *, field: str) -> Iterator[T]:
    """A mapping or a text could be gone through, but is one thing where many are wanted."""
    if isinstance(given, Mapping | str | bytes) or not isinstance(given, Iterable):
        raise InvalidOption(
            f"{field} must be many, such as a list, not {quoted(given)}.", field=field
        )
    return iter(given)


def _store(rows: Sequence[NewRow], places: Sequence[Place | None]) -> EnqueuedJobs:
    if not rows:
        return EnqueuedJobs([])
    if conf().middleware:
        rows = seen(rows)
    if any(places):
        return EnqueuedJobs(db.unless_locked(lambda: _insert_placed(rows, places)))
    return EnqueuedJobs(db.unless_locked(lambda: insert_all(rows)))


def _insert_placed(rows: Sequence[NewRow], places: Sequence[Place | None]) -> list[Stored]:
    """A refusal leaves the caller's transaction as it was."""
    from forge_jobs.enqueueing.placing import placed

    with transaction.atomic(using=db.connection().alias):
        return insert_all(placed(rows, places))


def insert_all(rows: Sequence[NewRow]) -> list[Stored]:
    """All or none, thousands in one statement; a job for each row, in their order."""
    stored: list[Stored] = []
    with transaction.atomic(using=db.connection().alias, savepoint=False):
        for batch in _batches(rows):
            stored += insert(batch)
    return stored


def _batches(rows: Sequence[NewRow]) -> Iterator[list[NewRow]]:
    """What one statement can take: so many rows, and so much text."""
    batch: list[NewRow] = []
    characters = 0
    for row in rows:
        characters += len(row.payload) + len(row.context)
        if batch and (len(batch) == BATCH or characters > BATCH_CHARACTERS):
            yield batch
            batch, characters = [], len(row.payload) + len(row.context)
        batch.append(row)
    yield batch


def _job(stored: Stored) -> Job:
    from forge_jobs.models import Job

    if stored.inserted is None:
        job: Job = Job.objects.get(pk=stored.id)
        _tell(job, stored)
        return job
    return Job.from_rows(stored.row, stored.inserted)


def _tell(job: Job, stored: Stored) -> None:
    job.was_deduplicated = stored.became != "new"
    job.was_replaced = stored.became == "replace"
    job.was_postponed = stored.became == "postpone"
