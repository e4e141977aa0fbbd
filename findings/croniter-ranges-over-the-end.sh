#!/usr/bin/env bash
# Expected: in a range that runs over the end of its field, a step counts on across the end, as it does
# inside of the field. nov-feb/3 is November and February; 20-7/3 is 20, 23, 2 and 5. And a range from
# a value to itself is that value.
# True, in croniter 6.2.2: the step begins anew after the end, at the first value of the field, so that
# nov-feb/3 never fires in February and 20-7/3 fires at 3 and 6 in place of 2 and 5. A range from a value
# to itself is taken for one over the end, which holds the whole field: mon-1 and 1-1 fire daily.
# Hurt: whoever runs something each third month over the turn of the year, or through the night; and
# whoever lets people type days as they like.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'croniter==6.2.2' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime
from importlib.metadata import version

from croniter import croniter

print("croniter", version("croniter"))


def fires(expression, count):
    moments = croniter(expression, datetime(2026, 1, 1))
    return [moments.get_next(datetime) for _ in range(count)]


months = {moment.month for moment in fires("0 0 1 nov-feb/3 *", 10)}
hours = {moment.hour for moment in fires("0 20-7/3 * * *", 20)}
days = {moment.isoweekday() for moment in fires("0 0 * * mon-1", 14)}
dates = {moment.day for moment in fires("0 0 1-1 * *", 31)}
print("nov-feb/3 fires in the months", sorted(months))
print("20-7/3 fires in the hours", sorted(hours))
print("mon-1 fires on the days", sorted(days), "and 1-1 on", len(dates), "days of January")
assert months == {11}, "expected by its users: {2, 11}"
assert hours == {3, 6, 20, 23}, "expected by its users: {2, 5, 20, 23}"
assert days == {1, 2, 3, 4, 5, 6, 7}, "expected by its users: {1}"
assert len(dates) == 31, "expected by its users: 1"
PYTHON
