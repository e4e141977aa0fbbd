"""The job table: what becomes of jobs that wait for their time."""

from datetime import datetime
from typing import Any

STAGE = """
UPDATE forge_jobs_job
SET state = CASE WHEN concurrency_key IS NULL THEN 'ready' ELSE 'blocked' END
WHERE id = ANY(ARRAY(
    SELECT id FROM forge_jobs_job
    WHERE state IN ('scheduled', 'retrying') AND run_at <= %(now)s
    ORDER BY run_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))
RETURNING queue, concurrency_key
"""

NEXT_DUE = """
SELECT run_at FROM forge_jobs_job
WHERE state IN ('scheduled', 'retrying')
ORDER BY run_at, id
LIMIT 1
"""


def stage(cursor: Any, *, now: datetime, limit: int) -> list[tuple[str, str | None]]:
    """Make up to `limit` due jobs ready, or blocked; returns queue and concurrency key of each."""
    cursor.execute(STAGE, {"now": now, "limit": limit})
    rows: list[tuple[str, str | None]] = cursor.fetchall()
    return rows


def next_due(cursor: Any) -> datetime | None:
    """When the first job that waits for its time is due."""
    cursor.execute(NEXT_DUE)
    row = cursor.fetchone()
    return row[0] if row else None
