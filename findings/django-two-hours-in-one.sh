#!/usr/bin/env bash
# Expected: grouped by TruncHour(), each hour that has passed is one row, also in the night when clocks go
# back and the hour from two to three passes twice.
# True, in Django 5.2.19: the two are one row, which has what came in both, and is told as the first of them
# (02:00+02:00 in Berlin); there is none for the second. TruncMinute() and TruncSecond() do the same, so that
# 02:10 and the 02:10 an hour later are one minute. With tzinfo=UTC they are apart.
# Hurt: charts, quotas, meters and invoices by the hour: once a year one hour has twice its load, and looks
# like an incident; one has none, and looks like an outage; and a limit by the hour is hit at half of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'django==5.2.19' 'tzdata==2026.6' 2>/dev/null
PYTHONTZPATH='' "$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[],
    TIME_ZONE="Europe/Berlin",
    USE_TZ=True,
)
django.setup()
from django.db import connection, models
from django.db.models.functions import TruncHour, TruncMinute


class Call(models.Model):
    at = models.DateTimeField()

    class Meta:
        app_label = "calls"


with connection.schema_editor() as editor:
    editor.create_model(Call)
print("Django", django.__version__)
begin = datetime(2026, 10, 24, 23, 10, tzinfo=UTC)
Call.objects.bulk_create(Call(at=begin + timedelta(minutes=30 * number)) for number in range(8))


def rows(trunc):
    counted = Call.objects.annotate(part=trunc).values("part").annotate(count=models.Count("id"))
    return [(row["part"].isoformat(), row["count"]) for row in counted.order_by("part")]


local, utc, minutes = rows(TruncHour("at")), rows(TruncHour("at", tzinfo=UTC)), rows(TruncMinute("at"))
for name, counted in (("by local hours", local), ("by hours of UTC", utc)):
    print(name, *(f"{part}: {count}" for part, count in counted), sep="\n    ")
assert [count for _, count in utc] == [2, 2, 2, 2]
assert local == [
    ("2026-10-25T01:00:00+02:00", 2),
    ("2026-10-25T02:00:00+02:00", 4),
    ("2026-10-25T03:00:00+01:00", 2),
], "expected by its users: 2 each, in four rows"
assert ("2026-10-25T02:10:00+02:00", 2) in minutes, "expected by its users: one each"
PYTHON
