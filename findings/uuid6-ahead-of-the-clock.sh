#!/usr/bin/env bash
# Expected: the moment in a UUID of version 7 is the one at which it was made, to about a millisecond.
# True, in uuid6 2025.0.1: within one process no two share a millisecond. One that is made in the same
# millisecond as the one before says the next, so that whoever makes more than a thousand a second runs
# ahead of the clock: ten thousand in one go say up to ten seconds too late, and all that follow stay
# there until the clock has caught up.
# Hurt: whoever enters rows in bulk and goes by their keys: what another process makes later sorts before
# them, a reader that remembers the last key it saw passes it over, and of a table in partitions by such
# keys rows land in that of the next day, which may not be there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'uuid6==2025.0.1' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import subprocess
import sys
import time
from importlib.metadata import version

import uuid6

COUNT = 100_000
print("uuid6", version("uuid6"))


def milliseconds(key):
    return key.int >> 80


begin = time.time_ns() // 1_000_000
keys = [uuid6.uuid7() for _ in range(COUNT)]
end = time.time_ns() // 1_000_000
later = subprocess.run(
    [sys.executable, "-c", "import uuid6; print(uuid6.uuid7())"], capture_output=True, check=True, text=True
).stdout.strip()
ahead = milliseconds(keys[-1]) - end
print(f"{COUNT} keys took {end - begin} ms, and the last one says {ahead} ms after that")
print("a key that another process makes later sorts before it:", later < str(keys[-1]))
assert keys[-1].version == 7
assert len({milliseconds(key) for key in keys}) == COUNT, "expected by its users: many a millisecond"
assert ahead > 10_000, "expected by its users: 0"
assert later < str(keys[-1]), "expected by its users: later ones sort after it"
PYTHON
