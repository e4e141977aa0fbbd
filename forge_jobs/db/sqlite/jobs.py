"""The job table: what becomes of jobs that were claimed."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from django.db import Error

from forge_jobs.db.rows import Committed, Transition

NOW: Final = "replace(strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now') || '000', '.000000', '')"
"""The present moment as Django stores one; by three digits alone it would be less than itself."""

# A job that is finished in this claim has been completed by its handler; it can only succeed.
SETTLE = f"""
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
    run_at = coalesce(json_extract(new.rest, '$[0]'), job.run_at),
    finished_at = CASE
        WHEN job.finished_at >= job.started_at THEN job.finished_at
        WHEN job.cancel_requested_at IS NULL OR new.finished_at IS NOT NULL THEN new.finished_at
        ELSE {NOW}
    END,
    result = CASE
        WHEN job.finished_at >= job.started_at THEN job.result
        ELSE json_extract(new.rest, '$[1]')
    END,
    last_error = CASE
        WHEN job.finished_at >= job.started_at THEN ''
        ELSE coalesce(json_extract(new.rest, '$[3]'), '')
    END,
    progress = coalesce(json_extract(new.rest, '$[4]'), job.progress),
    process_name = coalesce(json_extract(new.rest, '$[5]'), job.process_name),
    errors = CASE
        WHEN json_extract(new.rest, '$[2]') IS NULL OR job.finished_at >= job.started_at
            THEN job.errors
        WHEN json_array_length(job.errors) >= 32 THEN json_insert(
            json_remove(job.errors, '$[0]'), '$[#]', json(json_extract(new.rest, '$[2]'))
        )
        ELSE json_insert(job.errors, '$[#]', json(json_extract(new.rest, '$[2]')))
    END
FROM (
    SELECT
        json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS claimed_at,
        json_extract(value, '$[2]') AS state, json_extract(value, '$[3]') AS attempt,
        json_extract(value, '$[4]') AS finished_at, json_extract(value, '$[5]') AS rest
    FROM json_each(%(rows)s)
) AS new
WHERE job.id = new.id AND job.process_id = %(process)s AND job.started_at = new.claimed_at
RETURNING id, state
"""

# For groups that bring nothing but successes, as most do: the other takes a third longer for these.
# PostgreSQL's twin is for one alone, for of a group it would save nothing that can be measured.
SUCCEED = """
UPDATE forge_jobs_job AS job
SET state = 'succeeded', process_id = NULL, concurrency_slot = NULL, last_error = '',
    finished_at = CASE
        WHEN job.finished_at >= job.started_at THEN job.finished_at
        ELSE json_extract(new.value, '$[2]')
    END,
    result = CASE
        WHEN job.finished_at >= job.started_at THEN job.result
        ELSE json_extract(new.value, '$[3]')
    END
FROM json_each(%(rows)s) AS new
WHERE job.id = json_extract(new.value, '$[0]') AND job.process_id = %(process)s
    AND job.started_at = json_extract(new.value, '$[1]')
RETURNING id, state
"""

FORGET = """
DELETE FROM forge_jobs_job
WHERE process_id = %(process)s AND (id, started_at) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(%(rows)s)
) AND batch_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM forge_jobs_predecessor WHERE job_id = forge_jobs_job.id)
RETURNING id
"""


def settle(cursor: Any, *, process: int, transitions: Sequence[Transition]) -> dict[int, str]:
    """Write transitions out of `running`; returns the states of those whose claim still held."""
    if all(one.is_bare_success for one in transitions):
        rows = as_json([one.as_success() for one in transitions])
        cursor.execute(SUCCEED, {"rows": rows, "process": process})
    else:
        cursor.execute(SETTLE, {"rows": rows_of(transitions), "process": process})
    return dict(cursor.fetchall())


def settle_and_commit(
    connection: Any, *, process: int, transition: Transition, back: bytes
) -> Committed | None:
    """Always None: to ask for both at once would save nothing here."""
    return None


def forget(cursor: Any, *, process: int, transitions: Sequence[Transition]) -> set[int]:
    """Delete finished runs that nobody wants kept; returns the ids of those that are gone.

    What is in a batch, or comes before others, stays.
    """
    cursor.execute(FORGET, {"rows": as_json(transitions), "process": process})
    return {row[0] for row in cursor.fetchall()}


def interrupt(connection: Any) -> None:
    """Break off, from another thread, the statement that a driver's connection waits for."""
    connection.interrupt()


@lru_cache(maxsize=1_000)  # what ends together ends at one moment; to write it takes long
def as_text(moment: datetime) -> str:
    """A moment as Django's SQLite backend stores it, and the rows that travel as JSON carry it."""
    return moment.astimezone(UTC).isoformat(" ")[: -len("+00:00")]


def is_locked(error: Error) -> bool:
    """Whether a statement failed because somebody else was writing."""
    code = getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def rows_of(transitions: Sequence[Transition]) -> str:
    return as_json([one.as_row() for one in transitions])


def as_json(rows: Sequence[tuple[Any, ...]]) -> str:
    return json.dumps(rows, default=as_value)


def as_value(value: Any) -> Any:
    return as_text(value) if isinstance(value, datetime) else value


def aware(moment: datetime) -> datetime:
    """A moment as Django's converter hands it over: naive, in UTC."""
    return moment.replace(tzinfo=UTC)
