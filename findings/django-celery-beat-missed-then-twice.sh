#!/usr/bin/env bash
# Expected: what was due while beat was down runs once when it is back, or is left out; and the next day it is at its
# hour again.
# True, in django-celery-beat 2.9.0 with Celery 5.7.0: a crontab that names one hour is looked at only if that hour is
# within two of the present one. So of a daily task at three that was missed, nothing comes when beat is back at nine.
# It comes at one in the next night, two hours before its time, as soon as it is looked at and found overdue; and at
# three once more. A crontab of two hours, such as 3 and 15, is looked at always, and comes at nine, at once.
# Hurt: whoever bills, pays or sends at night, and has a host or database that was down at that time: everybody has two
# in the next night, and the first begins before what it waits for. Who looks after the outage finds nothing amiss, and
# a short outage, as one tries it, mends itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'django-celery-beat==2.9.0' 'celery==5.7.0' 'Django==5.2.19' 'time-machine==3.6.0' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

import django
import time_machine
from celery import Celery
from django.conf import settings
from django.core.management import call_command

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django_celery_beat"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
    TIME_ZONE="UTC",
    CELERY_TIMEZONE="UTC",
)
django.setup()
call_command("migrate", verbosity=0)

from django_celery_beat.models import CrontabSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

print("django-celery-beat", version("django-celery-beat"), "celery", version("celery"))

app = Celery("bills", broker="memory://")
app.conf.update(timezone="UTC", result_expires=None)
LAST = datetime(2026, 11, 28, 3, tzinfo=timezone.utc)
BACK = datetime(2026, 11, 29, 9, tzinfo=timezone.utc)


def sent(hours):
    """When a task for these hours is sent by a beat that is back at nine, up to ten o'clock of the next day."""
    PeriodicTask.objects.all().delete()
    crontab = CrontabSchedule.objects.create(minute="0", hour=hours, timezone="UTC")
    found = []
    with time_machine.travel(LAST, tick=False) as clock:
        PeriodicTask.objects.create(name="bill", task="bill", crontab=crontab, last_run_at=LAST)
        clock.move_to(BACK)
        beat = DatabaseScheduler(app=app)
        beat.apply_async = lambda entry, **_: found.append(f"{datetime.now(timezone.utc):%d %H:%M}")
        for minutes in range(25 * 60):
            clock.move_to(BACK + timedelta(minutes=minutes))
            while beat.tick() == 0:
                pass
    return found


one = sent("3")
two = sent("3,15")
print("last run on the 28th at 03:00, back on the 29th at 09:00; daily at 3:", one, "at 3 and 15:", two)
assert two == ["29 09:00", "29 15:00", "30 03:00"]
assert one == ["30 01:00", "30 03:00"], "expected by its users: 29 09:00, or nothing, and 30 03:00"
PYTHON
