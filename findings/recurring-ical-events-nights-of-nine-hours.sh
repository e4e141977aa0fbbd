#!/usr/bin/env bash
# Expected: an event with DURATION:PT8H takes eight hours, and TRIGGER:-PT12H is twelve hours before it begins, in each
# night: hours and minutes are exact, says RFC 5545 of durations, and days and weeks by the calendar. The documentation
# of recurring-ical-events has both that RFC and daylight saving time among what is supported.
# True, in recurring-ical-events 3.8.2, and in the end of an event of icalendar 7.3.2: each duration is added to what
# the clock on the wall shows. In the night in which clocks go back a shift of eight hours from 22:00 on ends at six,
# after nine hours, in the other after seven; an hour from 02:30 on takes two, and in spring ninety minutes from 01:30
# on take thirty; and a reminder twelve hours ahead comes thirteen ahead. Days are right; and PT24H is taken for one.
# Hurt: whoever bills, pays or plans by what a calendar has: twice a year nights are an hour too long or too short, the
# next shift begins before the last has ended, and what is to be kept for ninety minutes is free after thirty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'recurring-ical-events==3.8.2' 'icalendar==7.3.2' 'tzdata==2026.6' 2>/dev/null
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from datetime import UTC, timedelta
from importlib.metadata import version

import recurring_ical_events
from icalendar import Calendar

print("recurring-ical-events", version("recurring-ical-events"), "icalendar", version("icalendar"))
HOUR = timedelta(hours=1)
TEXT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//
BEGIN:VEVENT
UID:shift
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:{begins}
DURATION:{duration}
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:soon
TRIGGER:-PT12H
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def passed(begins, ends):
    return ends.astimezone(UTC) - begins.astimezone(UTC)


def seen(begins, duration):
    """How long it takes, how long to icalendar, and how far ahead the reminder is: as time that passes."""
    calendar = Calendar.from_ical(TEXT.format(begins=begins, duration=duration).replace("\n", "\r\n"))
    (event,) = recurring_ical_events.of(calendar).all()
    (reminded,) = recurring_ical_events.of(calendar, components=["VALARM"]).all()
    (alarm,) = reminded.walk("VALARM")
    start = event["DTSTART"].dt
    takes = passed(start, event["DTEND"].dt)
    ahead = passed(alarm["TRIGGER"].dt, start)
    print(begins, duration.ljust(5), "takes", takes, "and is announced", ahead, "ahead")
    assert passed(start, calendar.events[0].end) == takes
    return takes, ahead


assert seen("20261023T220000", "PT8H") == (8 * HOUR, 12 * HOUR)
assert seen("20261024T220000", "PT8H") == (9 * HOUR, 12 * HOUR), "expected by its users: eight hours"
assert seen("20260328T220000", "PT8H") == (7 * HOUR, 12 * HOUR), "expected by its users: eight hours"
assert seen("20261025T023000", "PT1H")[0] == 2 * HOUR, "expected by its users: one hour"
assert seen("20260329T013000", "PT90M")[0] == HOUR / 2, "expected by its users: ninety minutes"
assert seen("20261025T090000", "PT1H")[1] == 13 * HOUR, "expected by its users: twelve hours ahead"
assert seen("20261024T090000", "PT24H")[0] == 25 * HOUR, "expected by its users: 24 hours"
assert seen("20261024T090000", "P1D")[0] == 25 * HOUR
PYTHON
