#!/usr/bin/env bash
# Expected: shift(minutes=30) is the moment half an hour later, and the difference of two moments is the time
# that passes between them, also in the night when clocks go back; days and months may go by the calendar.
# True, in arrow 1.4.0: both go by what the clock on the wall shows. In Berlin, from 02:45 before the change,
# thirty minutes later is 03:15, ninety minutes away; and of the moment that is half an hour away in truth,
# 02:15 after the change, arrow says that it is earlier, and "30 minutes ago". In spring two hours are one.
# In UTC, as of utcnow(), all is well. The datetime of the standard library reckons so, too, which is why one
# turns to arrow; its shift() looks after times that do not exist, and after no others.
# Hurt: whoever reckons delays, timeouts and leases from arrow.now() or in a customer's zone: once a year a
# retry is an hour late, and a lease that was just taken is one that has run out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'arrow==1.4.0' 'tzdata==2026.6' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import arrow

print("arrow", version("arrow"))


def minutes(later, earlier):
    return (later.timestamp() - earlier.timestamp()) / 60


before = arrow.get(2026, 10, 25, 2, 45, tzinfo="Europe/Berlin")
shifted = before.shift(minutes=30)
print(before, "and half an hour:", shifted, "which is", minutes(shifted, before), "minutes later")
in_truth = before.to("utc").shift(minutes=30).to("Europe/Berlin")
told = in_truth.humanize(before)
print(before, "and half an hour by UTC:", in_truth, "which arrow calls", told, "less:", in_truth < before)
spring = arrow.get(2026, 3, 29, 1, 45, tzinfo="Europe/Berlin")
two = spring.shift(hours=2)
print(spring, "and two hours:", two, "which is", minutes(two, spring), "minutes later, by arrow", two - spring)
assert minutes(in_truth, before) == 30
assert minutes(shifted, before) == 90, "expected by its users: 30"
assert (told, in_truth < before) == ("30 minutes ago", True), "expected by its users: in 30 minutes, False"
assert minutes(two, spring) == 60, "expected by its users: 120"
PYTHON
