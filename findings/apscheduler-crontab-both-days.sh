#!/usr/bin/env bash
# Expected: of a crontab's expression that names days of the month and days of the week, either is enough,
# as cron has it and as the page says to which from_crontab() points for its format: "0 9 1,15 * mon" is
# each Monday and, beside them, the 1st and the 15th.
# True, in APScheduler 3.11.3: both must fit. It fires on those Mondays alone that are a 1st or a 15th, two
# times in 2026 in place of 74. Nothing warns, as about numbers for weekdays its documentation does.
# Hurt: whoever moves a crontab to APScheduler, or lets people type one: pay runs and reports that should
# come twice a month and each Monday come twice a year.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'apscheduler==3.11.3' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from apscheduler.triggers.cron import CronTrigger

print("APScheduler", version("apscheduler"))

trigger = CronTrigger.from_crontab("0 9 1,15 * mon", timezone="UTC")
days, moment = [], datetime(2026, 1, 1, tzinfo=UTC)
while (fired := trigger.get_next_fire_time(None, moment)).year == 2026:
    days.append(fired.date())
    moment = fired + timedelta(minutes=1)

year = [datetime(2026, 1, 1).date() + timedelta(days=number) for number in range(365)]
expected = [day for day in year if day.day in (1, 15) or day.isoweekday() == 1]
print("fires on", ", ".join(map(str, days)))
assert days == [day for day in year if day.day in (1, 15) and day.isoweekday() == 1]
print(len(days), "times in 2026; as cron reads it,", len(expected))
assert (len(days), len(expected)) == (2, 74), "expected by its users: 74"
PYTHON
