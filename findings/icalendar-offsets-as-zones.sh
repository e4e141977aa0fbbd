#!/usr/bin/env bash
# Expected: an aware datetime that is put into a calendar is the same moment for whoever reads it. One with an
# offset, as "2026-11-28T09:00:00+01:00" gives in JSON, a form or a log, is written in UTC, for a calendar knows
# UTC and zones, and no offsets.
# True, in icalendar 7.3.2: it is written as DTSTART;TZID="UTC+01:00":20261128T090000, by a zone of that name
# which is described nowhere. Read again by icalendar itself it is naive: nine by the clock of whoever looks.
# And the end of a rule loses its zone: UNTIL has to be in UTC where the start has a zone, says RFC 5545, and
# dateutil refuses what was written. Moments in UTC or in a ZoneInfo are read as they were.
# Hurt: whoever sends invitations and reminders for moments that came by an API or a form: in one's own office
# they are right, and one zone further each guest is an hour late.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'icalendar==7.3.2' 'python-dateutil==2.9.0.post0' 'tzdata==2026.6' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event

print("icalendar", version("icalendar"))
BERLIN = ZoneInfo("Europe/Berlin")


def sent_and_read(begins):
    event = Event()
    event.add("dtstart", begins)
    calendar = Calendar()
    calendar.add_component(event)
    written = calendar.to_ical().decode()
    (line,) = (line for line in written.splitlines() if line.startswith("DTSTART"))
    assert "VTIMEZONE" not in written
    return line, Calendar.from_ical(written).events[0]["dtstart"].dt


OFFSET = datetime.fromisoformat("2026-11-28T09:00:00+01:00")
seen = {}
for name, begins in {"offset": OFFSET, "UTC": OFFSET.astimezone(UTC), "ZoneInfo": OFFSET.astimezone(BERLIN)}.items():
    line, seen[name] = sent_and_read(begins)
    print(f"{name:9} {line:45} is read as {seen[name].isoformat()}")

event = Event()
event.add("dtstart", datetime(2026, 1, 1, 9, tzinfo=BERLIN))
event.add("rrule", {"freq": "daily", "until": datetime(2026, 2, 1, 9, tzinfo=BERLIN)})
rule = event["rrule"].to_ical().decode()
try:
    rrulestr(rule, dtstart=event["dtstart"].dt)
    refused = None
except ValueError as error:
    refused = str(error)
print(f"{rule}: dateutil says {refused!r}")
assert seen["UTC"] == seen["ZoneInfo"] == OFFSET
assert seen["offset"] == datetime(2026, 11, 28, 9), "expected by its users: the same moment, aware"
assert rule == "FREQ=DAILY;UNTIL=20260201T090000", "expected by its users: 20260201T080000Z"
assert refused is not None
PYTHON
