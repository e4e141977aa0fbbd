#!/usr/bin/env bash
# Expected: what cache.add("lock", …, timeout=None) has taken is taken until it is deleted; that a cache may forget is
# for what it could compute anew, or for one that is full, which a table or a disk is not.
# True, in Django 5.2.19 with the database's cache and that of the file system: they hold 300 entries, unless
# MAX_ENTRIES in OPTIONS says otherwise, and then a third of them goes, whether it expires or not. Old values go, says
# the documentation of that option; in the database it is the first by the alphabet: "charge:42" is gone as soon as 301
# others are there, "zebra:42" stays. Of files they are drawn by lot. add() says True to the next.
# Hurt: whoever locks, counts or limits by the cache, with one of those that take no further server: with three hundred
# pages, sessions or counters beside it two do at once what one is to do, a limit begins anew, and what was sent once
# is sent again. With few entries, as in a test, all holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'Django==5.2.19' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import django
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command

BACKENDS = "django.core.cache.backends"
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    CACHES={
        "default": {"BACKEND": f"{BACKENDS}.db.DatabaseCache", "LOCATION": "cached"},
        "large": {
            "BACKEND": f"{BACKENDS}.db.DatabaseCache",
            "LOCATION": "large",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        },
        "files": {"BACKEND": f"{BACKENDS}.filebased.FileBasedCache", "LOCATION": "files"},
    },
)
django.setup()
call_command("createcachetable", verbosity=0)
print("Django", django.get_version())


def lost(name, lock):
    """After how many other entries a lock can be taken by somebody else; None if not after three thousand."""
    cache = caches[name]
    cache.clear()
    assert cache.add(lock, "mine", timeout=None) and not cache.add(lock, "theirs", timeout=None)
    for number in range(3000):
        cache.set(f"page:{number}", "text", timeout=3600)
        if cache.get(lock) is None:
            assert cache.add(lock, "theirs", timeout=None)
            return number + 1
    return None


database, zebra = lost("default", "charge:42"), lost("default", "zebra:42")
large, files = lost("large", "charge:42"), lost("files", "charge:42")
print("database: charge:42 after", database, "others, zebra:42", zebra, "with MAX_ENTRIES", large, "files:", files)
assert zebra is None and large is None
assert database == 301, "expected by its users: None"
assert files is not None, "expected by its users: None"
PYTHON
