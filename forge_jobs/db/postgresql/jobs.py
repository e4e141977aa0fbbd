"""The job table: what becomes of jobs that were claimed."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import psycopg
from django.db import Error
from psycopg.pq import TransactionStatus

from forge_jobs.db.postgresql import prepared
from forge_jobs.db.postgresql.asking import asked_at_once
from forge_jobs.db.rows import Committed, Transition

CONFLICTS: Final = {"40001", "40P01", "55P03"}
"""Serialization failure, deadlock, lock timeout."""

INTERRUPT_SECONDS: Final = 1.0

# The planner is to go by the primary key. A LIMIT that is no constant hides the number of rows from
# it; "+ 0" the statistics of a column that is NULL in all but a few; "running" is left out of the
# guard (a claimed job is running, a constraint says so), which rules out the index of running jobs:
# it fills with dead entries; and a moment that is "not distinct", and an id in a list, are no keys
# to join by, for which all of an index might be read: a plan that is kept may be of an empty table.
#
# A job that is finished in this claim has been completed by its handler; it can only succeed.
SETTLE = """
UPDATE forge_jobs_job AS job
SET state = CASE
        WHEN job.finished_at >= job.started_at THEN 'succeeded'
        WHEN job.cancel_requested_at IS NULL OR new.finished_at IS NOT NULL THEN new.state
        ELSE 'cancelled'
    END,
    process_id = NULL,
    concurrency_slot = CASE
        WHEN job.finished_at >= job.started_at THEN NULL
        WHEN new.state = 'ready' AND job.cancel_requested_at IS NULL THEN job.concurrency_slot
    END,
    attempt = CASE
        WHEN job.finished_at >= job.started_at THEN job.attempt
        WHEN job.cancel_requested_at IS NULL OR new.finished_at IS NOT NULL OR new.state = 'ready'
            THEN new.attempt
        ELSE job.attempt
    END,
    run_at = coalesce(new.run_at, job.run_at),
    finished_at = CASE
        WHEN job.finished_at >= job.started_at THEN job.finished_at
        WHEN job.cancel_requested_at IS NULL OR new.finished_at IS NOT NULL THEN new.finished_at
        ELSE statement_timestamp()
    END,
    result = CASE WHEN job.finished_at >= job.started_at THEN job.result ELSE new.result END,
    last_error = CASE WHEN job.finished_at >= job.started_at THEN '' ELSE new.last_error END,
    progress = coalesce(new.progress, job.progress),
    process_name = coalesce(new.process_name, job.process_name),
    errors = CASE
        WHEN new.error IS NULL OR job.finished_at >= job.started_at THEN job.errors
        WHEN jsonb_array_length(job.errors) >= 32 THEN (job.errors - 0) || new.error
        ELSE job.errors || new.error
    END
FROM (
    SELECT
        (value ->> 0)::bigint AS id, (value ->> 1)::timestamptz AS claimed_at,
        value ->> 2 AS state, (value ->> 3)::integer AS attempt,
        (value ->> 4)::timestamptz AS finished_at,
        (value -> 5 ->> 0)::timestamptz AS run_at, (value -> 5 ->> 1)::jsonb AS result,
        (value -> 5 ->> 2)::jsonb AS error, coalesce(value -> 5 ->> 3, '') AS last_error,
        (value -> 5 ->> 4)::jsonb AS progress, value -> 5 ->> 5 AS process_name
    FROM jsonb_array_elements(%(rows)s)
    LIMIT (SELECT 1000000)
) AS new
WHERE job.id = ANY(ARRAY[new.id]) AND job.process_id + 0 = %(process)s
    AND job.started_at IS NOT DISTINCT FROM new.claimed_at
RETURNING job.id, job.state
"""

# For one job that brings nothing but its success, as that of an atomic handler and a lone one do:
# to parse and to plan the other is half of its work. Of a group's it is next to nothing.
SUCCEED = """
UPDATE forge_jobs_job
SET state = 'succeeded', process_id = NULL, concurrency_slot = NULL, last_error = '',
    finished_at = CASE WHEN finished_at >= started_at THEN finished_at ELSE %s END,
    result = CASE WHEN finished_at >= started_at THEN result ELSE %s::jsonb END
WHERE id = %s AND started_at IS NOT DISTINCT FROM %s::timestamptz AND process_id + 0 = %s
RETURNING id, state
"""

# Where the claim was lost it divides by nothing, so that it fails, and the rest of the message is
# left undone: the transaction is still there then. It is not if a trigger that waits for the commit
# divides so.
SUCCEED_AND_COMMIT = f"""
WITH settled AS ({SUCCEED})
SELECT 1 / count(*) FROM settled;
COMMIT
"""
DIVISION_BY_ZERO: Final = "22012"

HAS_SUCCEEDED = """
SELECT id FROM forge_jobs_job
WHERE id = %s AND started_at IS NOT DISTINCT FROM %s::timestamptz AND state = 'succeeded'
"""

FORGET = """
DELETE FROM forge_jobs_job AS job
USING (
    SELECT (value ->> 0)::bigint AS id, (value ->> 1)::timestamptz AS claimed_at
    FROM jsonb_array_elements(%s)
    LIMIT (SELECT 1000000)
) AS new
WHERE job.id = new.id AND job.process_id + 0 = %s
    AND job.started_at IS NOT DISTINCT FROM new.claimed_at AND job.batch_id IS NULL
    AND NOT EXISTS (SELECT FROM forge_jobs_predecessor WHERE job_id = job.id)
RETURNING job.id
"""


def settle(cursor: Any, *, process: int, transitions: Sequence[Transition]) -> dict[int, str]:
    """Write transitions out of `running`; returns the states of those whose claim still held."""
    if len(transitions) == 1 and transitions[0].is_bare_success:
        cursor.execute(SUCCEED, of_success(transitions[0], process=process))
    else:
        cursor.execute(SETTLE, {"rows": rows_of(transitions), "process": process})
    return dict(cursor.fetchall())


def settle_and_commit(
    connection: Any, *, process: int, transition: Transition, back: bytes
) -> Committed | None:
    """The same of one, at the end of a block of `atomic()`; None where others are to do both.

    By the same message the session goes the way `back`, unless others are to come after the commit,
    or the driver has to hear of it, which prepares statements of its own.
    """
    is_bare = transition.is_bare_success and not transition.is_forgotten
    if not (is_bare and _is_outermost(connection)):
        return None
    if connection.run_on_commit or connection.connection.prepare_threshold is not None:
        back = b""
    try:
        values = of_success(transition, process=process)
        is_done = asked_at_once(connection, _succeeding(back), values) is not None
    except Error as error:
        if _sqlstate(error) == DIVISION_BY_ZERO and _goes_on(connection):
            return Committed({}, is_left=False)
        if not (back and _has_succeeded(connection, transition)):
            raise
        is_done, back = True, b""
    if back and is_done:
        prepared.forget(connection.connection)
    return Committed({transition.id: transition.state}, bool(back)) if is_done else None


@lru_cache(maxsize=100)  # there is one for each thread that runs jobs
def _succeeding(back: bytes) -> str:
    way = back.decode().replace("%", "%%")
    return f"{SUCCEED_AND_COMMIT};{way}"


def _has_succeeded(connection: Any, transition: Transition) -> bool:
    """Whether it was only the way back that failed, after the COMMIT."""
    if connection.connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return False
    with connection.cursor() as cursor:
        cursor.execute(HAS_SUCCEEDED, [transition.id, transition.claimed_at])
        return cursor.fetchone() is not None


def _is_outermost(connection: Any) -> bool:
    """Whether Django commits at the end of the block that we are in."""
    return connection.in_atomic_block and connection.commit_on_exit and not connection.savepoint_ids


def _goes_on(connection: Any) -> bool:
    """Whether it was not the COMMIT that failed, as by a trigger that was deferred to it."""
    status = connection.connection.pgconn.transaction_status
    return bool(status == TransactionStatus.INERROR)


def of_success(transition: Transition, *, process: int) -> tuple[Any, ...]:
    pk, claimed_at, finished_at, result = transition.as_success()
    return finished_at, result, pk, claimed_at, process


def rows_of(transitions: Sequence[Transition]) -> str:
    return json.dumps([one.as_row() for one in transitions], default=as_text)


def forget(cursor: Any, *, process: int, transitions: Sequence[Transition]) -> set[int]:
    """Delete finished runs that nobody wants kept; returns the ids of those that are gone.

    What is in a batch, or comes before others, stays.
    """
    cursor.execute(FORGET, [json.dumps(transitions, default=as_text), process])
    return {row[0] for row in cursor.fetchall()}


def interrupt(connection: Any) -> None:
    """Break off, from another thread, the statement that a driver's connection waits for."""
    with suppress(psycopg.Error):
        connection.cancel_safe(timeout=INTERRUPT_SECONDS)


@lru_cache(maxsize=1_000)  # what ends together ends at one moment; to write it takes long
def as_text(moment: datetime) -> str:
    """A moment as the rows that travel as JSON carry it."""
    return moment.isoformat()


def is_locked(error: Error) -> bool:
    """Whether a statement failed because somebody else was writing."""
    return _sqlstate(error) in CONFLICTS


def _sqlstate(error: Error) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
