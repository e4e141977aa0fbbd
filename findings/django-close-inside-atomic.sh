#!/usr/bin/env bash
# Expected: a connection that is closed in the middle of an atomic() block makes the block fail, for
# what was written in it can't be committed any more.
# True, in Django 5.2.8: the block ends without an exception, and the rows are not there. A connection
# past its CONN_MAX_AGE is enough, and a call of close_old_connections(), which long-running code makes
# between its units of work.
# Hurt: management commands, workers of job queues and threads that call close_old_connections() in a
# helper which somebody then uses inside of a transaction: they report success, and nothing is stored.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'django==5.2.8' 2>/dev/null
DATABASE="$folder/db.sqlite3" "$folder/venv/bin/python" - <<'PYTHON'
import os

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["DATABASE"],
            "CONN_MAX_AGE": 0,
        }
    }
)
django.setup()
from django.db import close_old_connections, connection, transaction

print("Django", django.__version__)
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE orders (id integer PRIMARY KEY)")
failed = None
try:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO orders VALUES (1)")
        close_old_connections()
except Exception as error:
    failed = error
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM orders")
    (rows,) = cursor.fetchone()
print("the block raised", failed, "and left", rows, "rows")
assert failed is None, "expected by its users: an exception"
assert rows == 0
PYTHON
