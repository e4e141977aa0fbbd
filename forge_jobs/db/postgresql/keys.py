"""Concurrency keys: which of the jobs that wait for one may be ready.

A job that is ready or running holds a slot of its key, numbered from 1; a unique index says that
nobody else does. So the claim need not look at keys at all, nor walk over what waits for them.
"""

from collections.abc import Sequence
from typing import Any

from forge_jobs.db.postgresql.claims import JOB_COLUMNS
from forge_jobs.db.postgresql.jobs import SETTLE, as_text, rows_of
from forge_jobs.db.rows import ClaimedJob, Promoted, Transition
from forge_jobs.db.wanted import Wanted

LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended(key, 0))
FROM (SELECT key FROM unnest(%s::text[]) AS key ORDER BY key) AS wanted
"""

# As a part of a statement that names a concurrency key `key`.
OLDEST = """
    SELECT id, queue, kind FROM forge_jobs_job
    WHERE state = 'blocked' AND concurrency_key = key
    ORDER BY run_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
"""


# The planner is to go by the primary key: "||" rules out the index of blocked jobs, all of which
# it would read to find a few ids.
CHOSEN = """
    job.id = ANY(ARRAY[next.job_id]) AND job.state || '' = 'blocked'
        AND next.slot <= job.concurrency_limit
"""

# The jobs are chosen once, and how many is hidden. In a table that was all but empty when it was
# analyzed the planner reads all jobs, and looks among the chosen ones for each: were those chosen
# anew each time, several would get the same slot.
#
# A slot is the lowest number that nobody has.
PROMOTE = f"""
WITH next (job_id, slot) AS MATERIALIZED (
    SELECT
        oldest.id,
        (
            SELECT min(slot) FROM (
                SELECT 1 AS slot
                UNION ALL
                SELECT concurrency_slot + 1 FROM forge_jobs_job
                WHERE concurrency_key = key AND concurrency_slot IS NOT NULL
            ) AS candidate
            WHERE slot NOT IN (
                SELECT concurrency_slot FROM forge_jobs_job
                WHERE concurrency_key = key AND concurrency_slot IS NOT NULL
            )
        )
    FROM unnest(%s::text[]) AS key
    CROSS JOIN LATERAL ({OLDEST}) AS oldest
    LIMIT (SELECT 1000000)
)
UPDATE forge_jobs_job AS job
SET state = 'ready', concurrency_slot = next.slot
FROM next
WHERE {CHOSEN}
RETURNING job.queue, job.kind, job.concurrency_key, job.concurrency_limit
"""

# A slot that is set free here can be nobody else's before this commits. The lock is for the order:
# a promoter has the oldest job locked even if it finds no slot, and that job would be passed over.
# Within the statement, the table shows what was there before: the slot, and who waited for it.
# What becomes of a job that is claimed is what TAKE makes of it; the rest is as told above.
SETTLE_AND_PROMOTE = f"""
WITH settled AS (
    {SETTLE}, job.concurrency_key, (
        SELECT concurrency_slot FROM forge_jobs_job AS before WHERE before.id = job.id
    ) AS slot
), next (job_id, slot, is_claimed) AS MATERIALIZED (
    SELECT
        oldest.id,
        freed.slot,
        row_number() OVER () <= %(limit)s
            AND oldest.queue = ANY(%(queues)s) AND oldest.kind = ANY(%(kinds)s)
            AND NOT EXISTS (
                SELECT FROM forge_jobs_queue
                WHERE name = oldest.queue AND (is_paused OR throttled_until > %(now)s)
            )
    FROM (
        SELECT key, slot, pg_advisory_xact_lock(hashtextextended(key, 0))
        FROM (
            SELECT concurrency_key AS key, slot FROM settled
            WHERE slot IS NOT NULL AND state <> 'ready'
            ORDER BY concurrency_key
        ) AS unlocked
    ) AS freed
    CROSS JOIN LATERAL ({OLDEST}) AS oldest
    LIMIT (SELECT 1000000)
), promoted AS (
    UPDATE forge_jobs_job AS job
    SET state = CASE WHEN is_claimed THEN 'running' ELSE 'ready' END,
        concurrency_slot = next.slot,
        attempt = CASE WHEN is_claimed THEN least(attempt, 2147483646) + 1 ELSE attempt END,
        process_id = CASE WHEN is_claimed THEN %(process)s END,
        started_at = CASE WHEN is_claimed THEN %(now)s ELSE started_at END,
        has_begun = has_begun AND NOT is_claimed
    FROM next
    WHERE {CHOSEN}
    RETURNING state, concurrency_limit, {JOB_COLUMNS}
)
SELECT
    state, NULL, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM settled
UNION ALL
SELECT * FROM promoted
"""

STALLED = """
WITH RECURSIVE waiting (key) AS (
    SELECT min(concurrency_key) FROM forge_jobs_job WHERE state = 'blocked'
    UNION ALL
    SELECT (
        SELECT min(concurrency_key) FROM forge_jobs_job
        WHERE state = 'blocked' AND concurrency_key > waiting.key
    )
    FROM waiting WHERE waiting.key IS NOT NULL
)
SELECT key FROM waiting
WHERE key IS NOT NULL AND (
    SELECT count(*) FROM forge_jobs_job
    WHERE concurrency_key = key AND concurrency_slot IS NOT NULL
) < (
    SELECT concurrency_limit FROM forge_jobs_job
    WHERE state = 'blocked' AND concurrency_key = key
    ORDER BY run_at, id LIMIT 1
)
"""


def promote(cursor: Any, keys: Sequence[str]) -> list[Promoted]:
    """Make the oldest job of each key ready, if the key has a slot."""
    cursor.execute(LOCK, [keys])  # until the end of the transaction: one promoter a key
    cursor.execute(PROMOTE, [keys])
    return [Promoted(*row) for row in cursor.fetchall()]


def settle_and_promote(
    cursor: Any, *, process: int, transitions: Sequence[Transition], wanted: Wanted
) -> tuple[dict[int, str], list[Promoted]]:
    """Settle, and in the same commit promote the oldest job that waits for a slot set free.

    It is ready then, or claimed if it is wanted. One for each key: where two slots of one are set
    free, the other one may be left.
    """
    rows = {"rows": rows_of(transitions), "process": process}
    cursor.execute(SETTLE_AND_PROMOTE, rows | wanted._asdict())
    claimed_at = as_text(wanted.now)
    states, promoted = {}, []
    for state, limit, pk, *columns in cursor.fetchall():
        if limit is None:
            states[pk] = state
        else:
            job = ClaimedJob._make((pk, *columns, claimed_at))
            promoted.append(as_promoted(job, state, limit=limit))
    return states, promoted


def as_promoted(job: ClaimedJob, state: str, *, limit: int) -> Promoted:
    """A job that has got its key: claimed, if it is running."""
    claimed = job if state == "running" else None
    return Promoted(job.queue, job.kind, str(job.concurrency_key), limit, claimed)


def stalled_keys(cursor: Any) -> list[str]:
    """The keys that have both jobs that wait for them and a free slot."""
    cursor.execute(STALLED)
    return [row[0] for row in cursor.fetchall()]
