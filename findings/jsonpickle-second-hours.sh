#!/usr/bin/env bash
# Expected: a datetime that went through jsonpickle is the same moment, as it is after pickle and copy.deepcopy().
# True, in jsonpickle 4.1.4: of the hour that passes twice when clocks go back, the second becomes the first. 02:30 in
# Berlin at +01:00 comes back as 02:30 at +02:00, an hour earlier, with keys=True and without: "fold" is lost, for
# what it keeps of a datetime is what __reduce__() gives, which has none. In UTC all is well.
# Hurt: whoever keeps jobs, events or sessions so, by the clock of a place: once a year, for an hour, what is due is
# due an hour early, what was measured took an hour less or a negative time, and the order of what happened is another
# one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'jsonpickle==4.1.4' 'tzdata==2026.6' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import copy
import pickle
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

import jsonpickle

print("jsonpickle", version("jsonpickle"))
WAYS = {
    "jsonpickle": lambda moment: jsonpickle.decode(jsonpickle.encode(moment, keys=True), keys=True),
    "pickle": lambda moment: pickle.loads(pickle.dumps(moment)),
    "deepcopy": copy.deepcopy,
}


def moved(name, moment):
    """By how much a moment is later after it went that way."""
    back = WAYS[name](moment)
    print(f"{name}: {moment.isoformat()} comes back as {back.isoformat()}")
    return back.astimezone(UTC) - moment.astimezone(UTC)


first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
second = first.replace(fold=1)
for name in WAYS:
    assert moved(name, first) == timedelta(0)
assert moved("pickle", second) == moved("deepcopy", second) == timedelta(0)
assert moved("jsonpickle", second.astimezone(UTC)) == timedelta(0)
assert moved("jsonpickle", second) == timedelta(hours=-1), "expected by its users: 0:00:00"
PYTHON
