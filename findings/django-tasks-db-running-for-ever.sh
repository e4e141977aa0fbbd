#!/usr/bin/env bash
# Expected: a task that was in work when its worker was killed, by the memory running out, a restart of the host or a
# deploy that did not wait, is run again, or is told as failed, once a worker is there; the row in the database knows
# which worker had it and since when.
# True, in django-tasks-db 0.13.0 with Django 5.2.19: it stays RUNNING for ever. The next worker, also one of the same
# id, passes it over and says that there are no more tasks; none is ever taken for lost. prune_db_task_results leaves it
# there too, for it deletes what is finished. Neither its README nor the help of its commands says so. What waits runs.
# Hurt: whoever sends what must not be lost by it: each kill takes one task of each worker with it, without an error, a
# signal or a line in a log, and whoever asks for its result is told that it is being worked on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'Django==5.2.19' 'django-tasks==0.12.0' 'django-tasks-db==0.13.0' 2>/dev/null
cd "$folder"
cat > settings.py <<'PYTHON'
import pathlib

SECRET_KEY = "none"
USE_TZ = True
INSTALLED_APPS = ["django_tasks", "django_tasks_db", "bills"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": pathlib.Path(__file__).parent / "db"}}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
PYTHON
mkdir bills && touch bills/__init__.py
cat > bills/tasks.py <<'PYTHON'
import pathlib
import time

from django_tasks import task


@task()
def send(name, seconds):
    """Leave a file of that name, then take that long."""
    pathlib.Path(name).touch()
    time.sleep(seconds)
PYTHON
DJANGO_SETTINGS_MODULE=settings PYTHONPATH="$folder" "$folder/venv/bin/python" - <<'PYTHON'
import pathlib
import subprocess
import sys
import time
from importlib.metadata import version

import django

django.setup()

from bills.tasks import send
from django.core.management import call_command
from django_tasks_db.models import DBTaskResult

print("django-tasks-db", version("django-tasks-db"), "Django", django.__version__)
WORKER = [sys.executable, "-m", "django", "db_worker", "--batch", "--no-startup-delay", "--worker-id", "one"]


def told():
    return {row.args_kwargs["args"][0]: str(row.status) for row in DBTaskResult.objects.all()}


call_command("migrate", verbosity=0)
send.enqueue("january", 60)
send.enqueue("february", 0)
worker = subprocess.Popen(WORKER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
until = time.monotonic() + 60
while not pathlib.Path("january").exists() and time.monotonic() < until:
    time.sleep(0.05)
worker.kill()
worker.wait()
print("killed while at it: ", told())
pathlib.Path("january").unlink()
for _ in range(2):
    said = subprocess.run(WORKER, check=True, capture_output=True, text=True, timeout=60)
    print(said.stdout.strip().splitlines()[-1])
DBTaskResult.objects.update(enqueued_at="2026-01-01T00:00Z", started_at="2026-01-01T00:00Z")
call_command("prune_db_task_results", "--min-age-days", "0", "--queue-name", "*", verbosity=0)
print("after two workers, and of last January:", told())
assert not pathlib.Path("january").exists(), "expected by its users: run again, or failed"
assert told() == {"january": "RUNNING"}, "expected by its users: SUCCESSFUL, or FAILED, and pruned"
PYTHON
