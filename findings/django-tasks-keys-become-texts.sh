#!/usr/bin/env bash
# Expected: a task gets the same arguments from each backend, as the interface says that they are JSON; and what
# is no JSON is refused when it is enqueued, or for all that is of its kind.
# True, in django-tasks 0.12.0 with django-tasks-db 0.13.0: the immediate
# backend, which is for development and tests, leaves keys as they are: {1: "a"} stays that, and with the
# database they are texts: {"1": "a"}. Where both are there, one is lost. And bytes are taken as long as they
# happen to be UTF-8, and arrive as text.
# Hurt: whoever hands a task a dictionary by ids: tests pass, and in production amounts[order.id] is a KeyError,
# or a get() that finds nothing; and whoever hands it a file, that of the first customer with an umlaut in
# Latin-1 is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'django-tasks==0.12.0' 'django-tasks-db==0.13.0' 'django==5.2.19' 2>/dev/null
cat >"$folder/shop.py" <<'PYTHON'
from django_tasks import task


@task
def told(argument):
    return repr(argument)
PYTHON
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import django
from django.conf import settings

BACKENDS = {
    "default": "django_tasks_db.DatabaseBackend",
    "immediate": "django_tasks.backends.immediate.ImmediateBackend",
}
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django_tasks", "django_tasks_db"],
    TASKS={name: {"BACKEND": backend} for name, backend in BACKENDS.items()},
    USE_TZ=True,
)
django.setup()
import shop
from django.core.management import call_command

print("django-tasks", version("django-tasks"), "django-tasks-db", version("django-tasks-db"))
call_command("migrate", verbosity=0)


def both(argument):
    immediate = shop.told.using(backend="immediate").enqueue(argument)
    stored = shop.told.enqueue(argument)
    call_command("db_worker", batch=True, verbosity=0)
    stored.refresh()
    print(f"{argument!r} arrives as {immediate.return_value}, from the database as {stored.return_value}")
    return immediate.return_value, stored.return_value


assert both({"1": "a"}) == (repr({"1": "a"}),) * 2
assert both((1, 2)) == ("[1, 2]", "[1, 2]")
assert both({1: "a"}) == ("{1: 'a'}", "{'1': 'a'}"), "expected by its users: twice the same"
assert both({"1": "a", 1: "b"}) == ("{'1': 'a', 1: 'b'}", "{'1': 'b'}"), "expected by its users: refused"
assert both("Müller".encode()) == ("'Müller'", "'Müller'"), "expected by its users: refused"
try:
    shop.told.enqueue("Müller".encode("latin-1"))
except ValueError as error:
    print("the same in Latin-1 is refused:", error)
else:
    raise AssertionError("expected: refused")
PYTHON
