"""Schedules: many moved on at once, and the jobs that they made."""

import json
from collections.abc import Sequence
from typing import Any

from forge_jobs.db.rows import Move
from forge_jobs.db.sqlite.jobs import as_json

MOVE = """
UPDATE forge_jobs_schedule AS schedule
SET next_fire_at = move.following,
    is_over = move.following IS NULL,
    planned_at = move.planned_at,
    planned_by = move.planned_by
FROM (
    SELECT
        json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS next_fire_at,
        json_extract(value, '$[2]') AS is_over, json_extract(value, '$[3]') AS expression,
        json_extract(value, '$[4]') AS timezone, json_extract(value, '$[5]') AS is_enabled,
        json_extract(value, '$[6]') AS starts_at, json_extract(value, '$[7]') AS ends_at,
        json_extract(value, '$[8]') AS following, json_extract(value, '$[9]') AS planned_at,
        json_extract(value, '$[10]') AS planned_by
    FROM json_each(%(moves)s)
) AS move
WHERE schedule.id = move.id
    AND schedule.next_fire_at IS move.next_fire_at
    AND schedule.is_over = move.is_over
    AND schedule.expression = move.expression
    AND schedule.timezone = move.timezone
    AND schedule.is_enabled = move.is_enabled
    AND schedule.starts_at IS move.starts_at
    AND schedule.ends_at IS move.ends_at
RETURNING id
"""

OWN = """
UPDATE forge_jobs_job AS job SET schedule_id = made.schedule
FROM (
    SELECT jobs.value AS job, schedules.value AS schedule
    FROM json_each(%(jobs)s) AS jobs
    JOIN json_each(%(schedules)s) AS schedules ON schedules.key = jobs.key
) AS made
WHERE job.id = made.job
"""


def move_schedules(cursor: Any, moves: Sequence[Move]) -> list[int]:
    """Move on those that are still as they were seen; returns which."""
    cursor.execute(MOVE, {"moves": as_json(moves)})
    return [pk for (pk,) in cursor.fetchall()]


def own_jobs(cursor: Any, *, jobs: Sequence[int], schedules: Sequence[int]) -> None:
    """Note by which schedule each job was made."""
    cursor.execute(OWN, {"jobs": json.dumps(jobs), "schedules": json.dumps(schedules)})
