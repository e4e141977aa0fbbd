"""Batches: sets of jobs that end as one, and the jobs that come after their end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from forge_jobs import clock, db, jsontext
from forge_jobs.durations import as_timedelta
from forge_jobs.enqueueing.enqueue import NewJob, enqueue_many
from forge_jobs.exceptions import InvalidOption
from forge_jobs.states import BatchState
from forge_jobs.wording import quoted

EXPIRES_IN: Final = timedelta(days=1)
LONGEST_NAME: Final = 200

if TYPE_CHECKING:  # unlike the models, this module may be imported before the apps are loaded
    from forge_jobs.models import Batch

Callbacks = NewJob | Iterable[NewJob]


@contextmanager
def batch(
    name: str,
    *,
    on_success: Callbacks = (),
    on_failure: Callbacks = (),
    on_end: Callbacks = (),
    within: Batch | None = None,
    expires_in: timedelta | float = EXPIRES_IN,
) -> Iterator[Batch]:
    """Open a batch for the jobs of the block, `handler.using(batch=b)`; leaving it seals the batch.

    See `open_batch()` for the arguments. If the block raises, the batch is cancelled with all that
    it has so far, unless the transaction around it is undone anyway.
    """
    opened = open_batch(
        name,
        on_success=on_success,
        on_failure=on_failure,
        on_end=on_end,
        within=within,
        expires_in=expires_in,
    )
    try:
        yield opened
    except BaseException as error:
        if not db.connection().needs_rollback:
            opened.cancel(f"What filled the batch raised {type(error).__name__}.")
        raise
    opened.seal()


def open_batch(
    name: str,
    *,
    on_success: Callbacks = (),
    on_failure: Callbacks = (),
    on_end: Callbacks = (),
    within: Batch | None = None,
    expires_in: timedelta | float = EXPIRES_IN,
) -> Batch:
    """Open a batch that several transactions or processes may fill, until one calls `seal()`.

    `on_success`, `on_failure` and `on_end` are jobs, such as `handler.new(day=1)`, that come after
    its end: if all of its jobs succeeded, if one is dead or was cancelled, and in any case. A batch
    `within` another is one of its parts. One that is still open after `expires_in`, a timedelta or
    seconds, was forgotten: it is sealed then, and cancelled.

    Raises an `EnqueueError` that names the `field`; then nothing was written.
    """
    from forge_jobs.models import Batch

    if within is not None and not (isinstance(within, Batch) and within.pk):
        raise InvalidOption(
            f"within must be a Batch that is stored, not {quoted(within)}.", field="within"
        )
    row = Batch(name=_name(name), parent=within, expires_at=_moment(expires_in))
    callbacks = [
        *_behind(on_success, "on_success", "after"),
        *_behind(on_failure, "on_failure", "after_failure"),
        *_behind(on_end, "on_end", "after_end"),
    ]
    with transaction.atomic(using=db.connection().alias):
        if within is not None:
            _refuse_full(within)
        row.save(force_insert=True)
        enqueue_many([_after(job, option, row) for job, option in callbacks])
    row.refresh_from_db(fields=["opened_at"])
    return row


def _name(given: object) -> str:
    if isinstance(given, str) and 0 < len(given) <= LONGEST_NAME and jsontext.is_storable(given):
        return given
    raise InvalidOption(
        f"name must be a string of 1 to {LONGEST_NAME} characters, not {quoted(given)}.",
        field="name",
    )


def _moment(expires_in: timedelta | float) -> Any:
    try:
        return clock.now() + as_timedelta(expires_in, field="expires_in")
    except ValueError as error:
        raise InvalidOption(str(error), field="expires_in") from None


def _behind(given: object, field: str, option: str) -> Iterator[tuple[NewJob, str]]:
    jobs = [given] if isinstance(given, NewJob) else given
    if isinstance(jobs, str) or not isinstance(jobs, Iterable):
        jobs = [given]
    for job in jobs:
        if not isinstance(job, NewJob):
            raise InvalidOption(
                f"{field} must be a job such as handler.new(...), or several, not {quoted(job)}.",
                field=field,
            )
        yield job, option


def _after(job: NewJob, option: str, row: Batch) -> NewJob:
    options: Any = job.options
    own = options.get(option)
    return NewJob(job.kind, job.payload, **{**options, option: [row, *([own] if own else [])]})


def _refuse_full(within: Batch) -> None:
    with db.connection().cursor() as cursor:
        state = db.twin().hold_batch(cursor, batch=within.pk)
    if state != BatchState.OPEN and not (within.is_of_this_job and state == BatchState.SEALED):
        raise InvalidOption(
            f"within: batch {within.pk} is {state or 'gone'}, and takes no more parts.",
            field="within",
        )
