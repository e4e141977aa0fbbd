"""What is measured: enqueued jobs, the database itself; and how far runs have come."""

import json
from collections.abc import Sequence
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

# One statement, for between two a row could be rolled up, and be seen twice or not at all.
MEASURED = """
SELECT
    floor((extract(epoch FROM at) - %(first)s) / %(step)s)::integer AS place,
    sum(enqueued), sum(started), sum(succeeded), sum(retried), sum(dead), sum(cancelled),
    sum(throttled), sum(snoozed), sum(released),
    string_agg(run_time, ','), string_agg(latency, ','), string_agg(wait, ',')
FROM (
    SELECT at, enqueued, started, succeeded, retried, dead, cancelled, throttled, snoozed, released,
        run_time, latency, wait
    FROM forge_jobs_metricbucket
    WHERE span_seconds = %(span)s AND at >= %(start)s AND at < %(end)s
        AND (%(queue)s::text = '' OR queue = %(queue)s) AND (%(kind)s::text = '' OR kind = %(kind)s)
    UNION ALL
    SELECT at, enqueued, started, succeeded, retried, dead, cancelled, throttled, snoozed, released,
        run_time, latency, wait
    FROM forge_jobs_metricbucket
    WHERE NOT is_summed AND span_seconds < %(span)s AND at >= %(start)s AND at < %(end)s
        AND (%(queue)s::text = '' OR queue = %(queue)s) AND (%(kind)s::text = '' OR kind = %(kind)s)
    UNION ALL
    SELECT at, enqueued, started, succeeded, retried, dead, cancelled, throttled, snoozed, released,
        run_time, latency, wait
    FROM forge_jobs_metricsample
    WHERE at >= %(start)s AND at < %(end)s
        AND (%(queue)s::text = '' OR queue = %(queue)s) AND (%(kind)s::text = '' OR kind = %(kind)s)
) AS measured
GROUP BY 1
"""

PROCESS_GAUGES = """
SELECT
    process_name, host, floor((extract(epoch FROM at) - %(first)s) / %(step)s)::integer AS place,
    avg(cpu_percent)::float8, max(rss_bytes), avg(busy)::float8, max(threads),
    avg(database_seconds)::float8, max(connections)
FROM forge_jobs_processgauge
WHERE at >= %(start)s AND at < %(end)s AND span_seconds >= %(span)s
GROUP BY 1, 2, 3
"""

DATABASE_GAUGES = """
SELECT
    floor((extract(epoch FROM at) - %(first)s) / %(step)s)::integer AS place,
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
    (value ->> 0)::bigint, (value ->> 1)::timestamptz, value ->> 2, (value ->> 3)::integer,
    value ->> 4, (value ->> 5)::float8, value ->> 6, value ->> 7
FROM jsonb_array_elements(%s) WITH ORDINALITY AS new (value, place)
ORDER BY place
"""

# Against itself and other writers; who reads goes on.
LOCK_TOTALS = """
LOCK TABLE forge_jobs_metrictotal IN SHARE ROW EXCLUSIVE MODE
"""

# A handler's own transaction may have locked its job, and is not waited for.
WRITE_PROGRESS = """
UPDATE forge_jobs_job AS job
SET progress = new.progress
FROM (
    SELECT
        (value ->> 0)::bigint AS id, (value ->> 1)::timestamptz AS claimed_at,
        (value ->> 2)::jsonb AS progress
    FROM jsonb_array_elements(%(rows)s)
    LIMIT (SELECT 1000000)
) AS new
WHERE job.id = new.id AND job.id = ANY(ARRAY(
    SELECT id FROM forge_jobs_job
    WHERE id = ANY(%(ids)s::bigint[]) AND process_id + 0 = %(process)s
    FOR NO KEY UPDATE SKIP LOCKED
)) AND job.started_at IS NOT DISTINCT FROM new.claimed_at
RETURNING job.id
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


def measured(cursor: Any, *, grid: Grid, span: int, queue: str, kind: str) -> list[tuple[Any, ...]]:
    """What was counted in each step of a grid, of one queue or kind, or of all.

    Returns the place of the step, the sums of all `COUNTS`, and for each of `DURATIONS` the JSON
    texts of its histograms, with commas between.
    """
    cursor.execute(MEASURED, grid._asdict() | {"span": span, "queue": queue, "kind": kind})
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def process_gauges(cursor: Any, *, grid: Grid, span: int) -> list[ProcessGauges]:
    """How each process was in each step of a grid, by its gauges of at least a span."""
    cursor.execute(PROCESS_GAUGES, grid._asdict() | {"span": span})
    return list(map(ProcessGauges._make, cursor.fetchall()))


def database_gauges(cursor: Any, *, grid: Grid) -> list[DatabaseGauges]:
    """How the database was in each step of a grid."""
    cursor.execute(DATABASE_GAUGES, grid._asdict())
    return list(map(DatabaseGauges._make, cursor.fetchall()))


def insert_events(cursor: Any, rows: Sequence[EventRow]) -> None:
    """Store events of jobs, in order."""
    cursor.execute(INSERT_EVENTS, [json.dumps(rows, default=str)])


def lock_totals(cursor: Any) -> None:
    """Let nobody else write totals until the current transaction ends."""
    cursor.execute(LOCK_TOTALS)


def write_progress(cursor: Any, *, process: int, rows: Sequence[ProgressRow]) -> set[int]:
    """Store how far runs have come whose claim still holds; returns the ids of those stored."""
    values = {"rows": json.dumps(rows), "ids": [row.id for row in rows], "process": process}
    cursor.execute(WRITE_PROGRESS, values)
    return {pk for (pk,) in cursor.fetchall()}
