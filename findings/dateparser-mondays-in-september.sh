#!/usr/bin/env bash
# Expected: "monday at 9" is next Monday at nine, "tomorrow at 9" is tomorrow at nine, and what can't be read is None,
# as "in half an hour" is; with PREFER_DATES_FROM="future" nothing without a year is in the past.
# True, in dateparser 1.5.0: an hour without minutes or "am" is not read as one. Next to a weekday it is a month or a
# day of the month: "monday at 9" is the 29th of September of the next year, a Wednesday, and "friday at 17" the 17th of
# this month, twelve days ago. Next to "tomorrow" it is dropped: it is now, a day later. "2 days before 2026-12-24" is
# two days ago, "in 1 day 2,5 hours" a day and five hours, and "in 1h30" half past one, next night. None of them is
# None. "monday at 9:00", "monday at 9am" and "in 2.5 hours" are right.
# Hurt: whoever schedules by what people type, in a bot, a form or a mail: the reminder for Monday comes in ten months,
# and what is due in the past leaves at once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'dateparser==1.5.0' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from datetime import datetime
from importlib.metadata import version

import dateparser

print("dateparser", version("dateparser"))
SUNDAY = datetime(2026, 11, 29, 13, 30)


def read(text):
    """When that is, as somebody says it on a Sunday at half past one."""
    settings = {"RELATIVE_BASE": SUNDAY, "PREFER_DATES_FROM": "future"}
    found = dateparser.parse(text, languages=["en"], settings=settings)
    print(f"{text:26} {found:%a %Y-%m-%d %H:%M}" if found else f"{text:26} None")
    return found and found.isoformat(" ", "minutes")


assert read("monday at 9:00") == "2026-11-30 09:00"
assert read("monday at 9am") == "2026-11-30 09:00"
assert read("in 2.5 hours") == "2026-11-29 16:00"
assert read("in half an hour") is None
assert read("monday at 9") == "2027-09-29 00:00", "expected by its users: 2026-11-30 09:00, or None"
assert read("tuesday at 5") == "2027-05-29 00:00", "expected by its users: 2026-12-01, or None"
assert read("friday at 17") == "2026-11-17 00:00", "expected by its users: 2026-12-04 17:00, or None"
assert read("tomorrow at 9") == "2026-11-30 13:30", "expected by its users: 2026-11-30 09:00, or None"
assert read("2 days before 2026-12-24") == "2026-11-27 13:30", "expected by its users: 2026-12-22, or None"
assert read("in 1 day 2,5 hours") == "2026-11-30 18:30", "expected by its users: 16:00, or None"
assert read("in 1h30") == "2026-11-30 01:30", "expected by its users: 2026-11-29 15:00, or None"
PYTHON
