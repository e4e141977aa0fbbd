"""What is measured: enqueued jobs, the database itself; and how far runs have come."""

import json
from collections.abc import Sequence
from typing import Any

from forge_jobs.db.rows import DatabaseFacts, EnqueuedCount, ProgressRow

COUNT_ENQUEUED = """
SELECT
    to_timestamp(floor(extract(epoch FROM enqueued_at) / 10) * 10) AS at, queue, kind, count(*)
FROM forge_jobs_job
WHERE id > %s AND id <= %s
GROUP BY 1, 2, 3
"""

FACTS = """
SELECT
    pg_database_size(current_database()),
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
    pg_stat_get_live_tuples('forge_jobs_job'::regclass),
    pg_stat_get_dead_tuples('forge_jobs_job'::regclass),
    has_function_privilege('pg_ls_waldir()', 'execute')
"""

WAL_BYTES = """
SELECT sum(size)::bigint FROM pg_ls_waldir()
"""

WRITE_PROGRESS = """
UPDATE forge_jobs_job AS job
SET progress = new.progress
FROM (
    SELECT
        (value ->> 0)::bigint AS id, (value ->> 1)::timestamptz AS claimed_at,
        (value ->> 2)::jsonb AS progress
    FROM jsonb_array_elements(%s)
    LIMIT (SELECT 1000000)
) AS new
WHERE job.id = new.id AND job.process_id + 0 = %s
    AND job.started_at IS NOT DISTINCT FROM new.claimed_at
"""


def count_enqueued(cursor: Any, *, after: int, up_to: int) -> list[EnqueuedCount]:
    """How many jobs with ids in this range were enqueued in which ten seconds."""
    cursor.execute(COUNT_ENQUEUED, [after, up_to])
    return list(map(EnqueuedCount._make, cursor.fetchall()))


def database_facts(cursor: Any) -> DatabaseFacts:
    """What the database says of itself; of its log only to those who may ask."""
    cursor.execute(FACTS)
    size, connections, live, dead, may_see_wal = cursor.fetchone()
    wal_bytes = None
    if may_see_wal:
        cursor.execute(WAL_BYTES)
        (wal_bytes,) = cursor.fetchone()
    return DatabaseFacts(
        size_bytes=size,
        wal_bytes=wal_bytes,
        connections=connections,
        live_tuples=live,
        dead_tuples=dead,
    )


def write_progress(cursor: Any, *, process: int, rows: Sequence[ProgressRow]) -> None:
    """Store how far runs have come whose claim still holds."""
    cursor.execute(WRITE_PROGRESS, [json.dumps(rows), process])
