#!/usr/bin/env bash
# Expected: datetime + parse_duration("PT1.5H") of isoduration is ninety minutes later, and minus it ninety minutes
# earlier, as with "PT90M"; and a moment keeps its microseconds. "Durations can be added to, or subtracted from, Python
# datetimes", says its README; ISO 8601 lets the smallest unit have a fraction, and it is read as a Decimal.
# True, in isoduration 20.11.0: each field is reckoned by itself and rounded at the end, a half upwards, and nothing of
# it goes into the next smaller one. "PT1.5H" is two hours later, or one hour earlier; "PT0.5H" an hour or nothing,
# "PT2.25H" two hours, "PT1.5S" two seconds or one. And the microseconds of the datetime are dropped, whatever is added,
# so that a second is between a hair and nearly two. isodate 0.7.2 has each right.
# Hurt: whoever takes delays, timeouts or terms in ISO 8601: "PT0.5H" comes after an hour, and what is "since PT0.5H
# ago" begins now. jsonschema, which has this package for its format "duration", says of the texts that they are valid.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'isoduration==20.11.0' 'isodate==0.7.2' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime, timedelta
from importlib.metadata import version

import isodate
from isoduration import parse_duration

print("isoduration", version("isoduration"), "isodate", version("isodate"))
BEGINS = datetime(2026, 11, 15, 12)
MINUTE = timedelta(minutes=1)


def moved(text, *, begins=BEGINS):
    """How far the duration goes ahead, and how far it goes back."""
    duration = parse_duration(text)
    ahead, back = begins + duration - begins, begins - (begins - duration)
    others = isodate.parse_duration(text)
    print(f"{text:7} from {begins.time()!s:15} goes {ahead} ahead and {back} back; isodate has {others}")
    return ahead, back


assert moved("PT90M") == (90 * MINUTE, 90 * MINUTE)
assert moved("PT1.5H") == (120 * MINUTE, 60 * MINUTE), "expected by its users: ninety minutes both"
assert moved("PT0.5H") == (60 * MINUTE, 0 * MINUTE), "expected by its users: thirty minutes both"
assert moved("PT2.25H") == (120 * MINUTE, 120 * MINUTE), "expected by its users: 135 minutes both"
assert moved("P0.5D") == (timedelta(days=1), timedelta(0)), "expected by its users: twelve hours both"
assert moved("PT1.5S") == (timedelta(seconds=2), timedelta(seconds=1)), "expected by its users: 1.5 seconds both"
assert moved("PT1S", begins=BEGINS + timedelta(milliseconds=900)) == (
    timedelta(milliseconds=100),
    timedelta(milliseconds=1900),
), "expected by its users: one second both"
PYTHON
