"""Concurrency keys: which of the jobs that wait for one may be ready.

A job that is ready or running holds a slot of its key, numbered from 1; a unique index says that
nobody else does. So the claim need not look at keys at all, nor walk over what waits for them.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from forge_jobs.db.rows import Promoted, Transition
from forge_jobs.db.sqlite.jobs import SETTLE, rows_of
from forge_jobs.db.wanted import Wanted

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
    FROM json_each(%(keys)s) AS key
) AS next
WHERE job.id = next.id AND job.state = 'blocked' AND next.slot <= job.concurrency_limit
RETURNING queue, kind, concurrency_key, concurrency_limit
"""

SETTLE_AND_TELL = f"{SETTLE}, concurrency_key"

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
    cursor.execute(PROMOTE, {"keys": json.dumps(keys)})
    return [Promoted(*row) for row in cursor.fetchall()]


def settle_and_promote(
    cursor: Any, *, process: int, transitions: Sequence[Transition], wanted: Wanted
) -> tuple[dict[int, str], list[Promoted]]:
    """Settle, and in the same commit make the oldest job ready that waits for a slot set free.

    One for each key: where two slots of one are set free, the other one is left. What is wanted is
    for the next claim: if it were claimed here as well, the file would be locked for longer.
    """
    with transaction.atomic(using=cursor.db.alias):
        cursor.execute(SETTLE_AND_TELL, {"rows": rows_of(transitions), "process": process})
        settled = cursor.fetchall()
        keys = {key for _, state, key in settled if key and state != "ready"}
        return {pk: state for pk, state, _ in settled}, promote(cursor, sorted(keys))


def stalled_keys(cursor: Any) -> list[str]:
    """The keys that have both jobs that wait for them and a free slot."""
    cursor.execute(STALLED)
    return [row[0] for row in cursor.fetchall()]
