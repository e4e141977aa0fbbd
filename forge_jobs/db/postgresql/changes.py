"""What a process looks at again and again: little, for all who would else ask one by one."""

from typing import Any

from forge_jobs.db.rows import Horizon, Signs

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

# Rows are told from what they were by who wrote them: each change has a newer transaction.
SIGNS = f"""
SELECT
    (SELECT requested_state FROM forge_jobs_process WHERE id = %(process)s),
    (SELECT (count(*), sum(xmin::text::bigint))::text FROM forge_jobs_queue),
    ARRAY({READY_QUEUES})
"""

HORIZON = """
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
    EXISTS (SELECT 1 FROM forge_jobs_gate WHERE NOT is_done)
        OR EXISTS (SELECT 1 FROM forge_jobs_batch WHERE ended_at IS NULL)
"""


def commits(cursor: Any) -> object:
    """Differs from what it was if others may have committed since; here it always does."""
    return object()


def may_be_outdated(cursor: Any, before: object) -> bool:
    """Never: a row that is changed back has other signs than before."""
    return False


def signs(cursor: Any, *, process: int) -> Signs:
    """What was asked of a process, how the queues' rows are, and which queues have ready jobs."""
    cursor.execute(SIGNS, {"process": process})
    return Signs(*cursor.fetchone())


def ready_queues(cursor: Any) -> list[str]:
    """The queues that have ready jobs, in order."""
    cursor.execute(READY_QUEUES)
    return [queue for (queue,) in cursor.fetchall()]


def horizon(cursor: Any) -> Horizon:
    """When the first job, and the first schedule, is due; whether any is to be planned,
    and whether anything comes after jobs."""
    cursor.execute(HORIZON)
    return Horizon(*cursor.fetchone())
