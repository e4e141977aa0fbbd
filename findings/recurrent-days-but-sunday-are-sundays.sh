#!/usr/bin/env bash
# Expected: "every day but sunday" leaves the Sundays out, "every day at noon" is at noon, as "tomorrow at noon" is; and
# what is not understood is None, as "twice a day" and "every workday" are.
# True, in recurrent 0.4.1: what it has no word for is passed over, and a rule is made of the rest. "every day but
# sunday" and "never on sundays" are each Sunday; "on weekdays except friday" leaves out the next Friday, and no other.
# "every day at noon" has no time, so that it is at whatever minute the rule begins; "every half hour" is hourly, and of
# "every day at 9am and 5pm" the evening is gone. "every day at 9am for 3 days" is the 3rd of January, each year, and
# "in half an hour" is in an hour. "every weekday", "every day at 12pm" and "every day except weekends" are right.
# Hurt: whoever lets people type when something is to repeat: the mails that must not leave on Sundays leave on those
# alone, and the backup for noon runs at the time at which somebody happened to ask for it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'recurrent==0.4.1' 'python-dateutil==2.9.0.post0' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from datetime import datetime
from importlib.metadata import version
from itertools import islice

from dateutil.rrule import rrulestr
from recurrent.event_parser import RecurringEvent

print("recurrent", version("recurrent"), "python-dateutil", version("python-dateutil"))
SUNDAY = datetime(2026, 11, 29, 13, 30)


def due(text, moments=3):
    """The next moments of what somebody says on a Sunday at half past one."""
    rule = RecurringEvent(now_date=SUNDAY).parse(text)
    if rule is None:
        return None
    found = [rule] if isinstance(rule, datetime) else islice(rrulestr(rule, dtstart=SUNDAY), moments)
    told = [f"{moment:%a %d %b %H:%M}" for moment in found]
    print(f"{text:28} {', '.join(told[:3])}")
    return told


assert due("every weekday") == ["Mon 30 Nov 13:30", "Tue 01 Dec 13:30", "Wed 02 Dec 13:30"]
assert due("every day at 12pm") == ["Mon 30 Nov 12:00", "Tue 01 Dec 12:00", "Wed 02 Dec 12:00"]
assert due("tomorrow at noon") == ["Mon 30 Nov 12:00"]
assert due("twice a day") is due("every workday") is None
every = "expected by its users: each day but Sunday, or None"
sundays = ["Sun 29 Nov 13:30", "Sun 06 Dec 13:30", "Sun 13 Dec 13:30"]
assert due("every day but sunday") == sundays, every
assert due("never on sundays") == sundays, every
fridays = [day for day in due("on weekdays except friday", 12) if day.startswith("Fri")]
assert fridays == ["Fri 11 Dec 13:30"], "expected by its users: none"
noon = "expected by its users: at 12:00, or None"
assert due("every day at noon") == ["Sun 29 Nov 13:30", "Mon 30 Nov 13:30", "Tue 01 Dec 13:30"], noon
assert due("every half hour") == ["Sun 29 Nov 13:30", "Sun 29 Nov 14:30", "Sun 29 Nov 15:30"], "expected: 14:00"
assert due("every day at 9am and 5pm", 2) == ["Mon 30 Nov 09:00", "Tue 01 Dec 09:00"], "expected: 17:00 too"
assert due("every day at 9am for 3 days", 2) == ["Sun 03 Jan 09:00", "Mon 03 Jan 09:00"], "expected: 30 November"
assert due("in half an hour") == ["Sun 29 Nov 14:30"], "expected by its users: 14:00"
PYTHON
