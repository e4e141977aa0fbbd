#!/usr/bin/env bash
# Expected: a moment that the database was asked for by Now(), and that is read from a row, finds this row
# again: filter(seen=row.seen) has it, filter(seen__gte=row.seen) does too, and filter(seen__lt=row.seen)
# does not.
# True, in Django 5.2.19 with SQLite: the other way round. Now() stores three digits of the
# second, each parameter has six or none, and SQLite compares them as texts: "12:00:00.123" comes before
# "12:00:00.123000". So a moment that came from Now(), as by db_default=Now(), is equal to nothing, and less
# than itself. What Python wrote, and what PostgreSQL stores, is found.
# Hurt: whoever updates a row only if it is as it was read (never), or goes from page to page by the last
# moment seen: upwards the others of that millisecond are left out, downwards the last page comes for ever.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'django==5.2.19' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import sqlite3

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, USE_TZ=True
)
django.setup()
from django.db import connection, models
from django.db.models.functions import Now
from django.utils import timezone


class Visit(models.Model):
    seen = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "shop"


with connection.schema_editor() as editor:
    editor.create_model(Visit)
print("Django", django.__version__, "SQLite", sqlite3.sqlite_version)


def found(visit):
    """How many rows are equal to it, at least it, and less than it, of this one."""
    mine = Visit.objects.filter(pk=visit.pk)
    lookups = ({"seen": visit.seen}, {"seen__gte": visit.seen}, {"seen__lt": visit.seen})
    return [mine.filter(**lookup).count() for lookup in lookups]


def stamped(count):
    """Rows of Now(), not in the one millisecond of a thousand that leaves no digits."""
    while True:
        Visit.objects.all().delete()
        Visit.objects.bulk_create(Visit() for _ in range(count))
        if (visit := Visit.objects.latest("pk")).seen.microsecond:
            return visit


by_database = stamped(1)
by_python = Visit.objects.get(pk=Visit.objects.create(seen=timezone.now()).pk)
told = found(by_database), found(by_python)
print("equal, at least, less: by Now()", told[0], "by timezone.now()", told[1])
assert told[1] == [1, 1, 0]
assert told[0] == [0, 0, 1], "expected by its users: [1, 1, 0]"

stamped(3)
pages, below = [], timezone.now()
for _ in range(6):
    visit = Visit.objects.filter(seen__lt=below).order_by("-seen", "-pk").first()
    pages.append(visit.pk)
    below = visit.seen
print("the newest first, one a page, by seen__lt of the last:", pages)
assert len(set(pages)) == 1, "expected by its users: an end"
PYTHON
