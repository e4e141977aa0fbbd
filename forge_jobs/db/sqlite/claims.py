"""Claims: the hot path's way in."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from forge_jobs.db.rows import ClaimedJob, Position
from forge_jobs.db.sqlite.jobs import as_text

TAKE = """
UPDATE forge_jobs_job
SET state = 'running', attempt = min(attempt, 2147483646) + 1, process_id = %(process)s,
    started_at = %(now)s, has_begun = false
"""

# Moments stay texts: to make a datetime of each would take as long as all else of a claim, and one
# that is none would break it.
CLAIMED = """
RETURNING
    id, queue, kind, payload, context, priority, run_at || '', attempt, max_attempts,
    timeout_seconds, concurrency_key, (julianday(enqueued_at) - 2440587.5) * 86400.0,
    (julianday(expires_at) - 2440587.5) * 86400.0
"""

OPEN = """
NOT EXISTS (
    SELECT 1 FROM forge_jobs_queue
    WHERE name = %(queue)s AND (is_paused OR throttled_until > %(now)s)
)
"""

# Asked first, because even an UPDATE that finds nothing takes the write lock from everybody else.
PEEK = f"""
SELECT 1 FROM forge_jobs_job
WHERE state = 'ready' AND queue = %(queue)s
    AND kind IN (SELECT value FROM json_each(%(kinds)s))
    AND {OPEN}
LIMIT 1
"""

CLAIM = f"""
{TAKE}
WHERE id IN (
    SELECT id FROM forge_jobs_job
    WHERE state = 'ready' AND queue = %(queue)s
        AND kind IN (SELECT value FROM json_each(%(kinds)s))
        AND {OPEN}
    ORDER BY priority DESC, run_at, id
    LIMIT %(limit)s
)
{CLAIMED}
"""

# The same two from where the last claim stopped, for jobs of kinds that are not asked for may lie
# at the front by the thousand. Those of its moment apart, for SQLite would walk over all of these.
AFTER = """
SELECT id FROM (
    SELECT id FROM forge_jobs_job
    WHERE state = 'ready' AND queue = %(queue)s AND priority = %(after_priority)s
        AND run_at = %(after_run_at)s AND id > %(after_id)s
        AND kind IN (SELECT value FROM json_each(%(kinds)s))
    ORDER BY id
    LIMIT %(limit)s
)
UNION ALL
SELECT id FROM (
    SELECT id FROM forge_jobs_job
    WHERE state = 'ready' AND queue = %(queue)s AND priority = %(after_priority)s
        AND run_at > %(after_run_at)s
        AND kind IN (SELECT value FROM json_each(%(kinds)s))
    ORDER BY run_at, id
    LIMIT %(limit)s
)
LIMIT %(limit)s
"""

PEEK_AFTER = f"SELECT 1 FROM ({AFTER}) WHERE {OPEN} LIMIT 1"

CLAIM_AFTER = f"""
{TAKE}
WHERE id IN ({AFTER}) AND {OPEN}
{CLAIMED}
"""

ALL: Final = -1
"""What a LIMIT is that limits nothing."""

READY_AMONG = """
SELECT asked.value
FROM json_each(%(queues)s) AS asked
WHERE EXISTS (
    SELECT 1
    FROM (
        SELECT kind FROM forge_jobs_job
        WHERE state = 'ready' AND queue = asked.value
        ORDER BY priority DESC, run_at, id
        LIMIT %(depth)s
    )
    WHERE kind IN (SELECT value FROM json_each(%(kinds)s))
)
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
    claimed_at = as_text(now)
    values: dict[str, Any] = {"queue": queue, "kinds": json.dumps(kinds), "now": claimed_at}
    if after:
        values |= {f"after_{name}": value for name, value in after._asdict().items()}
    cursor.execute(PEEK_AFTER if after else PEEK, values | {"limit": 1})
    if cursor.fetchone() is None:
        return []
    values |= {"limit": limit, "process": process}
    cursor.execute(CLAIM_AFTER if after else CLAIM, values)
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
    """Take up to `limit` ready jobs of several queues: all of one, then those of the next.

    There is no round trip to spare, but there are commits.
    """
    among = ready_among(cursor, queues={tuple(kinds): queues}, depth=None)
    if not (ready := {name for _, name in among}):
        return []
    claimed_at = as_text(now)
    values = {"kinds": json.dumps(kinds), "now": claimed_at, "process": process}
    rows: list[tuple[Any, ...]] = []
    with transaction.atomic(using=cursor.db.alias):
        for queue in [queue for queue in queues if queue in ready]:
            cursor.execute(CLAIM, values | {"queue": queue, "limit": limit - len(rows)})
            rows += cursor.fetchall()
            if len(rows) == limit:
                break
    return [ClaimedJob._make((*row, claimed_at)) for row in rows]


def ready_among(
    cursor: Any, *, queues: Mapping[tuple[str, ...], Sequence[str]], depth: int | None
) -> set[tuple[tuple[str, ...], str]]:
    """Of queues, by the kinds that each is asked for, those that have any of them ready.

    Among so many of a queue's jobs that are claimed first, or, if `depth` is None, among all.
    """
    ready = set()
    limit = {"depth": ALL if depth is None else depth}
    for kinds, names in queues.items():
        asked = {"queues": json.dumps(names), "kinds": json.dumps(kinds)}
        cursor.execute(READY_AMONG, asked | limit)
        ready |= {(kinds, queue) for (queue,) in cursor.fetchall()}
    return ready
