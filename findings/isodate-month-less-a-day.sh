#!/usr/bin/env bash
# Expected: what duration_isoformat() writes, parse_duration() of the same library reads as the same duration, or it is
# refused, if ISO 8601 has no form for it.
# True, in isodate 0.7.2: of a Duration whose months and days have different signs the smaller sign is put before all,
# and the others are lost. A month less a day is written as "-P1M1D", which is read as a month and a day in the past; a
# year less an hour as "-P1YT1H". From the 1st of December they end on the 31st of October in place of the 31st of
# December. Durations of one sign, and timedeltas of any, come back as they were.
# Hurt: whoever keeps or sends terms as texts, to the last day of a month as one reckons it, or a month minus a notice:
# a contract that begins today ended two months ago, a job is due at once, and no error says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'isodate==0.7.2' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import date, datetime, timedelta
from importlib.metadata import version

from isodate import Duration, duration_isoformat, parse_duration

print("isodate", version("isodate"))


def there_and_back(duration, start):
    """The text, and when it ends before and after it was one."""
    text = duration_isoformat(duration)
    ends = start + duration, start + parse_duration(text)
    print(f"{text:10} {ends[0]} {ends[1]}")
    return text, *ends


FIRST, NOON = date(2026, 12, 1), datetime(2026, 12, 1, 12)
for same in (Duration(months=1, days=1), Duration(months=-1, days=-1), timedelta(days=1, hours=-36)):
    text, ends, again = there_and_back(same, NOON)
    assert ends == again
wanted = "expected by its users: the same end twice, or an error"
month_less_a_day = there_and_back(Duration(months=1, days=-1), FIRST)
assert month_less_a_day == ("-P1M1D", date(2026, 12, 31), date(2026, 10, 31)), wanted
year_less_an_hour = there_and_back(Duration(years=1, hours=-1), NOON)
assert year_less_an_hour == ("-P1YT1H", datetime(2027, 12, 1, 11), datetime(2025, 12, 1, 11)), wanted
PYTHON
