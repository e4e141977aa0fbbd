"""Enqueueing: rows in, and who holds a key that is taken."""

import json
import sqlite3
from collections.abc import Sequence
from itertools import starmap
from typing import Any, Final

from django.db import Error

from forge_jobs.db.rows import InsertedRow, KeyHolder, NewRow
from forge_jobs.db.sqlite.jobs import NOW, as_json, as_value, aware

COLUMNS: Final = {*NewRow._fields} - {"extras"} | {"expires_at"}

INSERT = f"""
INSERT INTO forge_jobs_job (
    queue, kind, payload, priority, state, run_at, max_attempts, timeout_seconds,
    dedupe_key, idempotency_key, context, concurrency_key, concurrency_limit, batch_id,
    gate_id, expires_at, enqueued_at
)
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]'),
    coalesce(json_extract(value, '$[5]'), {NOW}),
    json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'),
    json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'),
    json_extract(value, '$[12]'), json_extract(value, '$[13]'), json_extract(value, '$[14]'),
    json_extract(value, '$[15][0]'),
    {NOW}
FROM json_each(%s)
WHERE true
ON CONFLICT DO NOTHING
RETURNING id, dedupe_key, idempotency_key
"""

INSERT_ONE = f"""
INSERT INTO forge_jobs_job (
    queue, kind, payload, priority, state, run_at, max_attempts, timeout_seconds,
    dedupe_key, idempotency_key, context, concurrency_key, concurrency_limit, batch_id,
    gate_id, expires_at, enqueued_at
)
VALUES (
    %s, %s, %s, %s, %s, coalesce(%s, {NOW}), %s, %s, %s, %s,
    %s, %s, %s, %s, %s, %s, {NOW}
)
ON CONFLICT DO NOTHING
RETURNING id, enqueued_at
"""

# The states are those that the partial unique index names.
FIND = """
SELECT id, dedupe_key, NULL FROM forge_jobs_job
WHERE dedupe_key IN (SELECT value FROM json_each(%(dedupe_keys)s))
    AND state IN ('scheduled', 'ready', 'blocked', 'held', 'running', 'retrying')
UNION ALL
SELECT id, NULL, idempotency_key FROM forge_jobs_job
WHERE idempotency_key IN (SELECT value FROM json_each(%(idempotency_keys)s))
"""


def insert(cursor: Any, rows: Sequence[NewRow]) -> list[InsertedRow]:
    """Insert in order; a row whose dedupe or idempotency key is taken is left out."""
    if len(rows) > 1:
        cursor.execute(INSERT, [as_json(rows)])
        return sorted(starmap(InsertedRow, cursor.fetchall()))
    (row,) = rows
    cursor.execute(INSERT_ONE, [as_value(value) for value in (*row[:-1], row.expires_at)])
    return [
        InsertedRow(pk, row.dedupe_key, row.idempotency_key, aware(enqueued_at))
        for pk, enqueued_at in cursor.fetchall()
    ]


def insert_one(connection: Any, row: NewRow) -> InsertedRow | None:
    """The same of one; None if a key of it is taken."""
    with connection.cursor() as cursor:
        return next(iter(insert(cursor, [row])), None)


def find(cursor: Any, rows: Sequence[NewRow]) -> list[KeyHolder]:
    """Find the jobs that hold the keys of rows."""
    cursor.execute(
        FIND,
        {
            "dedupe_keys": json.dumps([row.dedupe_key for row in rows if row.dedupe_key]),
            "idempotency_keys": json.dumps(
                [row.idempotency_key for row in rows if row.idempotency_key]
            ),
        },
    )
    return list(map(KeyHolder._make, cursor.fetchall()))


def lacks_columns(connection: Any, error: Error) -> bool:
    """Whether an insert failed because the table, or a column of it, is not there yet."""
    if getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_OK) != sqlite3.SQLITE_ERROR:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_table_info('forge_jobs_job')")
        return not {name for (name,) in cursor.fetchall()} >= COLUMNS
