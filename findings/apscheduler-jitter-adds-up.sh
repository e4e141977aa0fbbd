#!/usr/bin/env bash
# Expected: of a job each hour with a jitter of ten minutes each run is up to ten minutes late, and there is
# one in each hour, as with jitter of a cron trigger.
# True, in APScheduler 3.11.3: with an interval trigger the next run is reckoned from the last one as it was
# with its jitter, so that they add up. An hour with ten minutes is 65 minutes on average: some 22 runs a day
# in place of 24, at any minute of the hour.
# Hurt: whoever spreads jobs so that they don't all run at once, which is what jitter is for: of the reports
# by the hour 55 are missing in a month, and what began at night drifts into the day.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'apscheduler==3.11.3' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import random
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

print("APScheduler", version("apscheduler"))
random.seed(1)
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)


def runs(trigger):
    found, last, now = [], None, BEGIN
    while (fired := trigger.get_next_fire_time(last, now)) < END:
        found.append(fired)
        last = now = fired
    return found


interval = runs(IntervalTrigger(hours=1, jitter=600, start_date=BEGIN, timezone="UTC"))
cron = runs(CronTrigger(minute=0, jitter=600, timezone="UTC"))
plain = runs(IntervalTrigger(hours=1, start_date=BEGIN, timezone="UTC"))
for name, found in (("interval without jitter", plain), ("interval", interval), ("cron", cron)):
    hours = {fired.replace(minute=0, second=0, microsecond=0) for fired in found}
    minutes = sorted({fired.minute for fired in found})
    print(f"{name}: {len(found)} runs in 30 days, {720 - len(hours)} hours without, minutes up to {minutes[-1]}")
assert (len(plain), len(cron)) == (720, 720)
assert {fired.minute for fired in cron} == set(range(10))
assert 655 < len(interval) < 675, "expected by its users: 720"
assert {fired.minute for fired in interval} == set(range(60)), "expected by its users: up to ten"
assert max(later - earlier for earlier, later in zip(interval, interval[1:])) > timedelta(minutes=69)
PYTHON
