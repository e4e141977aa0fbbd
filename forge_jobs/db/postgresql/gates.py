"""Gates, by the thousand: what jobs come after."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from forge_jobs.db.rows import PredecessorRow
from forge_jobs.db.signs import Awaited

COUNT_JOBS = """
SELECT count(*) FROM forge_jobs_job WHERE id = ANY(%s)
"""

INSERT_GATES = """
INSERT INTO forge_jobs_gate (state, reason, is_done)
SELECT 'closed', '', false FROM generate_series(1, %s)
RETURNING id
"""

INSERT_PREDECESSORS = """
INSERT INTO forge_jobs_predecessor (gate_id, place, job_id, batch_id, needs)
SELECT
    (value ->> 0)::bigint, (value ->> 1)::integer, (value ->> 2)::bigint, (value ->> 3)::bigint,
    value ->> 4
FROM jsonb_array_elements(%s)
"""

# Each by its partial index; the ARRAY() keeps the planner from joining all predecessors there are.
AWAITED = """
WITH closed AS MATERIALIZED (
    SELECT id FROM forge_jobs_gate WHERE state = 'closed' ORDER BY id LIMIT %(most)s
)
SELECT
    ARRAY(
        SELECT id
        FROM forge_jobs_batch
        WHERE state = 'sealed' AND ended_at IS NULL
        ORDER BY id
        LIMIT %(most)s
    ),
    (SELECT count(*) FROM closed) = %(most)s OR EXISTS (
        SELECT 1
        FROM forge_jobs_predecessor
        WHERE gate_id = ANY(ARRAY(SELECT id FROM closed)) AND job_id IS NOT NULL
    )
"""

# The LIMIT hides from the planner how many rows it will be: it is to look each up by its key. With
# statistics from before there was a batch it would read all members of it for each of them, if
# coalesce() did not rule out the index of these.
BATCHES_OF = """
SELECT DISTINCT batch.id
FROM (SELECT unnest(%s::bigint[]) AS id LIMIT (SELECT 1000000)) AS ended
JOIN forge_jobs_job AS job ON job.id = ended.id
JOIN forge_jobs_batch AS batch ON batch.id = coalesce(job.batch_id, 0)
WHERE batch.state = 'sealed'
"""

# Not by EXISTS: the planner would make a join of it that reads all that is unfinished, as long as
# its statistics know of one batch alone.
OVER = """
SELECT batch.id
FROM forge_jobs_batch AS batch
WHERE batch.id = ANY(%s) AND batch.state = 'sealed'
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
FROM (SELECT unnest(%s::bigint[]) AS id LIMIT (SELECT 1000000)) AS ended
JOIN forge_jobs_predecessor AS predecessor ON predecessor.job_id = ended.id
"""

HOLD_BATCH = """
SELECT state FROM forge_jobs_batch WHERE id = %s
FOR SHARE
"""

# What is sealed while this waits is left out, and can be locked as what has been sealed.
KEEP_OPEN = """
SELECT id FROM forge_jobs_batch WHERE id = ANY(%s) AND state = 'open' ORDER BY id
FOR SHARE
"""


def count_jobs(cursor: Any, jobs: Collection[int]) -> int:
    """How many of these jobs there are."""
    cursor.execute(COUNT_JOBS, [list(jobs)])
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
    return Awaited(batches, bool(has_jobs))


def batches_of(cursor: Any, jobs: Collection[int]) -> set[int]:
    """The batches that these jobs are in, as far as they may end."""
    cursor.execute(BATCHES_OF, [list(jobs)])
    return {row[0] for row in cursor.fetchall()}


def over(cursor: Any, batches: Collection[int]) -> set[int]:
    """Those of these batches that are complete, and of which nothing is left."""
    cursor.execute(OVER, [list(batches)])
    return {row[0] for row in cursor.fetchall()}


def gates_behind(cursor: Any, jobs: Collection[int]) -> set[int]:
    """The gates that have one of these jobs before them."""
    cursor.execute(GATES_BEHIND, [list(jobs)])
    return {row[0] for row in cursor.fetchall()}


def hold_batch(cursor: Any, *, batch: int) -> str | None:
    """The state of a batch, which nobody changes before this transaction has ended."""
    cursor.execute(HOLD_BATCH, [batch])
    row = cursor.fetchone()
    return row[0] if row else None


def keep_open(cursor: Any, batches: Collection[int]) -> None:
    """Keep those of these batches that are open from being sealed, until this transaction ends."""
    cursor.execute(KEEP_OPEN, [list(batches)])
