#!/usr/bin/env bash
# Expected: what is scheduled each month from the 31st on runs on the last day of each month, or in those
# that have a 31st; and what is scheduled each year from the 29th of February on is back on it in four years.
# True, in django-q2 1.11.1: each run is reckoned from the one before, so that the first short month cuts the
# day for good: from 31 January it runs on 28 February, and on the 28th ever after, in the long months too.
# From 29 February it runs on the 28th for ever, and by quarters from 31 January on the 30th.
# Hurt: whoever closes books, bills or pays at the end of the month: from the first spring on the last days
# of each month are left out, and nothing fails.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'django-q2==1.11.1' 'django==5.2.19' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from importlib.metadata import version

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django_q"],
    Q_CLUSTER={"orm": "default", "timeout": 60, "retry": 120},
    TIME_ZONE="UTC",
    USE_TZ=True,
)
django.setup()
from django_q.models import Schedule

print("django-q2", version("django-q2"), "Django", version("django"))


def days(kind, first, count):
    schedule = Schedule(func="pay", schedule_type=kind, next_run=first)
    for _ in range(count):
        yield schedule.next_run.strftime("%d %b %Y")
        schedule.next_run = schedule.calculate_next_run()


monthly = list(days(Schedule.MONTHLY, datetime(2026, 1, 31, 9, tzinfo=UTC), 12))
quarterly = list(days(Schedule.QUARTERLY, datetime(2026, 1, 31, 9, tzinfo=UTC), 5))
yearly = list(days(Schedule.YEARLY, datetime(2028, 2, 29, 9, tzinfo=UTC), 5))
print("monthly:  ", *monthly, sep="\n    ")
print("quarterly:", *quarterly, sep="\n    ")
print("yearly:   ", *yearly, sep="\n    ")
assert {day[:2] for day in monthly[1:]} == {"28"}, "expected by its users: 31 March, and so on"
assert {day[:2] for day in quarterly[1:]} == {"30"}, "expected by its users: 31 July, and so on"
assert yearly[-1] == "28 Feb 2032", "expected by its users: 29 Feb 2032"
PYTHON
