#!/usr/bin/env bash
# Expected: "20261128" where pydantic wants a datetime is the 28th of November 2026, as ISO 8601 writes it
# without hyphens and as Python and Django read it; or it is refused, as "20261128T120000" and a "2026-11" are.
# True, in pydantic 2.14.4 beside Django 5.2.19: a text of digits is seconds since 1970, so that it is a day
# of August 1970, and "2026" is half an hour after the beginning. With more digits they are milliseconds:
# "20261128120000" is in the year 2612. That numbers are seconds is documented; a text is no number in JSON.
# Hurt: whoever takes moments from spreadsheets, file names or forms by an API: a job that was asked for in a
# year is due at once, the one for noon never comes, and a search "since" finds all that there is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pydantic==2.14.4' 'django==5.2.19' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json
from datetime import UTC, datetime
from importlib.metadata import version

import pydantic
from django.utils.dateparse import parse_datetime

print("pydantic", version("pydantic"), "Django", version("django"))
moments = pydantic.TypeAdapter(datetime)


def read(text):
    try:
        return moments.validate_json(json.dumps(text))
    except pydantic.ValidationError:
        return "refused"


TEXTS = ("2026-11-28", "20261128", "20261128T120000", "2026", "20261128120000")
seen = {text: read(text) for text in TEXTS}
for text, came in seen.items():
    print(f"{text!r}: pydantic {came}, Django {parse_datetime(text)}")
day = datetime(2026, 11, 28)
assert seen["2026-11-28"] == day
assert seen["20261128T120000"] == read("2026-11") == "refused"
assert datetime.fromisoformat("20261128") == parse_datetime("20261128") == day
assert seen["20261128"] == datetime(1970, 8, 23, 12, 5, 28, tzinfo=UTC), "expected by its users: refused"
assert seen["2026"] == datetime(1970, 1, 1, 0, 33, 46, tzinfo=UTC), "expected by its users: refused"
assert seen["20261128120000"].year == 2612, "expected by its users: refused"
PYTHON
