"""Gates, by the thousand: what jobs come after."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from forge_jobs.db.rows import PredecessorRow
from forge_jobs.db.signs import Awaited

COUNT_JOBS = """
SELECT count(*) FROM forge_jobs_job WHERE id IN (SELECT value FROM json_each(%s))
"""

INSERT_GATES = """
WITH RECURSIVE series (number) AS (
    SELECT 1 UNION ALL SELECT number + 1 FROM series WHERE number < %s
)
INSERT INTO forge_jobs_gate (state, reason, is_done)
SELECT 'closed', '', false FROM series
RETURNING id
"""

INSERT_PREDECESSORS = """
INSERT INTO forge_jobs_predecessor (gate_id, place, job_id, batch_id, needs)
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]')
FROM json_each(%s)
"""

AWAITED = """
WITH closed AS MATERIALIZED (
    SELECT id FROM forge_jobs_gate WHERE state = 'closed' ORDER BY id LIMIT %(most)s
)
SELECT
    (
        SELECT json_group_array(id)
        FROM (
            SELECT id
            FROM forge_jobs_batch
            WHERE state = 'sealed' AND ended_at IS NULL
            ORDER BY id
            LIMIT %(most)s
        )
    ),
    (SELECT count(*) FROM closed) = %(most)s OR EXISTS (
        SELECT 1
        FROM closed CROSS JOIN forge_jobs_predecessor AS predecessor ON gate_id = closed.id
        WHERE job_id IS NOT NULL
    )
"""

# CROSS JOIN leaves the planner no other order: it might walk over all jobs of the batches.
BATCHES_OF = """
SELECT DISTINCT job.batch_id
FROM json_each(%s) AS ended
CROSS JOIN forge_jobs_job AS job ON job.id = ended.value
CROSS JOIN forge_jobs_batch AS batch ON batch.id = job.batch_id
WHERE batch.state = 'sealed'
"""

OVER = """
SELECT batch.id
FROM forge_jobs_batch AS batch
WHERE batch.id IN (SELECT value FROM json_each(%s)) AND batch.state = 'sealed'
    AND (
        SELECT 1 FROM forge_jobs_job
        WHERE batch_id = batch.id
            AND state IN ('scheduled', 'ready', 'blocked', 'held', 'running', 'retrying')
        LIMIT 1
    ) IS NULL
    AND (
        SELECT 1 FROM forge_jobs_batch AS part
        WHERE part.parent_id = batch.id AND part.ended_at IS NULL
        LIMIT 1
    ) IS NULL
"""

GATES_BEHIND = """
SELECT DISTINCT predecessor.gate_id
FROM json_each(%s) AS ended
CROSS JOIN forge_jobs_predecessor AS predecessor ON predecessor.job_id = ended.value
"""

HOLD_BATCH = """
SELECT state FROM forge_jobs_batch WHERE id = %s
"""


def count_jobs(cursor: Any, jobs: Collection[int]) -> int:
    """How many of these jobs there are."""
    cursor.execute(COUNT_JOBS, [json.dumps(list(jobs))])
    return int(cursor.fetchone()[0])


def insert_gates(cursor: Any, *, number: int) -> list[int]:
    """Make so many closed gates; returns their ids, the lowest first."""
    cursor.execute(INSERT_GATES, [number])
    return sorted(row[0] for row in cursor.fetchall())


def insert_predecessors(cursor: Any, rows: Sequence[PredecessorRow]) -> None:
    """Say what must have ended before gates open."""
    cursor.execute(INSERT_PREDECESSORS, [json.dumps(rows)])


def awaited(cursor: Any, *, most: int) -> Awaited:
    """Which batches may end, at most so many, and whether anything comes after jobs."""
    cursor.execute(AWAITED, {"most": most})
    batches, has_jobs = cursor.fetchone()
    return Awaited(json.loads(batches), bool(has_jobs))


def batches_of(cursor: Any, jobs: Collection[int]) -> set[int]:
    """The batches that these jobs are in, as far as they may end."""
    cursor.execute(BATCHES_OF, [json.dumps(list(jobs))])
    return {row[0] for row in cursor.fetchall()}


def over(cursor: Any, batches: Collection[int]) -> set[int]:
    """Those of these batches that are complete, and of which nothing is left."""
    cursor.execute(OVER, [json.dumps(list(batches))])
    return {row[0] for row in cursor.fetchall()}


def gates_behind(cursor: Any, jobs: Collection[int]) -> set[int]:
    """The gates that have one of these jobs before them."""
    cursor.execute(GATES_BEHIND, [json.dumps(list(jobs))])
    return {row[0] for row in cursor.fetchall()}


def hold_batch(cursor: Any, *, batch: int) -> str | None:
    """The state of a batch, which nobody changes before this transaction has ended."""
    cursor.execute(HOLD_BATCH, [batch])
    row = cursor.fetchone()
    return row[0] if row else None


def keep_open(cursor: Any, batches: Collection[int]) -> None:
    """Keep those of these batches that are open from being sealed: whoever writes does so alone."""
