#!/usr/bin/env bash
# Expected: the schedule "every 45 minutes" runs each 45 minutes, "every 7 hours" each seven hours, and "every 3 hours
# from 9 to 17" at 9, 12 and 15, or they are refused, as "every 90 minutes" is, for misleading forms are.
# True, in dj-queue 0.14.2: they become steps within the hour and the day. "Every 45 minutes" is at :00 and :45, so that
# it waits for 45 and 15 minutes in turn; "every 7 hours" waits for 7, 7, 7 and 3; "every 5 days" runs on the 31st and
# on the 1st. Of "every 3 hours from 9 to 17" the three is forgotten: it runs each hour from 9 to 17. And "every 20
# minutes from 9:10 to 11:10" begins at 9:00.
# Hurt: whoever writes what an office means: a report comes a third more often, or three times as often as was
# said; a poll that is to keep 45 minutes of distance from the last is refused by the other side.
# It needs Python 3.12: PYTHON=… names it, where python3 is older.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'dj-queue==0.14.2' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from importlib.metadata import version

from dj_queue.cron import is_valid_cron, next_cron_run

print("dj-queue", version("dj-queue"))


def runs(schedule, start, form):
    found, moment = [], start
    for _ in range(6):
        moment = next_cron_run(schedule, moment)
        found.append(form.format(moment))
    print(f"{schedule:35}", *found)
    return found


MIDNIGHT = datetime(2026, 11, 30, tzinfo=UTC)
clock, day = "{:%H:%M}", "{:%d.%m.}"
every = runs("every 45 minutes", MIDNIGHT, clock)
assert every == ["00:45", "01:00", "01:45", "02:00", "02:45", "03:00"], "expected: 01:30 after 00:45"
every = runs("every 7 hours", MIDNIGHT, clock)
assert every == ["07:00", "14:00", "21:00", "00:00", "07:00", "14:00"], "expected: 04:00 after 21:00"
every = runs("every 5 days", datetime(2026, 12, 20, tzinfo=UTC), day)
assert every == ["21.12.", "26.12.", "31.12.", "01.01.", "06.01.", "11.01."]
every = runs("every 3 hours from 9 to 17", MIDNIGHT, clock)
assert every == ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00"], "expected: 09:00, 12:00, 15:00"
every = runs("every 20 minutes from 9:10 to 11:10", MIDNIGHT, clock)
assert every[0] == "09:00", "expected: 09:10"
assert not is_valid_cron("every 90 minutes")
PYTHON
