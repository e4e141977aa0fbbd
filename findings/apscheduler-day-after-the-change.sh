#!/usr/bin/env bash
# Expected: what is due each day at midnight is due on each day; a change of the clocks at two may touch what falls
# into the hour that is left out, and nothing else.
# True, in APScheduler 3.11.3: the day after the change in spring is passed over. A cron trigger for a time between
# 0:00 and 0:59, by a zone that goes an hour forward at two, fires on that Sunday and next on Tuesday. From one
# o'clock on all days are there, and "0,12" has them too. As that day is a Monday, what is weekly at midnight on
# Mondays is two weeks apart.
# Hurt: whoever closes, bills or backs up a day at midnight in Berlin, Paris or New York: once a year a day is
# missing, not the one at which one looks, and no log or missed-job event tells of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'apscheduler==3.11.3' 'tzdata==2026.6' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import date, datetime, time, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

print("APScheduler", version("apscheduler"))
LATE = timedelta(milliseconds=5)  # a scheduler asks for the next run shortly after the last was due


def days(name, begin, count, **fields):
    """The days of the month of the next runs."""
    zone = ZoneInfo(name)
    trigger = CronTrigger(timezone=zone, **fields)
    found, last, now = [], None, datetime.combine(begin, time(), zone)
    while len(found) < count:
        last = trigger.get_next_fire_time(last, now)
        now = last + LATE
        found.append(last.day)
    print(f"{name:18}{fields}: {found}")
    return found


BERLIN, SATURDAY = "Europe/Berlin", date(2026, 3, 28)
assert days(BERLIN, SATURDAY, 4, hour=1, minute=0) == [28, 29, 30, 31]
assert days(BERLIN, SATURDAY, 5, hour="0,12", minute=0) == [28, 28, 29, 29, 30]
assert days("Asia/Tokyo", SATURDAY, 4, hour=0, minute=0) == [28, 29, 30, 31]
expected = "expected by its users: the Monday between"
assert days(BERLIN, SATURDAY, 3, hour=0, minute=0) == [28, 29, 31], expected
assert days(BERLIN, SATURDAY, 3, hour=0, minute=59) == [28, 29, 31], expected
assert days("America/New_York", date(2026, 3, 7), 3, hour=0, minute=0) == [7, 8, 10], expected
mondays = days(BERLIN, date(2026, 3, 16), 3, day_of_week="mon", hour=0, minute=0)
assert mondays == [16, 23, 6], "expected by its users: 16, 23, 30"
PYTHON
