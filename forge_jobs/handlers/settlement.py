"""What becomes of a job after a run: one decision from the outcome, free of the database."""

from datetime import datetime, timedelta
from typing import Final

from forge_jobs.backoff import RetryPolicy, delay_by
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.durations import LONGEST, clamped
from forge_jobs.exceptions import ProcessLost
from forge_jobs.handlers.border import class_path, own
from forge_jobs.handlers.outcomes import (
    Cancelled,
    Dead,
    Done,
    Failed,
    Interrupted,
    Outcome,
    Snoozed,
    Throttled,
)
from forge_jobs.handlers.settlement_texts import (
    FORGIVEN,
    error_text,
    result_text,
    said,
    unreadable,
)
from forge_jobs.states import State
from forge_jobs.wording import LONGEST_MESSAGE, trimmed

_LOST: Final = class_path(ProcessLost)
LONG_RUN: Final = timedelta(hours=1)


def settle(
    job: ClaimedJob,
    outcome: Outcome,
    *,
    policy: RetryPolicy,
    now: datetime,
    process_name: str = "",
    error: BaseException | None = None,
    has_moved: bool = False,
) -> Transition:
    """Where the job goes from `running`; a failure is stored with the process it happened in.

    `error` is the exception that was the cause, for policies that look at it. A failure costs no
    attempt if the run `has_moved` its cursor: where rows fail, each at last spends all of them.

    Whatever a handler returned can be settled: a result that is not JSON is a failure.
    """
    match outcome if type(outcome) is Done else own(outcome):
        case Done(None):
            return Transition(job.id, job.claimed_at, State.SUCCEEDED, job.attempt, finished_at=now)
        case Done(result):
            try:
                text = result_text(result)
            except BaseException as fault:
                failure = unreadable(fault)
                return settle(job, failure, policy=policy, now=now, process_name=process_name)
            return Transition(
                job.id, job.claimed_at, State.SUCCEEDED, job.attempt, finished_at=now, result=text
            )
        case Failed() as failure if has_moved or not _is_spent(job):
            job = _rested(job, now=now)
            transition = _failed(job, failure, State.RETRYING, process_name=process_name, now=now)
            attempt = transition.attempt - 1 if has_moved else transition.attempt
            return transition._replace(run_at=now + _delay(policy, job, error), attempt=attempt)
        case Failed() | Dead() as failure:
            transition = _failed(job, failure, State.DEAD, process_name=process_name, now=now)
            return transition._replace(finished_at=now)
        case Throttled(retry_after):
            return _put_off(job, now + retry_after, attempt=job.attempt - 1, now=now)
        case Snoozed() as snoozed:
            return _put_off(job, snoozed.due(now=now), attempt=0, now=now)
        case Cancelled(reason):
            return Transition(
                job.id,
                job.claimed_at,
                State.CANCELLED,
                job.attempt,
                finished_at=now,
                last_error=trimmed(reason, LONGEST_MESSAGE),
            )
        case Interrupted() as interrupted:
            return _interrupted(job, interrupted, process_name=process_name, now=now)
    return released(job)


def as_resident(outcome: Outcome) -> Outcome:
    """What an outcome means for a job that is there for ever."""
    match outcome:
        case Done():
            return Failed("A resident job can only snooze: return Snoozed(delay=...).")
        case Dead(message):
            return Failed(message, outcome.traceback, outcome.exception)
    return outcome


def lost(
    job: ClaimedJob,
    message: str,
    *,
    has_begun: bool,
    has_moved: bool = False,
    now: datetime,
    process_name: str = "",
) -> Transition:
    """Where a job goes whose process was lost: the attempt is spent, unless it had not begun, or
    has moved its cursor.
    """
    if job.is_on_record and not has_begun:
        return released(job)
    spent = not has_moved and _is_spent(job)
    failure = Failed(message, exception=_LOST)
    return Transition(
        job.id,
        job.claimed_at,
        State.DEAD if spent else State.READY,
        job.attempt - 1 if has_moved else job.attempt,
        finished_at=now if spent else None,
        error=error_text(job, failure, process_name=process_name, now=now),
        last_error=message,
    )


def stopped(process_name: str) -> Failed:
    """What a run comes to that its process broke off when it stopped, where that counts."""
    return Failed(f"Process {process_name} stopped before this run had ended.", exception=_LOST)


def released(job: ClaimedJob) -> Transition:
    """Back to where it was claimed from, with its attempt."""
    return Transition(job.id, job.claimed_at, State.READY, job.attempt - 1)


def _is_spent(job: ClaimedJob) -> bool:
    return job.max_attempts is not None and job.attempt >= job.max_attempts


def _rested(job: ClaimedJob, *, now: datetime) -> ClaimedJob:
    """Attempts without a limit are counted anew once one has gone well for long."""
    if job.max_attempts is None and job.claimed_at and now - job.started_at > LONG_RUN:
        return job._replace(attempt=1)
    return job


def _delay(policy: RetryPolicy, job: ClaimedJob, error: BaseException | None) -> timedelta:
    """A policy may count down to a moment that is over."""
    delay = delay_by(policy, job.attempt, error=error, job=job)
    if isinstance(delay, timedelta):
        delay = max(timedelta(0), delay)
    return clamped(delay, field="the delay")


def _put_off(job: ClaimedJob, run_at: datetime, *, attempt: int, now: datetime) -> Transition:
    """What lies as far ahead as can be was probably meant to lie further."""
    cut = (
        f"Put off for {LONGEST.days:,} days, the longest there is."
        if run_at == now + LONGEST
        else ""
    )
    return Transition(
        job.id, job.claimed_at, State.SCHEDULED, attempt, run_at=run_at, last_error=cut
    )


def _failed(
    job: ClaimedJob,
    outcome: Failed | Dead,
    state: State,
    *,
    process_name: str,
    now: datetime,
) -> Transition:
    return Transition(
        job.id,
        job.claimed_at,
        state,
        job.attempt,
        error=error_text(job, outcome, process_name=process_name, now=now),
        last_error=said(outcome),
    )


def _interrupted(
    job: ClaimedJob, outcome: Interrupted, *, process_name: str, now: datetime
) -> Transition:
    failure = Failed(outcome.message)
    return Transition(
        job.id,
        job.claimed_at,
        State.RETRYING,
        job.attempt - 1,
        run_at=now + outcome.delay,
        error=error_text(job, failure, process_name=process_name, now=now, **{FORGIVEN: True}),
        last_error=trimmed(outcome.message, LONGEST_MESSAGE),
    )
