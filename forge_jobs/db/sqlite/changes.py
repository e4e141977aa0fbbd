"""What a process looks at again and again: little, for all who would else ask one by one."""

from datetime import UTC, datetime
from typing import Any

from forge_jobs.db.signs import Beats, Horizon, Signs
from forge_jobs.db.sqlite.jobs import aware

ORDER = "SELECT requested_state FROM forge_jobs_process WHERE id = %(process)s"

QUEUES = "SELECT * FROM forge_jobs_queue ORDER BY id"

READY_QUEUES = """
WITH RECURSIVE found (queue) AS (
    SELECT queue
    FROM (SELECT queue FROM forge_jobs_job WHERE state = 'ready' ORDER BY queue LIMIT 1)
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

BEATS = "SELECT id, heartbeat_at FROM forge_jobs_process"


def commits(cursor: Any) -> object:
    """Differs from what it was if others may have committed since."""
    cursor.execute("PRAGMA data_version")
    return cursor.connection, cursor.fetchone()


def may_be_outdated(cursor: Any, before: object) -> bool:
    """Whether signs may be those of rows that have changed since, and change back unnoticed."""
    return commits(cursor) != before


def signs(cursor: Any, *, process: int, leads: bool) -> Signs:
    """What was asked of a process, how the queues' rows are, which queues have ready jobs, and
    whether anything comes after jobs; for whoever leads, what will be due."""
    cursor.execute(ORDER, {"process": process})
    (order,) = cursor.fetchone() or (None,)
    cursor.execute(QUEUES)
    queues, ready = cursor.fetchall(), ready_queues(cursor)
    if leads:
        seen = horizon(cursor)
        return Signs(order, queues, ready, seen.has_followers, seen)
    cursor.execute(FOLLOWERS)
    (has_followers,) = cursor.fetchone()
    return Signs(order, queues, ready, bool(has_followers), None)


def ready_queues(cursor: Any) -> list[str]:
    """The queues that have ready jobs, in order."""
    cursor.execute(READY_QUEUES)
    return [queue for (queue,) in cursor.fetchall()]


def horizon(cursor: Any) -> Horizon:
    """When the first job, and the first schedule, is due, and the first job expires; whether any
    schedule is to be planned, and whether anything waits for a key or comes after jobs."""
    cursor.execute(HORIZON)
    job, schedule, has_unplanned, expiry, has_blocked, has_followers = cursor.fetchone()
    return Horizon(
        aware(job) if job else None,
        aware(schedule) if schedule else None,
        bool(has_unplanned),
        aware(expiry) if expiry else None,
        bool(has_blocked),
        bool(has_followers),
    )


def beats(cursor: Any) -> Beats:
    """What each process last said, and what time it is: there is no clock but this machine's."""
    cursor.execute(BEATS)
    return Beats(datetime.now(UTC), {pk: aware(said) for pk, said in cursor.fetchall()})
