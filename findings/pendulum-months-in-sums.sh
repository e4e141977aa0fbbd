#!/usr/bin/env bash
# Expected: pendulum.duration(months=1) is a month, whatever one does with it: by the calendar, as it is when it
# is added to a moment of pendulum.
# True, in pendulum 3.3.0: it is one only there. A sum of two durations has days in the place of months and
# years, 30 and 365 of them, so that moment + (month + day) is another day than moment + month + day; a product
# keeps the months. And as a duration is a timedelta, a datetime of the standard library, as Django's
# timezone.now() is, takes it for thirty days. No error says so.
# Hurt: whoever adds up terms ("a month, and three days of grace"), or hands one to code that knows no pendulum,
# such as the delay of a job: reminders, renewals and ends of trials are up to three days off each month.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pendulum==3.3.0' 'tzdata==2026.6' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import pendulum

print("pendulum", version("pendulum"))
MOMENT = pendulum.datetime(2026, 1, 31)
PLAIN = datetime(2026, 1, 31, tzinfo=UTC)
month, day = pendulum.duration(months=1), pendulum.duration(days=1)
seen = {
    "moment + month": MOMENT + month,
    "moment + month + day": MOMENT + month + day,
    "moment + (month + day)": MOMENT + (month + day),
    "moment + month * 2": MOMENT + month * 2,
    "moment + (month + month)": MOMENT + (month + month),
    "datetime + month": PLAIN + month,
}
for sum_, moment in seen.items():
    print(f"{sum_:24} {moment:%Y-%m-%d}")
print("month + day is", repr(month + day))
days = [f"{moment:%m-%d}" for moment in seen.values()]
assert [days[0], days[1], days[3]] == ["02-28", "03-01", "03-31"]
assert days[2] == "03-03", "expected by its users: 03-01"
assert days[4] == "04-01", "expected by its users: 03-31"
assert days[5] == "03-02", "expected by its users: 02-28, or an error"
assert month == timedelta(days=30) and month + month == timedelta(days=60)
PYTHON
