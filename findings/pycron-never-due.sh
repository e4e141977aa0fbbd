#!/usr/bin/env bash
# Expected: an expression of cron that pycron takes is due at some time, and one that it does not understand
# is refused.
# True, in pycron 3.3.0: 7 for Sunday (0 works), a range over the end such as 22-2, a start with a step such
# as 0/30, the names of months, and L are taken without a word, and are never due. Of a range of weekdays over
# the end a part is due: fri-mon on Fridays and Saturdays, 5-7 without the Sunday.
# Hurt: whoever schedules by taskiq, which asks pycron each minute whether a task is due, with expressions
# that a crontab or croniter had: the backup on Sundays and the clean-up in the night never run, and nobody
# hears of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pycron==3.3.0' 'croniter==7.0.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime, timedelta
from importlib.metadata import version

import pycron
from croniter import croniter

print("pycron", version("pycron"), "beside croniter", version("croniter"))
HOURS = [datetime(2026, 1, 1) + timedelta(hours=number) for number in range(365 * 24)]


def due(expression):
    return [hour for hour in HOURS if pycron.is_now(expression, hour)]


NEVER = ("0 3 * * 7", "0 22-2 * * *", "0/30 3 * * *", "0 3 1 jan,jul *", "0 3 L * *")
for expression in NEVER:
    expected = sum(croniter.match(expression, hour) for hour in HOURS)
    print(f"{expression!r} is due {len(due(expression))} times in 2026; by croniter {expected}")
    assert expected > 0
    assert due(expression) == [], "expected by its users: as often as by croniter"
weekdays = {text: {hour.isoweekday() for hour in due(f"0 3 * * {text}")} for text in ("0", "5-7", "fri-mon")}
print("the days of the week on which these are due:", weekdays)
assert weekdays["0"] == {7}
assert weekdays["5-7"] == {5, 6}, "expected by its users: {5, 6, 7}"
assert weekdays["fri-mon"] == {5, 6}, "expected by its users: {5, 6, 7, 1}"
PYTHON
