#!/usr/bin/env bash
# Expected: str() of a rule gives the text that makes the same rule again with rrulestr(), as its own
# documentation says.
# True, in python-dateutil 2.9.0.post0: the time zone is dropped, from what begins the rule and from what ends
# it, without a word; UTC as well as a zone by its name, and also where rrulestr() had read one. The rule that
# comes back gives naive moments.
# Hurt: whoever stores the recurrence of a job or an appointment as its text: "each day at nine in Berlin" is
# at nine in UTC, or wherever the server stands, once it has been saved.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'python-dateutil==2.9.0.post0' 'tzdata==2026.6' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, rrule, rrulestr

print("python-dateutil", version("python-dateutil"))
TEXTS = (
    "DTSTART:20260301T090000Z\nRRULE:FREQ=DAILY;UNTIL=20260303T090000Z",
    "DTSTART;TZID=Europe/Berlin:20260301T090000\nRRULE:FREQ=DAILY;COUNT=3",
)
nine = datetime(2026, 3, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))
rules = [*map(rrulestr, TEXTS), rrule(DAILY, dtstart=nine, count=3)]
for rule in rules:
    again = rrulestr(str(rule))
    print(str(rule).replace("\n", "  "), "begins at", rule[0].isoformat(), "and again at", again[0].isoformat())
    assert rule[0].tzinfo is not None
    assert again[0] == rule[0].replace(tzinfo=None), "expected by its users: the same moment"
    assert "Z" not in str(rule) and "TZID" not in str(rule)
PYTHON
