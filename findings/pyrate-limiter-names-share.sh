#!/usr/bin/env bash
# Expected: limiter.try_acquire("anna") and try_acquire("ben") each have the rate for themselves, for the name is
# "the bucket key to acquire from", and limits per key are the third of its features.
# True, in pyrate-limiter 4.5.1: Limiter(Rate(…)) has one bucket for all names. Who comes with a new name is refused
# once others have used the rate up; as_decorator(name=…) of two functions is one limit for both. Limits by name
# take a BucketFactory of one's own. In its version 2 each name had a bucket.
# Hurt: whoever limits by customer, host or kind of job: one customer that sends much stops all others, and the
# rate for all together is that which was meant for each. Tests with one name pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && python3 -m venv "$folder/old"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pyrate-limiter==4.5.1' 2>/dev/null
"$folder/old/bin/pip" install --quiet --disable-pip-version-check 'pyrate-limiter==2.10.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from pyrate_limiter import Duration, Limiter, Rate

limiter = Limiter(Rate(2, Duration.HOUR))
names = ["anna", "anna", "anna", "ben", "cleo"]
got = [limiter.try_acquire(name, blocking=False) for name in names]
print("pyrate-limiter", version("pyrate-limiter"), dict(enumerate(zip(names, got))))
assert got == [True, True, False, False, False], "expected by its users: the last two have their own"
PYTHON
"$folder/old/bin/python" - <<'PYTHON'
from importlib.metadata import version

from pyrate_limiter import BucketFullException, Duration, Limiter, RequestRate

limiter = Limiter(RequestRate(2, Duration.HOUR))
names, got = ["anna", "anna", "anna", "ben", "cleo"], []
for name in names:
    try:
        limiter.try_acquire(name)
    except BucketFullException:
        got.append(False)
    else:
        got.append(True)
print("pyrate-limiter", version("pyrate-limiter"), dict(enumerate(zip(names, got))))
assert got == [True, True, False, True, True]
PYTHON
