"""What becomes of a job after a run: one decision from the outcome, free of the database."""

import json
from datetime import datetime, timedelta
from typing import Any, Final

from forge_jobs import jsontext
from forge_jobs.backoff import RetryPolicy, delay_by
from forge_jobs.conf import conf
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.durations import LONGEST, clamped
from forge_jobs.exceptions import NotAResult, ProcessLost
from forge_jobs.handlers.border import class_path, failed, own
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
from forge_jobs.states import State

_LOST: Final = class_path(ProcessLost)
LONGEST_MESSAGE: Final = 2_000
LONGEST_TRACEBACK: Final = 8_000
LONGEST_NAME: Final = 300

UNSAID: Final = "The handler did not say why."
LONG_RUN: Final = timedelta(hours=1)

FORGIVEN: Final = "is_forgiven"
"""In a job's errors, what marks one that cost no attempt."""


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
                failure = _unreadable(fault)
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
        error=_error(job, failure, process_name=process_name, now=now),
        last_error=message,
    )


def stopped(process_name: str) -> Failed:
    """What a run comes to that its process broke off when it stopped, where that counts."""
    return Failed(f"Process {process_name} stopped before this run had ended.", exception=_LOST)


def released(job: ClaimedJob) -> Transition:
    """Back to where it was claimed from, with its attempt."""
    return Transition(job.id, job.claimed_at, State.READY, job.attempt - 1)


def trimmed(text: str, longest: int) -> str:
    """The text as a database can store it, with its middle left out where it is too long."""
    text = text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def result_text(result: Any) -> str:
    """As it is stored, in JSON; raises `NotAResult`."""
    try:
        text = jsontext.dumps(result, name="the result")
    except jsontext.NotJSON as error:
        raise NotAResult(f"The handler returned neither an outcome nor JSON: {error}") from None
    if jsontext.size(text) > (limit := conf().max_payload_bytes):
        raise NotAResult(
            f"The handler returned a result of {jsontext.size(text):,} bytes, more than the "
            f'{limit:,} of FORGE_JOBS["MAX_PAYLOAD_BYTES"].'
        )
    return text


def _is_spent(job: ClaimedJob) -> bool:
    return job.max_attempts is not None and job.attempt >= job.max_attempts


def _unreadable(error: BaseException) -> Failed:
    """A result that is not JSON is told in our words; what its own code raised is not ours."""
    if isinstance(error, NotAResult):
        return Failed(str(error), exception=class_path(type(error)))
    return failed(error, saying="The result could not be read")


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
        error=_error(job, outcome, process_name=process_name, now=now),
        last_error=_said(outcome),
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
        error=_error(job, failure, process_name=process_name, now=now, **{FORGIVEN: True}),
        last_error=trimmed(outcome.message, LONGEST_MESSAGE),
    )


def _error(
    job: ClaimedJob, outcome: Failed | Dead, *, process_name: str, now: datetime, **marks: bool
) -> str:
    return json.dumps(
        {
            **marks,
            "at": now.isoformat(),
            "attempt": job.attempt,
            "message": _said(outcome),
            "exception": trimmed(outcome.exception, LONGEST_NAME),
            "traceback": trimmed(outcome.traceback, LONGEST_TRACEBACK),
            "started_at": job.started_at.isoformat() if job.claimed_at else None,
            "process": process_name,
        },
        ensure_ascii=False,
    )


def _said(outcome: Failed | Dead) -> str:
    """Never nothing: a dead letter without a word would look like one that has not failed."""
    return trimmed(outcome.message if outcome.message.strip() else UNSAID, LONGEST_MESSAGE)
