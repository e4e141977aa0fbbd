"""What is measured: enqueued jobs, the database itself; and how far runs have come."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forge_jobs.db.observed import (
    DatabaseFacts,
    DatabaseGauges,
    EnqueuedCount,
    EventRow,
    Grid,
    ProcessGauges,
)
from forge_jobs.db.rows import ProgressRow
from forge_jobs.db.sqlite.jobs import as_json, as_text

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

# One statement, for between two a row could be rolled up, and be seen twice or not at all.
MEASURED = """
SELECT
    (CAST(strftime('%%s', at) AS INTEGER) - %(first)s) / %(step)s AS place,
    sum(enqueued), sum(started), sum(succeeded), sum(retried), sum(dead), sum(cancelled),
    sum(throttled), sum(snoozed), sum(released),
    group_concat(run_time), group_concat(latency), group_concat(wait)
FROM (
    SELECT at, enqueued, started, succeeded, retried, dead, cancelled, throttled, snoozed, released,
        run_time, latency, wait
    FROM forge_jobs_metricbucket
    WHERE span_seconds = %(span)s AND at >= %(start)s AND at < %(end)s
        AND (%(queue)s = '' OR queue = %(queue)s) AND (%(kind)s = '' OR kind = %(kind)s)
    UNION ALL
    SELECT at, enqueued, started, succeeded, retried, dead, cancelled, throttled, snoozed, released,
        run_time, latency, wait
    FROM forge_jobs_metricbucket
    WHERE NOT is_summed AND span_seconds < %(span)s AND at >= %(start)s AND at < %(end)s
        AND (%(queue)s = '' OR queue = %(queue)s) AND (%(kind)s = '' OR kind = %(kind)s)
    UNION ALL
    SELECT at, enqueued, started, succeeded, retried, dead, cancelled, throttled, snoozed, released,
        run_time, latency, wait
    FROM forge_jobs_metricsample
    WHERE at >= %(start)s AND at < %(end)s
        AND (%(queue)s = '' OR queue = %(queue)s) AND (%(kind)s = '' OR kind = %(kind)s)
) AS measured
GROUP BY 1
"""

PROCESS_GAUGES = """
SELECT
    process_name, host, (CAST(strftime('%%s', at) AS INTEGER) - %(first)s) / %(step)s AS place,
    avg(cpu_percent), max(rss_bytes), avg(busy), max(threads),
    avg(database_seconds), max(connections)
FROM forge_jobs_processgauge
WHERE at >= %(start)s AND at < %(end)s AND span_seconds >= %(span)s
GROUP BY 1, 2, 3
"""

DATABASE_GAUGES = """
SELECT
    (CAST(strftime('%%s', at) AS INTEGER) - %(first)s) / %(step)s AS place,
    max(size_bytes), max(wal_bytes), max(connections), max(live_tuples), max(dead_tuples),
    min(disk_free_bytes)
FROM forge_jobs_databasegauge
WHERE at >= %(start)s AND at < %(end)s
GROUP BY 1
"""

INSERT_EVENTS = """
INSERT INTO forge_jobs_jobevent (
    job_id, at, event, attempt, process_name, seconds, "by", detail
)
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
    json_extract(value, '$[6]'), json_extract(value, '$[7]')
FROM json_each(%s)
ORDER BY key
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
RETURNING id
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


def measured(cursor: Any, *, grid: Grid, span: int, queue: str, kind: str) -> list[tuple[Any, ...]]:
    """What was counted in each step of a grid, of one queue or kind, or of all.

    Returns the place of the step, the sums of all `COUNTS`, and for each of `DURATIONS` the JSON
    texts of its histograms, with commas between.
    """
    cursor.execute(MEASURED, _parameters(grid) | {"span": span, "queue": queue, "kind": kind})
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def process_gauges(cursor: Any, *, grid: Grid, span: int) -> list[ProcessGauges]:
    """How each process was in each step of a grid, by its gauges of at least a span."""
    cursor.execute(PROCESS_GAUGES, _parameters(grid) | {"span": span})
    return list(map(ProcessGauges._make, cursor.fetchall()))


def database_gauges(cursor: Any, *, grid: Grid) -> list[DatabaseGauges]:
    """How the database was in each step of a grid."""
    cursor.execute(DATABASE_GAUGES, _parameters(grid))
    return list(map(DatabaseGauges._make, cursor.fetchall()))


def insert_events(cursor: Any, rows: Sequence[EventRow]) -> None:
    """Store events of jobs, in order."""
    cursor.execute(INSERT_EVENTS, [as_json(rows)])


def lock_totals(cursor: Any) -> None:
    """Nothing: a transaction that has read what somebody else changed since can't write."""


def write_progress(cursor: Any, *, process: int, rows: Sequence[ProgressRow]) -> set[int]:
    """Store how far runs have come whose claim still holds; returns the ids of those stored."""
    cursor.execute(WRITE_PROGRESS, [json.dumps(rows), process])
    return {pk for (pk,) in cursor.fetchall()}


def _parameters(grid: Grid) -> dict[str, Any]:
    return grid._asdict() | {"start": as_text(grid.start), "end": as_text(grid.end)}
