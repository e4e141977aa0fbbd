#!/usr/bin/env bash
# Expected: what a library writes into JSON for an aware datetime is the same moment when it is read again,
# or is refused.
# True, where the offset from UTC has seconds, as that of Amsterdam had until 1937, that of Liberia until
# 1972, and that of most places before they had a standard time: msgspec 0.22.0 and orjson 3.13.0 write it
# rounded to a minute, pydantic 2.14.4 cut to one, and all leave the time of day as it is. So the moment moves
# by up to a minute, by another amount in each, without a word. The standard library's isoformat() writes the
# seconds, and Django's encoder with it.
# Hurt: whoever keeps old moments, such as those of births, deeds or measurements, and compares what has been
# through JSON with what has not: they are never equal, and near a boundary on another side of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'msgspec==0.22.0' 'orjson==3.13.0' 'pydantic==2.14.4' 'tzdata==2025.2' 2>/dev/null
PYTHONTZPATH='' "$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import msgspec
import orjson
import pydantic

given = datetime(1971, 7, 1, 12, tzinfo=ZoneInfo("Africa/Monrovia"))
print("given              ", given.isoformat())
assert datetime.fromisoformat(given.isoformat()) == given

written = {
    "msgspec": msgspec.json.encode(given),
    "orjson": orjson.dumps(given),
    "pydantic": pydantic.TypeAdapter(datetime).dump_json(given),
}
moved = {}
for name, text in written.items():
    came = datetime.fromisoformat(orjson.loads(text))
    moved[name] = (came - given).total_seconds()
    print(f"{name:9}{version(name):10}", came.isoformat(), f"is {moved[name]:+.0f} s")
assert msgspec.json.decode(written["msgspec"], type=datetime) != given
assert pydantic.TypeAdapter(datetime).validate_json(written["pydantic"]) != given
assert set(moved.values()) != {0.0}, "expected by their users: 0 s each"
assert all(moved.values()), "expected by their users: 0 s each"
PYTHON
