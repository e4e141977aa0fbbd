"""Enqueueing: rows in, and who holds a key that is taken."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import starmap
from typing import Any, Final

from django.db import Error
from psycopg.pq.abc import PGresult

from forge_jobs.db.postgresql import prepared
from forge_jobs.db.postgresql.asking import asked
from forge_jobs.db.postgresql.pipeline import Question
from forge_jobs.db.rows import InsertedRow, KeyHolder, NewRow

PAYLOAD: Final = NewRow._fields.index("payload")
GATE: Final = NewRow._fields.index("gate_id")
NO_TABLE: Final = "42P01"
NO_COLUMN: Final = "42703"

INTO = """
INSERT INTO forge_jobs_job (
    queue, kind, payload, priority, state, run_at, max_attempts, timeout_seconds,
    dedupe_key, idempotency_key, context, concurrency_key, concurrency_limit, batch_id,
    gate_id, expires_at, enqueued_at
)
"""

INSERT = f"""
{INTO}
SELECT
    value ->> 0, value ->> 1, (value ->> 2)::jsonb, (value ->> 3)::smallint, value ->> 4,
    coalesce((value ->> 5)::timestamptz, statement_timestamp()), (value ->> 6)::integer,
    (value ->> 7)::float8, value ->> 8, value ->> 9, (value ->> 10)::jsonb,
    value ->> 11, (value ->> 12)::smallint, (value ->> 13)::bigint, (value ->> 14)::bigint,
    (value -> 15 ->> 0)::timestamptz,
    statement_timestamp()
FROM jsonb_array_elements(%s) WITH ORDINALITY AS new (value, place)
ORDER BY place
ON CONFLICT DO NOTHING
RETURNING id, dedupe_key, idempotency_key
"""

# Where only payloads and gates differ, all else is read once, and each of these but once.
INSERT_ALIKE = f"""
{INTO}
SELECT
    %s::text, %s::text, value, %s::smallint, %s::text,
    coalesce(%s::timestamptz, statement_timestamp()), %s::integer,
    %s::float8, %s::text, %s::text, %s::jsonb,
    %s::text, %s::smallint, %s::bigint, (%s::bigint[])[place],
    %s::timestamptz,
    statement_timestamp()
FROM jsonb_array_elements(%s) WITH ORDINALITY AS new (value, place)
ORDER BY place
ON CONFLICT DO NOTHING
RETURNING id, dedupe_key, idempotency_key
"""

# The moment comes as a number: Django and its driver take longer to read one than to store a row.
INSERT_ONE = f"""
{INTO}
VALUES (
    %s, %s, %s, %s, %s, coalesce(%s, statement_timestamp()), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    statement_timestamp()
)
ON CONFLICT DO NOTHING
RETURNING id, date_part('epoch', enqueued_at), pg_backend_pid()
"""

# As the server keeps it; and where it is told of in the same message. The setting is as the table
# is: what was not stored is told to nobody.
PARAMETERS = tuple(f"${number}" for number in range(1, 17))
INSERT_AS_KEPT = INSERT_ONE % PARAMETERS
INSERT_AND_SAY_SO = f"""
{INSERT_AS_KEPT}, set_config('forge_jobs.is_stored', 'yes', false)
"""
SILENT = "forge_jobs_insert", INSERT_AS_KEPT
TOLD_OF = "forge_jobs_insert_and_say_so", INSERT_AND_SAY_SO

# The states are those that the partial unique index names.
FIND = """
SELECT id, dedupe_key, NULL FROM forge_jobs_job
WHERE dedupe_key = ANY(%(dedupe_keys)s)
    AND state IN ('scheduled', 'ready', 'blocked', 'held', 'running', 'retrying')
UNION ALL
SELECT id, NULL, idempotency_key FROM forge_jobs_job
WHERE idempotency_key = ANY(%(idempotency_keys)s)
"""


def insert(cursor: Any, rows: Sequence[NewRow]) -> list[InsertedRow]:
    """Insert in order; a row whose dedupe or idempotency key is taken is left out."""
    if len(rows) > 1:
        if _are_alike(rows):
            queue, kind, _, *rest, gate, expires_at = _values(rows[0])
            gates = gate and _array(row.gate_id for row in rows)
            payloads = ",".join([row.payload for row in rows])
            values = [queue, kind, *rest, gates, expires_at, f"[{payloads}]"]
            cursor.execute(INSERT_ALIKE, values)
        else:
            cursor.execute(INSERT, [json.dumps(rows, default=str)])
        return sorted(starmap(InsertedRow, cursor.fetchall()))
    (row,) = rows
    cursor.execute(INSERT_ONE, _values(row))
    return [_inserted(row, cursor.connection, *found) for found in cursor.fetchall()]


def insert_one(connection: Any, row: NewRow) -> InsertedRow | None:
    """The same of one; None if a key of it is taken."""
    if answer := asked(connection, INSERT_ONE, _values(row)):
        found = _found(answer)
        return _inserted(row, connection.connection, *found) if found else None
    with connection.cursor() as cursor:
        return next(iter(insert(cursor, [row])), None)


def _are_alike(rows: Sequence[NewRow]) -> bool:
    """Whether they have no keys, and differ by nothing but payloads and, if all have one, gates."""
    first = rows[0]
    kind, rest, last = first[:PAYLOAD], first[PAYLOAD + 1 : GATE], first[GATE + 1 :]
    if any(first.keys):
        return False
    return all(
        row[PAYLOAD + 1 : GATE] == rest
        and row[:PAYLOAD] == kind
        and row[GATE + 1 :] == last
        and (row[GATE] is None) is (first[GATE] is None)
        for row in rows
    )


def _array(numbers: Iterable[int | None]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _values(row: NewRow) -> tuple[Any, ...]:
    return (*row[:-1], row.expires_at)


def _inserted(row: NewRow, session: Any, pk: int, enqueued_at: float, backend: int) -> InsertedRow:
    if session.autocommit:  # in a transaction nothing is kept
        prepared.has_enqueued(session, backend=backend)
    moment = datetime.fromtimestamp(enqueued_at, UTC)
    return InsertedRow(pk, row.dedupe_key, row.idempotency_key, moment)


def question(row: NewRow, kept_as: tuple[str, str]) -> Question | None:
    """The same of one without keys, for a `Pipeline`; None if its texts can't be sent like that."""
    shown = _values(row)
    values = [value if value is None else str(value) for value in shown]
    if any(value and "\0" in value for value in values):
        return None
    return Question(*kept_as, values, INSERT_ONE, shown)


def inserted_row(answer: PGresult) -> InsertedRow | None:
    """What the server said to that; None if it was left out."""
    found = _found(answer)
    return found and InsertedRow(found[0], None, None, datetime.fromtimestamp(found[1], UTC))


def _found(answer: PGresult) -> tuple[int, float, int] | None:
    """As `INSERT_ONE` tells it."""
    if not answer.ntuples:
        return None
    pk, moment, backend = answer.get_value(0, 0), answer.get_value(0, 1), answer.get_value(0, 2)
    if pk is None or moment is None or backend is None:
        return None
    return int(pk), float(moment), int(backend)


def find(cursor: Any, rows: Sequence[NewRow]) -> list[KeyHolder]:
    """Find the jobs that hold the keys of rows."""
    cursor.execute(
        FIND,
        {
            "dedupe_keys": [row.dedupe_key for row in rows if row.dedupe_key],
            "idempotency_keys": [row.idempotency_key for row in rows if row.idempotency_key],
        },
    )
    return list(map(KeyHolder._make, cursor.fetchall()))


def lacks_columns(connection: Any, error: Error) -> bool:
    """Whether an insert failed because the table, or a column of it, is not there yet."""
    return getattr(error.__cause__, "sqlstate", None) in (NO_TABLE, NO_COLUMN)
