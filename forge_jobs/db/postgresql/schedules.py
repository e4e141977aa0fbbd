"""Schedules: many moved on at once, and the jobs that they made."""

import json
from collections.abc import Sequence
from typing import Any

from forge_jobs.db.rows import Move

# Rows are locked in one order, and those that somebody else holds are left to the next pass.
MOVE = """
WITH move AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(moves)s) AS move (
        id bigint, next_fire_at timestamptz, is_over boolean, expression text, timezone text,
        is_enabled boolean, starts_at timestamptz, ends_at timestamptz,
        following timestamptz, planned_at timestamptz, planned_by text
    )
),
held AS MATERIALIZED (
    SELECT id FROM forge_jobs_schedule WHERE id IN (SELECT id FROM move)
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE forge_jobs_schedule AS schedule
SET next_fire_at = move.following,
    is_over = move.following IS NULL,
    planned_at = move.planned_at,
    planned_by = move.planned_by::jsonb
FROM move JOIN held ON held.id = move.id
WHERE schedule.id = move.id
    AND schedule.next_fire_at IS NOT DISTINCT FROM move.next_fire_at
    AND schedule.is_over = move.is_over
    AND schedule.expression = move.expression
    AND schedule.timezone = move.timezone
    AND schedule.is_enabled = move.is_enabled
    AND schedule.starts_at IS NOT DISTINCT FROM move.starts_at
    AND schedule.ends_at IS NOT DISTINCT FROM move.ends_at
RETURNING schedule.id
"""

OWN = """
UPDATE forge_jobs_job AS job SET schedule_id = made.schedule
FROM unnest(%(jobs)s::bigint[], %(schedules)s::bigint[]) AS made (job, schedule)
WHERE job.id = made.job
"""


def move_schedules(cursor: Any, moves: Sequence[Move]) -> list[int]:
    """Move on those that are still as they were seen; returns which."""
    rows = [move._asdict() for move in moves]
    cursor.execute(MOVE, {"moves": json.dumps(rows, default=str)})
    return [pk for (pk,) in cursor.fetchall()]


def own_jobs(cursor: Any, *, jobs: Sequence[int], schedules: Sequence[int]) -> None:
    """Note by which schedule each job was made."""
    cursor.execute(OWN, {"jobs": jobs, "schedules": schedules})
