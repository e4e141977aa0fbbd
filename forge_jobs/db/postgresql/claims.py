"""Claims: the hot path's way in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from forge_jobs.db.postgresql.jobs import as_text
from forge_jobs.db.rows import ClaimedJob, Position

TAKE = """
UPDATE forge_jobs_job
SET state = 'running', attempt = least(attempt, 2147483646) + 1, process_id = %(process)s,
    started_at = %(now)s, has_begun = false
"""

JOB_COLUMNS = """
    id, queue, kind, payload, context, priority, run_at, attempt, max_attempts, timeout_seconds,
    concurrency_key, extract(epoch FROM enqueued_at)::float8, extract(epoch FROM expires_at)::float8
"""
CLAIMED = f"RETURNING {JOB_COLUMNS}"

# ARRAY() hides from the planner how many rows it will be. Knowing, it would scan a table of up to
# some 100,000 rows rather than look a few hundred up by their keys.
CLAIM = f"""
{TAKE}
WHERE id = ANY(ARRAY(
    SELECT id FROM forge_jobs_job
    WHERE state = 'ready' AND queue = %(queue)s AND kind = ANY(%(kinds)s)
        AND NOT EXISTS (
            SELECT FROM forge_jobs_queue
            WHERE name = %(queue)s AND (is_paused OR throttled_until > %(now)s)
        )
    ORDER BY priority DESC, run_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))
{CLAIMED}
"""

# The same, from where the last claim stopped: index entries of jobs that are gone, which another
# session's snapshot may keep from being removed, are not walked over again.
CLAIM_AFTER = f"""
{TAKE}
WHERE id = ANY(ARRAY(
    SELECT id FROM forge_jobs_job
    WHERE state = 'ready' AND queue = %(queue)s AND kind = ANY(%(kinds)s)
        AND priority = %(after_priority)s AND (run_at, id) > (%(after_run_at)s, %(after_id)s)
        AND NOT EXISTS (
            SELECT FROM forge_jobs_queue
            WHERE name = %(queue)s AND (is_paused OR throttled_until > %(now)s)
        )
    ORDER BY run_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))
{CLAIMED}
"""

# The same from the fronts of several queues, one after the other: LATERAL leaves no other way to
# join, and the LIMIT outside ends it. So those before the last that it took from have no more.
CLAIM_AMONG = f"""
{TAKE}
WHERE id = ANY(ARRAY(
    SELECT front.id
    FROM unnest(%(queues)s::text[]) AS served (name)
    CROSS JOIN LATERAL (
        SELECT id FROM forge_jobs_job
        WHERE state = 'ready' AND queue = served.name AND kind = ANY(%(kinds)s)
            AND NOT EXISTS (
                SELECT FROM forge_jobs_queue
                WHERE name = served.name AND (is_paused OR throttled_until > %(now)s)
            )
        ORDER BY priority DESC, run_at, id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ) AS front
    LIMIT %(limit)s
))
{CLAIMED}
"""

# Neither LATERAL nor the order is needed but by the planner: it may read the whole table else.
# Arrays of arrays are to be of one length, so each is read from a text, and once.
READY_AMONG = """
WITH kinds AS MATERIALIZED (
    SELECT number, written::text[] AS these
    FROM unnest(%(kinds)s::text[]) WITH ORDINALITY AS kinds (written, number)
)
SELECT asked.number, asked.queue
FROM unnest(%(numbers)s::integer[], %(queues)s::text[]) AS asked (number, queue)
JOIN kinds ON kinds.number = asked.number
CROSS JOIN LATERAL (
    SELECT FROM (
        SELECT kind FROM forge_jobs_job
        WHERE state = 'ready' AND queue = asked.queue
        ORDER BY priority DESC, run_at, id
        LIMIT %(depth)s
    ) AS first
    WHERE kind = ANY(kinds.these)
    LIMIT 1
) AS front
"""


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
    claimed_at = as_text(now)
    return [ClaimedJob._make((*row, claimed_at)) for row in cursor.fetchall()]


def claim_among(
    cursor: Any,
    *,
    queues: Sequence[str],
    kinds: Sequence[str],
    limit: int,
    process: int,
    now: datetime,
) -> list[ClaimedJob]:
    """Take up to `limit` ready jobs of several queues: all of one, then those of the next."""
    values = {"queues": queues, "kinds": kinds, "limit": limit, "process": process, "now": now}
    cursor.execute(CLAIM_AMONG, values)
    claimed_at = as_text(now)
    return [ClaimedJob._make((*row, claimed_at)) for row in cursor.fetchall()]


def ready_among(
    cursor: Any, *, queues: Mapping[tuple[str, ...], Sequence[str]], depth: int | None
) -> set[tuple[tuple[str, ...], str]]:
    """Of queues, by the kinds that each is asked for, those that have any of them ready.

    Among so many of a queue's jobs that are claimed first, or, if `depth` is None, among all.
    """
    cursor.execute(READY_AMONG, asked_among(queues, depth=depth))
    kinds = list(queues)
    return {(kinds[number - 1], queue) for number, queue in cursor.fetchall()}


def asked_among(
    queues: Mapping[tuple[str, ...], Sequence[str]], *, depth: int | None
) -> dict[str, Any]:
    asked = [(number, queue) for number, these in enumerate(queues, 1) for queue in queues[these]]
    return {
        "kinds": [as_array(these) for these in queues],
        "numbers": [number for number, _ in asked],
        "queues": [queue for _, queue in asked],
        "depth": depth,
    }


@lru_cache
def as_array(kinds: tuple[str, ...]) -> str:
    """Kinds as PostgreSQL reads an array of them."""
    quoted = (kind.replace("\\", "\\\\").replace('"', '\\"') for kind in kinds)
    return "{" + ",".join(f'"{kind}"' for kind in quoted) + "}"
