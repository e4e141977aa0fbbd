#!/usr/bin/env bash
# Expected: a value that does not fit its column is an error, as it is where Arrow casts: "Float value 2.500000 was
# truncated". pa.array() has safe=True, which its documentation says checks for overflows and other unsafe conversions.
# True, in pyarrow 26.0.1: of Python's objects it is cut. 2.5, or Decimal("2.50"), in a column of int64 is 2; the same
# from numpy is an error, and so is a Decimal with too many digits in a column of decimals. 9:00:01.9 is 9:00:01 in one
# of seconds. Without a type, a datetime that comes after a date is that date: the time of day is gone, and the zone;
# the other way round it is an error. And a time with an offset loses it.
# Hurt: whoever writes rows of Python to Parquet or Arrow by a schema, as one does so that a file has the right types:
# amounts lose their cents, measurements what is below a second, and what is due at half past nine is due that day;
# and it is read again without a sign.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pyarrow==26.0.1' 'numpy==2.3.5' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import numpy
import pyarrow

print("pyarrow", pyarrow.__version__)
PLUS_ONE = timezone(timedelta(hours=1))


def stored(*values, kind=None):
    """What a column of that kind has of the values."""
    try:
        found = pyarrow.array(values, type=kind, safe=True).to_pylist()
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        found = "refused"
    print(f"{values} in {kind or 'a column without a type'}: {found}")
    return found


def refused(make):
    try:
        make()
    except pyarrow.ArrowInvalid:
        return True


whole, day, half = pyarrow.int64(), date(2026, 1, 1), datetime(2026, 1, 1, 9, 30)
assert refused(lambda: pyarrow.array([2.5]).cast(whole))
assert refused(lambda: pyarrow.array(numpy.array([2.5]), type=whole))
assert stored(float("nan"), kind=whole) == "refused"
assert stored(Decimal("1.239"), kind=pyarrow.decimal128(5, 2)) == "refused"
assert stored(2.5, kind=whole) == [2], "expected by its users: refused"
assert stored(Decimal("2.50"), kind=whole) == [2], "expected by its users: refused"
seconds = stored(timedelta(seconds=1.9), kind=pyarrow.duration("s"))
assert seconds == [timedelta(seconds=1)], "expected by its users: refused"
moments = stored(datetime(2026, 1, 1, 9, 0, 1, 900_000), kind=pyarrow.timestamp("s"))
assert moments == [datetime(2026, 1, 1, 9, 0, 1)], "expected by its users: refused"
assert stored(half, day) == "refused"
assert stored(day, half) == [day, day], "expected by its users: refused"
assert stored(day, half.replace(tzinfo=PLUS_ONE)) == [day, day], "expected by its users: refused"
assert stored(time(9, 30, tzinfo=PLUS_ONE)) == [time(9, 30)], "expected by its users: refused"
PYTHON
