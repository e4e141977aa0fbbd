#!/usr/bin/env bash
# Expected: a text that pydantic takes for a timedelta is the one that Python and Django mean by it. What
# str() makes of a timedelta comes back as that timedelta, or is refused.
# True, in pydantic 2.14.4 beside Django 5.2.19: "01:30" is an hour and a half to pydantic, and a minute and
# a half to Django's parse_duration(), which reads it in forms and DurationFields. And str(timedelta(hours=-1)),
# "-1 day, 23:00:00", is taken without a word as minus a day and minus 23 hours: 46 hours off. Django reads
# this one well. "P1M", which Django refuses, is thirty days.
# Hurt: whoever has an API of pydantic, as with Ninja or FastAPI, before a model of Django: the timeout, shift
# or price by the minute that is typed into a form is sixty times as long through the API; and whoever logs
# or exports durations by str() and reads them again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pydantic==2.14.4' 'django==5.2.19' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json
from datetime import timedelta
from importlib.metadata import version

import pydantic
from django.utils.dateparse import parse_duration

print("pydantic", version("pydantic"), "Django", version("django"))
read = pydantic.TypeAdapter(timedelta).validate_json


def seconds(duration):
    return None if duration is None else duration.total_seconds()


for text in ("01:30", "00:01:30", "PT1M30S", str(timedelta(hours=-1)), "P1M"):
    taken = read(json.dumps(text))
    print(f"{text!r}: pydantic {seconds(taken)} s, Django {seconds(parse_duration(text))} s")
assert seconds(read('"00:01:30"')) == seconds(parse_duration("00:01:30")) == 90
assert seconds(read('"PT1M30S"')) == seconds(parse_duration("PT1M30S")) == 90
assert seconds(parse_duration("01:30")) == 90
assert seconds(read('"01:30"')) == 90 * 60, "expected by its users: 90"
assert str(timedelta(hours=-1)) == "-1 day, 23:00:00"
assert seconds(parse_duration("-1 day, 23:00:00")) == -3600
assert seconds(read('"-1 day, 23:00:00"')) == -47 * 3600, "expected by its users: -3600"
assert (read('"P1M"'), parse_duration("P1M")) == (timedelta(days=30), None)
PYTHON
