"""Concurrency keys: which of the jobs that wait for one may be ready.

A job that is ready or running holds a slot of its key, numbered from 1; a unique index says that
nobody else does. So the claim need not look at keys at all, nor walk over what waits for them.
"""

from collections.abc import Sequence
from typing import Any

from forge_jobs.db.postgresql.jobs import SETTLE, rows_of
from forge_jobs.db.rows import Promoted, Transition

LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended(key, 0))
FROM (SELECT key FROM unnest(%s::text[]) AS key ORDER BY key) AS wanted
"""

# As a part of a statement that names a concurrency key `key`.
OLDEST = """
    SELECT id FROM forge_jobs_job
    WHERE state = 'blocked' AND concurrency_key = key
    ORDER BY run_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
"""


def _next(chosen: str) -> str:
    """As a part of a statement: the jobs to make ready, of which `chosen` selects `id` and `slot`.

    They are chosen once. In a table that was all but empty when it was analyzed the planner reads
    all jobs, and looks among the chosen ones for each: were those chosen anew each time, several
    would get the same slot.
    """
    return f"next (id, slot) AS MATERIALIZED ({chosen} LIMIT (SELECT 1000000))"


# The planner is to go by the primary key: "||" rules out the index of blocked jobs, all of which
# it would read to find a few ids.
MADE_READY = """
    UPDATE forge_jobs_job AS job
    SET state = 'ready', concurrency_slot = next.slot
    FROM next
    WHERE job.id = ANY(ARRAY[next.id]) AND job.state || '' = 'blocked'
        AND next.slot <= job.concurrency_limit
    RETURNING job.queue, job.kind, job.concurrency_key, job.concurrency_limit
"""

# A slot is the lowest number that nobody has.
NEXT = _next(f"""
    SELECT
        ({OLDEST}) AS id,
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
        ) AS slot
    FROM unnest(%s::text[]) AS key
""")
PROMOTE = f"WITH {NEXT} {MADE_READY}"

# A slot that is set free here can be nobody else's before this commits. The lock is for the order:
# a promoter has the oldest job locked even if it finds no slot, and that job would be passed over.
# Within the statement, the table shows what was there before: the slot, and who waited for it.
NEXT_OF_SETTLED = _next(f"""
    SELECT ({OLDEST}) AS id, slot
    FROM (
        SELECT key, slot, pg_advisory_xact_lock(hashtextextended(key, 0))
        FROM (
            SELECT concurrency_key AS key, slot FROM settled
            WHERE slot IS NOT NULL AND state <> 'ready'
            ORDER BY concurrency_key
        ) AS unlocked
    ) AS freed
""")

SETTLE_AND_PROMOTE = f"""
WITH settled AS (
    {SETTLE}, job.concurrency_key, (
        SELECT concurrency_slot FROM forge_jobs_job AS before WHERE before.id = job.id
    ) AS slot
), {NEXT_OF_SETTLED}, promoted AS ({MADE_READY})
SELECT id, state, NULL, NULL, NULL, NULL FROM settled
UNION ALL
SELECT NULL, NULL, queue, kind, concurrency_key, concurrency_limit FROM promoted
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
    return [Promoted._make(row) for row in cursor.fetchall()]


def settle_and_promote(
    cursor: Any, *, process: int, transitions: Sequence[Transition]
) -> tuple[dict[int, str], list[Promoted]]:
    """Settle, and in the same commit make the oldest job ready that waits for a slot set free.

    One for each key: where two slots of one are set free, the other one is left.
    """
    cursor.execute(SETTLE_AND_PROMOTE, [rows_of(transitions), process])
    rows = cursor.fetchall()
    settled = {row[0]: row[1] for row in rows if row[0] is not None}
    return settled, [Promoted._make(row[2:]) for row in rows if row[0] is None]


def stalled_keys(cursor: Any) -> list[str]:
    """The keys that have both jobs that wait for them and a free slot."""
    cursor.execute(STALLED)
    return [row[0] for row in cursor.fetchall()]
