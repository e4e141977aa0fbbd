#!/usr/bin/env bash
# Expected: every().day.at("02:30", "Europe/Berlin") runs once a day at half past two; on the Sunday in spring on
# which that time does not exist it runs an hour later, and on the Monday at half past two again.
# True, in schedule 1.2.2: on that Monday it runs twice, at half past one and at half past two. The hour by which
# Sunday's run is put off is taken off the next. So it is with each time from 2:00 to 2:59, in any zone of the system.
# At 1:59 and at 3:00 there is one run a day, and so there is in autumn.
# Hurt: whoever sends, bills or pays at night: once a year everybody has two on one day, on the day after the one at
# which one looks, and the first comes an hour before what it waits for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'schedule==1.2.2' 'pytz==2026.2' 'time-machine==3.6.0' 'tzdata==2026.6' 2>/dev/null
cat >"$folder/nights.py" <<'PYTHON'
import os
from datetime import UTC, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import schedule
import time_machine

ZONE = "Europe/Berlin"
print("schedule", version("schedule"), "with the system in", os.environ["TZ"])


def runs(at, begin):
    """When a job of each day runs in three days, by a clock in Berlin; it is asked each minute."""
    found = []
    schedule.clear()
    with time_machine.travel(begin, tick=False) as clock:
        schedule.every().day.at(at, ZONE).do(
            lambda: found.append(f"{datetime.now(UTC).astimezone(ZoneInfo(ZONE)):%d %H:%M}")
        )
        for _ in range(3 * 24 * 60):
            clock.shift(60)
            schedule.run_pending()
    print(f"{at}: {', '.join(found)}")
    return found


spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
assert runs("01:59", spring) == ["29 01:59", "30 01:59", "31 01:59"]
assert runs("03:00", spring) == ["29 03:00", "30 03:00", "31 03:00"]
assert runs("02:30", autumn) == ["25 02:30", "26 02:30", "27 02:30"]
expected = "expected by its users: without the second"
assert runs("02:30", spring) == ["29 03:30", "30 01:30", "30 02:30", "31 02:30"], expected
assert runs("02:00", spring) == ["29 03:00", "30 01:00", "30 02:00", "31 02:00"], expected
PYTHON
for zone in UTC Europe/Berlin; do TZ=$zone "$folder/venv/bin/python" "$folder/nights.py"; done
