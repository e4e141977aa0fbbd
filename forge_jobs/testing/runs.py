"""Runs jobs here and now, in the caller's thread and transaction, as a worker would."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from forge_jobs import clock
from forge_jobs.backoff import Fixed
from forge_jobs.db.rows import ClaimedJob, NewRow
from forge_jobs.enqueueing.draft import Draft
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.outcomes import Done, Failed, Outcome
from forge_jobs.handlers.settlement import settle
from forge_jobs.runtime.running.run import Run
from forge_jobs.states import State
from forge_jobs.testing.inline import inline
from forge_jobs.testing.ran import Drained
from forge_jobs.testing.worker import LoneWorker


def drain(
    *,
    queues: Iterable[str] | None = None,
    until: Callable[[], bool] | None = None,
    max_jobs: int | None = None,
) -> Drained:
    """Run what is due, and what that enqueues, until nothing is left that is due.

    Of some `queues`, or of all; not beyond the moment when `until` returns true, which is asked
    after each job; no more than `max_jobs`. A job that fails is due again after its policy's delay:
    see `frozen_at()`. What no handler is registered for stays.

    Raises `UnknownQueue` for a queue that is not declared.
    """
    with inline(queues=queues) as jobs:
        return Drained(jobs.run_all(until=until, max_jobs=max_jobs))


def run(
    handler: str | JobHandler,
    payload: dict[str, Any] | None = None,
    *,
    attempt: int = 1,
    context: dict[str, Any] | None = None,
) -> Outcome:
    """What one run of a handler comes to, without a job in the database.

    Nothing is settled: a `Failed` says what failed, not whether it would be tried again. Raises as
    `enqueue()` does for what could not have been enqueued.
    """
    row = Draft.of(handler, context=context).row({} if payload is None else payload)
    job = _claimed(row, attempt=attempt)
    outcome = LoneWorker().outcome_of(Run(job, process_name="testing"))[0]
    if isinstance(outcome, Done):
        transition = settle(job, outcome, policy=Fixed(delay=timedelta(0)), now=clock.now())
        if transition.state is not State.SUCCEEDED:
            return Failed(transition.last_error)
    return outcome


def _claimed(row: NewRow, *, attempt: int) -> ClaimedJob:
    now = clock.now()
    return ClaimedJob(
        0,
        row.queue,
        row.kind,
        row.payload,
        row.context,
        row.priority,
        now,
        attempt,
        max(attempt, row.max_attempts) if row.max_attempts else None,
        row.timeout_seconds,
        row.concurrency_key,
        now.timestamp(),
        claimed_at=now.isoformat(),
    )
