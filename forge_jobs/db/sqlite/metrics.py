"""What is measured: enqueued jobs, the database itself; and how far runs have come."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forge_jobs.db.rows import DatabaseFacts, EnqueuedCount, ProgressRow

# A moment is a text; all but its last second's digit, and a zero, are the ten seconds it is in.
COUNT_ENQUEUED = """
SELECT substr(enqueued_at, 1, 18) || '0' AS at, queue, kind, count(*)
FROM forge_jobs_job
WHERE id > %s AND id <= %s
GROUP BY 1, 2, 3
"""

FACTS = """
SELECT
    (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size),
    (SELECT file FROM pragma_database_list WHERE name = 'main')
"""

WRITE_PROGRESS = """
UPDATE forge_jobs_job AS job
SET progress = new.progress
FROM (
    SELECT
        json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS claimed_at,
        json_extract(value, '$[2]') AS progress
    FROM json_each(%s)
) AS new
WHERE job.id = new.id AND job.process_id = %s AND job.started_at = new.claimed_at
"""


def count_enqueued(cursor: Any, *, after: int, up_to: int) -> list[EnqueuedCount]:
    """How many jobs with ids in this range were enqueued in which ten seconds."""
    cursor.execute(COUNT_ENQUEUED, [after, up_to])
    return [
        EnqueuedCount(datetime.fromisoformat(at).replace(tzinfo=UTC), *others)
        for at, *others in cursor.fetchall()
    ]


def database_facts(cursor: Any) -> DatabaseFacts:
    """What the database says of itself, and the disk of it."""
    cursor.execute(FACTS)
    size, file = cursor.fetchone()
    wal = Path(f"{file}-wal")
    return DatabaseFacts(
        size_bytes=size,
        wal_bytes=wal.stat().st_size if file and wal.exists() else None,
        disk_free_bytes=shutil.disk_usage(Path(file).parent).free if file else None,
    )


def write_progress(cursor: Any, *, process: int, rows: Sequence[ProgressRow]) -> None:
    """Store how far runs have come whose claim still holds."""
    cursor.execute(WRITE_PROGRESS, [json.dumps(rows), process])
