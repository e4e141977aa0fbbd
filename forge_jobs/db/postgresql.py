"""The statements that the ORM can't say, for PostgreSQL; twins of those in `sqlite`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import starmap
from typing import Any

from django.db import Error

from forge_jobs.db.rows import ClaimedJob, InsertedRow, KeyHolder, NewRow, Position, Transition

INSERT = """
INSERT INTO forge_jobs_job (
    queue, kind, payload, priority, state, run_at, max_attempts, timeout_seconds,
    dedupe_key, idempotency_key, context
)
SELECT
    queue, kind, payload, priority, state, coalesce(run_at, statement_timestamp()), max_attempts,
    timeout_seconds, dedupe_key, idempotency_key, context
FROM unnest(
    %s::text[], %s::text[], %s::jsonb[], %s::smallint[], %s::text[], %s::timestamptz[],
    %s::integer[], %s::float8[], %s::text[], %s::text[], %s::jsonb[]
) WITH ORDINALITY AS new (
    queue, kind, payload, priority, state, run_at, max_attempts, timeout_seconds,
    dedupe_key, idempotency_key, context, place
)
ORDER BY place
ON CONFLICT DO NOTHING
RETURNING id, dedupe_key, idempotency_key
"""

INSERT_ONE = """
INSERT INTO forge_jobs_job (
    queue, kind, payload, priority, state, run_at, max_attempts, timeout_seconds,
    dedupe_key, idempotency_key, context
)
VALUES (%s, %s, %s, %s, %s, coalesce(%s, statement_timestamp()), %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
RETURNING id, dedupe_key, idempotency_key, run_at, enqueued_at
"""

# The states are those that the partial unique index names.
FIND = """
SELECT id, dedupe_key, NULL FROM forge_jobs_job
WHERE dedupe_key = ANY(%(dedupe_keys)s)
    AND state IN ('scheduled', 'ready', 'running', 'retrying')
UNION ALL
SELECT id, NULL, idempotency_key FROM forge_jobs_job
WHERE idempotency_key = ANY(%(idempotency_keys)s)
"""

# MATERIALIZED is a fence: without it, LIMIT may be exceeded.
CLAIM = """
WITH next AS MATERIALIZED (
    SELECT id FROM forge_jobs_job
    WHERE state = 'ready' AND queue = %(queue)s AND kind = ANY(%(kinds)s)
    ORDER BY priority DESC, run_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE forge_jobs_job AS job
SET state = 'running', attempt = attempt + 1, process_id = %(process)s, started_at = %(now)s
FROM next WHERE job.id = next.id
RETURNING
    job.id, job.queue, job.kind, job.payload, job.context, job.priority, job.run_at, job.attempt,
    job.max_attempts, job.timeout_seconds
"""

# The same, from where the last claim stopped: index entries of jobs that are gone, which another
# session's snapshot may keep from being removed, are not walked over again.
CLAIM_AFTER = """
WITH next AS MATERIALIZED (
    SELECT id FROM forge_jobs_job
    WHERE state = 'ready' AND queue = %(queue)s AND kind = ANY(%(kinds)s)
        AND priority = %(after_priority)s AND (run_at, id) > (%(after_run_at)s, %(after_id)s)
    ORDER BY run_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE forge_jobs_job AS job
SET state = 'running', attempt = attempt + 1, process_id = %(process)s, started_at = %(now)s
FROM next WHERE job.id = next.id
RETURNING
    job.id, job.queue, job.kind, job.payload, job.context, job.priority, job.run_at, job.attempt,
    job.max_attempts, job.timeout_seconds
"""

# "running" is left out of the guard on purpose: a claimed job is running (a constraint says so),
# and without the word the planner can only go by the primary key, never by the index of running
# jobs, which fills with dead entries.
SETTLE = """
UPDATE forge_jobs_job AS job
SET state = new.state,
    process_id = NULL,
    attempt = new.attempt,
    run_at = coalesce(new.run_at, job.run_at),
    finished_at = new.finished_at,
    result = new.result,
    last_error = new.last_error,
    errors = CASE
        WHEN new.error IS NULL THEN job.errors
        WHEN jsonb_array_length(job.errors) >= 32 THEN (job.errors - 0) || new.error
        ELSE job.errors || new.error
    END
FROM unnest(
    %s::bigint[], %s::integer[], %s::text[], %s::integer[], %s::timestamptz[], %s::timestamptz[],
    %s::jsonb[], %s::jsonb[], %s::text[]
) AS new (
    id, claimed_attempt, state, attempt, run_at, finished_at, result, error, last_error
)
WHERE job.id = new.id AND job.process_id = %s AND job.attempt = new.claimed_attempt
RETURNING job.id
"""

STAGE = """
WITH due AS MATERIALIZED (
    SELECT id FROM forge_jobs_job
    WHERE state IN ('scheduled', 'retrying') AND run_at <= %(now)s
    ORDER BY run_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE forge_jobs_job AS job SET state = 'ready' FROM due WHERE job.id = due.id
RETURNING job.queue
"""


def insert(cursor: Any, rows: Sequence[NewRow]) -> list[InsertedRow]:
    """Insert in order; a row whose dedupe or idempotency key is taken is left out."""
    if len(rows) == 1:
        cursor.execute(INSERT_ONE, rows[0])
    else:
        cursor.execute(INSERT, [list(column) for column in zip(*rows, strict=True)])
    return sorted(starmap(InsertedRow, cursor.fetchall()))


def find(cursor: Any, rows: Sequence[NewRow]) -> list[KeyHolder]:
    """Find the jobs that hold the keys of rows."""
    cursor.execute(
        FIND,
        {
            "dedupe_keys": [row.dedupe_key for row in rows if row.dedupe_key],
            "idempotency_keys": [row.idempotency_key for row in rows if row.idempotency_key],
        },
    )
    return list(map(KeyHolder._make, cursor.fetchall()))


def claim(
    cursor: Any,
    *,
    queue: str,
    kinds: Sequence[str],
    limit: int,
    process: int,
    now: datetime,
    after: Position | None,
) -> list[ClaimedJob]:
    """Take up to `limit` ready jobs of a queue for a process, in any order."""
    values = {"queue": queue, "kinds": kinds, "limit": limit, "process": process, "now": now}
    if after is None:
        cursor.execute(CLAIM, values)
    else:
        position = {f"after_{name}": value for name, value in after._asdict().items()}
        cursor.execute(CLAIM_AFTER, values | position)
    return list(map(ClaimedJob._make, cursor.fetchall()))


def settle(cursor: Any, *, process: int, transitions: Sequence[Transition]) -> Collection[int]:
    """Write transitions out of `running`; returns the ids whose claim still held."""
    cursor.execute(SETTLE, [*map(list, zip(*transitions, strict=True)), process])
    return {row[0] for row in cursor.fetchall()}


def stage(cursor: Any, *, now: datetime, limit: int) -> list[str]:
    """Make up to `limit` due jobs ready; returns the queue of each."""
    cursor.execute(STAGE, {"now": now, "limit": limit})
    return [row[0] for row in cursor.fetchall()]


def is_locked(error: Error) -> bool:
    """Whether a statement failed because somebody else was writing."""
    return False
