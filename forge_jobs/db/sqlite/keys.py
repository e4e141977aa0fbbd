"""Concurrency keys: which of the jobs that wait for one may be ready.

A job that is ready or running holds a slot of its key, numbered from 1; a unique index says that
nobody else does. So the claim need not look at keys at all, nor walk over what waits for them.
"""

import json
from collections.abc import Sequence
from typing import Any

PROMOTE = """
UPDATE forge_jobs_job AS job
SET state = 'ready', concurrency_slot = next.slot
FROM (
    SELECT
        (
            SELECT id FROM forge_jobs_job
            WHERE state = 'blocked' AND concurrency_key = key.value
            ORDER BY run_at, id
            LIMIT 1
        ) AS id,
        (
            SELECT min(slot) FROM (
                SELECT 1 AS slot
                UNION ALL
                SELECT concurrency_slot + 1 FROM forge_jobs_job
                WHERE concurrency_key = key.value AND concurrency_slot IS NOT NULL
            ) AS candidate
            WHERE slot NOT IN (
                SELECT concurrency_slot FROM forge_jobs_job
                WHERE concurrency_key = key.value AND concurrency_slot IS NOT NULL
            )
        ) AS slot
    FROM json_each(%s) AS key
) AS next
WHERE job.id = next.id AND job.state = 'blocked' AND next.slot <= job.concurrency_limit
RETURNING queue, concurrency_key, concurrency_limit
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


def promote(cursor: Any, keys: Sequence[str]) -> list[tuple[str, str, int]]:
    """Make the oldest job of each key ready, if the key has a slot; returns queue, key, limit."""
    cursor.execute(PROMOTE, [json.dumps(keys)])
    rows: list[tuple[str, str, int]] = cursor.fetchall()
    return rows


def stalled_keys(cursor: Any) -> list[str]:
    """The keys that have both jobs that wait for them and a free slot."""
    cursor.execute(STALLED)
    return [row[0] for row in cursor.fetchall()]
