"""What a process looks at again and again: little, for all who would else ask one by one."""

from typing import Any

from forge_jobs.db.signs import Beats, Horizon, Signs

READY_QUEUES = """
WITH RECURSIVE found (queue) AS (
    (SELECT queue FROM forge_jobs_job WHERE state = 'ready' ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT (
        SELECT queue
        FROM forge_jobs_job
        WHERE state = 'ready' AND queue > found.queue
        ORDER BY queue
        LIMIT 1
    )
    FROM found
    WHERE found.queue IS NOT NULL
)
SELECT queue FROM found WHERE queue IS NOT NULL
"""

FOLLOWERS = """
SELECT EXISTS (SELECT 1 FROM forge_jobs_gate WHERE NOT is_done)
    OR EXISTS (SELECT 1 FROM forge_jobs_batch WHERE ended_at IS NULL)
"""

HORIZON = f"""
SELECT
    (
        SELECT run_at
        FROM forge_jobs_job
        WHERE state IN ('scheduled', 'retrying')
        ORDER BY run_at, id
        LIMIT 1
    ),
    (
        SELECT next_fire_at
        FROM forge_jobs_schedule
        WHERE is_enabled AND NOT is_over AND next_fire_at IS NOT NULL
        ORDER BY next_fire_at
        LIMIT 1
    ),
    EXISTS (
        SELECT 1 FROM forge_jobs_schedule WHERE is_enabled AND NOT is_over AND next_fire_at IS NULL
    ),
    (
        SELECT expires_at
        FROM forge_jobs_job
        WHERE expires_at IS NOT NULL AND finished_at IS NULL
        ORDER BY expires_at, id
        LIMIT 1
    ),
    (
        SELECT concurrency_key
        FROM forge_jobs_job
        WHERE state = 'blocked'
        ORDER BY concurrency_key, run_at, id
        LIMIT 1
    ) IS NOT NULL,
    ({FOLLOWERS})
"""

# Rows are told from what they were by who wrote them: each change has a newer transaction.
SIGNS = f"""
SELECT
    (SELECT requested_state FROM forge_jobs_process WHERE id = %(process)s),
    (SELECT (count(*), sum(xmin::text::bigint))::text FROM forge_jobs_queue),
    ARRAY({READY_QUEUES}),
    ({FOLLOWERS}),
    horizon.*
FROM (VALUES (0)) AS always
LEFT JOIN LATERAL ({HORIZON} WHERE %(leads)s) AS horizon ON true
"""

BEATS = """
SELECT clock_timestamp(), process.id, process.heartbeat_at
FROM (VALUES (0)) AS always
LEFT JOIN forge_jobs_process AS process ON true
"""


def commits(cursor: Any) -> object:
    """Differs from what it was if others may have committed since; here it always does."""
    return object()


def may_be_outdated(cursor: Any, before: object) -> bool:
    """Never: a row that is changed back has other signs than before."""
    return False


def signs(cursor: Any, *, process: int, leads: bool) -> Signs:
    """What was asked of a process, how the queues' rows are, which queues have ready jobs, and
    whether anything comes after jobs; for whoever leads, what will be due."""
    cursor.execute(SIGNS, {"process": process, "leads": leads})
    order, queues, ready, has_followers, *seen = cursor.fetchone()
    return Signs(order, queues, ready, has_followers, Horizon(*seen) if leads else None)


def ready_queues(cursor: Any) -> list[str]:
    """The queues that have ready jobs, in order."""
    cursor.execute(READY_QUEUES)
    return [queue for (queue,) in cursor.fetchall()]


def horizon(cursor: Any) -> Horizon:
    """When the first job, and the first schedule, is due, and the first job expires; whether any
    schedule is to be planned, and whether anything waits for a key or comes after jobs."""
    cursor.execute(HORIZON)
    return Horizon(*cursor.fetchone())


def beats(cursor: Any) -> Beats:
    """What each process last said, and what time it is."""
    cursor.execute(BEATS)
    rows = cursor.fetchall()
    return Beats(rows[0][0], {pk: said for _, pk, said in rows if pk is not None})
