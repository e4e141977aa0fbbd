"""Whether a failure is tried again, by what happened: what a handler says of its errors."""

from __future__ import annotations

from datetime import UTC, datetime

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.outcomes import Dead, Failed


def judged(
    failure: Failed,
    error: BaseException | None,
    *,
    handler: JobHandler,
    job: ClaimedJob,
    now: datetime,
) -> Failed | Dead:
    """The same failure, as a final one if the handler says so.

    One without an exception, which the handler returned, is judged by its time alone.
    """
    is_final = error is not None and (
        isinstance(error, handler.dead_on)
        or (bool(handler.retry_on) and not isinstance(error, handler.retry_on))
    )
    if is_final or _is_late(handler, job, now):
        return final(failure)
    return failure


def final(failure: Failed | Dead) -> Dead:
    """The same failure, after which there is no other attempt."""
    return Dead(failure.message, failure.traceback, failure.exception)


def _is_late(handler: JobHandler, job: ClaimedJob, now: datetime) -> bool:
    """The first failure never is: a job may have waited long, or have been requeued."""
    if handler.retry_for is None or job.attempt == 1:
        return False
    return now - datetime.fromtimestamp(job.enqueued_at, UTC) > handler.retry_for
