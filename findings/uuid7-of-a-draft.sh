#!/usr/bin/env bash
# Expected: the package uuid7 makes UUIDs of version 7 as RFC 9562 has them, with the milliseconds since 1970 in
# front, so that they sort among those of PostgreSQL 18 and others, and tell when they were made.
# True, in uuid7 0.1.0: it makes what an early draft had, with seconds in front, and says version 7. In 2026
# such a key tells others a day of the year 2203, and begins with 06 where theirs begin with 01.
# Hurt: whoever has keys of two producers in one table, or reads the moment from the key: what this one makes
# sorts after all that the others make for more than a century, so that a reader that remembers the last key
# passes over all theirs; what is deleted by age never goes, and partitions by such keys are not there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'uuid7==0.1.0' 'uuid-utils==1.2.0' 'uuid6==2025.0.1' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import uuid6
import uuid_extensions
import uuid_utils

print("uuid7", version("uuid7"), "uuid-utils", version("uuid-utils"), "uuid6", version("uuid6"))


def told(key):
    """The moment in a key, by RFC 9562."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)


now = datetime.now(UTC)
keys = {"uuid7": uuid_extensions.uuid7(), "uuid-utils": uuid_utils.uuid7(), "uuid6": uuid6.uuid7()}
for name, key in keys.items():
    print(f"{name:12}{key}  version {key.version}  made at {told(key):%Y-%m-%d %H:%M}")
assert {key.version for key in keys.values()} == {7}
for name in ("uuid-utils", "uuid6"):
    assert abs(told(keys[name]) - now) < timedelta(minutes=1)
ahead = told(keys["uuid7"]) - now
assert ahead > timedelta(days=365 * 100), "expected by its users: nothing"
assert str(keys["uuid7"]) > str(keys["uuid6"]), "expected by its users: in the order in which they were made"
PYTHON
