#!/usr/bin/env bash
# Expected: cache.incr() counts, and leaves the moment when the entry expires as add() or set() gave it, so
# that "a hundred a day" is an entry of a day and one incr() each.
# True, in Django 5.2.19: with the database's and the file system's cache, incr() and decr() store the value
# anew with the TIMEOUT of the whole cache, which is five minutes unless somebody sets it. With the memory
# of the process they keep the entry's own, as Redis and Memcached do. The documentation says of the two
# only that they may not be atomic.
# Hurt: whoever limits or numbers by a counter in the cache: a hundred mails a day become a hundred in five
# minutes; and a limit for a minute, asked more often than every five, never ends. Tests pass, for they run
# with the cache in memory.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'django==5.2.19' 2>/dev/null
FOLDER="$folder" "$folder/venv/bin/python" - <<'PYTHON'
import os
import time
from pathlib import Path

import django
from django.conf import settings

folder = Path(os.environ["FOLDER"])
BACKENDS = {
    "locmem.LocMemCache": "",
    "db.DatabaseCache": "counters",
    "filebased.FileBasedCache": str(folder / "files"),
}
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "db.sqlite3"}},
    CACHES={
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
        **{
            name: {"BACKEND": f"django.core.cache.backends.{name}", "LOCATION": place, "TIMEOUT": 1}
            for name, place in BACKENDS.items()
        },
    },
)
django.setup()
from django.core.cache import caches
from django.core.management import call_command

print("Django", django.__version__)
call_command("createcachetable", verbosity=0)
for name in BACKENDS:
    caches[name].add("sent", 0, timeout=24 * 60 * 60)
    caches[name].add("untouched", 0, timeout=24 * 60 * 60)
    caches[name].incr("sent")
time.sleep(3)  # longer than the cache's TIMEOUT, shorter than the day that was asked for
left = {name: caches[name].get("sent") for name in BACKENDS}
untouched = {name: caches[name].get("untouched") for name in BACKENDS}
for name in BACKENDS:
    print(f"{name:26} untouched: {untouched[name]}  counted: {left[name]}")
assert set(untouched.values()) == {0}
assert left["locmem.LocMemCache"] == 1
assert left["db.DatabaseCache"] is None, "expected by its users: 1"
assert left["filebased.FileBasedCache"] is None, "expected by its users: 1"
PYTHON
