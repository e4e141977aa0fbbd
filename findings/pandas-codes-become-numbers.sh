#!/usr/bin/env bash
# Expected: what is a text in JSON is a text in the frame, for JSON says which is which; and a float that to_json()
# writes is the same float when it is read again, as it is by json and polars.
# True, in pandas 3.1.1: read_json() makes numbers of texts wherever a whole column can be read as some. The article
# "0815" is 815, "12E4" is 120000.0, a version "1.10" is 1.1, and ids of nineteen digits become floats, other ids, as
# soon as one is missing. So do keys, with orient="index". And a number above 31536000 in a column named "date" or
# "…_at" becomes a moment of the seventies. to_json() keeps ten digits behind the point, so that 1e-12 is 0.0; it writes
# a UUID as an object of its attributes. dtype=False, convert_dates=False and double_precision=15 are documented.
# Hurt: whoever puts orders, postcodes, accounts or results of jobs into a frame by what an API answered: leading digits
# are gone, two articles become one, and rows join with nothing; or all is well until the first batch without an "A1".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pandas==3.1.1' 'polars==2.1.0' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import json
from importlib.metadata import version
from uuid import UUID

import pandas
import polars

print("pandas", version("pandas"), "polars", version("polars"))


def column(name, *values):
    """The values of one column, written by json and read by pandas."""
    text = json.dumps([{name: value} for value in values])
    found = pandas.read_json(io.StringIO(text))[name].tolist()
    print(f"{values} -> {found}")
    return found


def written(value):
    text = pandas.DataFrame({"value": [value]}).to_json(orient="records")
    print(f"{value!r} -> {text[:90]}")
    return json.loads(text)[0]["value"]


assert column("code", "0815", "A1") == ["0815", "A1"]
assert column("code", "0815", "0042") == [815, 42], "expected by its users: the texts"
assert column("code", "12E4", "0042") == [120000.0, 42.0], "expected by its users: the texts"
assert column("version", "1.10", "1.9") == [1.1, 1.9], "expected by its users: the texts"
found, missing = column("account", "1234567890123456789", None)
assert type(found) is float and int(found) == 1234567890123456768, "expected by its users: the text"
by_key = pandas.read_json(io.StringIO('{"0815": {"stock": 1}, "0042": {"stock": 2}}'), orient="index")
assert by_key.index.tolist() == [815, 42], "expected by its users: the texts"
[moment] = column("paid_at", 31536001)
assert moment.year == 1971, "expected by its users: the number"
assert column("paid", 31536001) == [31536001]
assert written(0.5) == 0.5
assert written(1e-12) == 0.0, "expected by its users: 1e-12"
assert written(0.123456789012) == 0.123456789, "expected by its users: all twelve digits"
assert written(UUID(int=5))["node"] == 5, "expected by its users: a text, or an error"
rows = polars.read_json(io.BytesIO(b'[{"code": "0815"}, {"code": "0042"}]'))
assert rows["code"].to_list() == ["0815", "0042"]
assert json.loads(polars.DataFrame({"value": [1e-12]}).write_json()) == [{"value": 1e-12}]
PYTHON
