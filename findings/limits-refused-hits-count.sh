#!/usr/bin/env bash
# Expected: hit(limit, key, cost=5) takes five places if they are free, and says whether it did; if it says no, it
# has taken none, and whoever needs fewer may still have them.
# True, in limits 5.8.0: so it is with the moving and the sliding window. With the fixed window, which is the
# first that its documentation shows, what is refused counts as well: of ten places with eight taken, a refusal
# of five makes them thirteen, and the two that are left are refused until the window ends. test() beforehand
# takes none.
# Hurt: whoever sends in bulk beside single messages, or asks for many and then for fewer: one group that was too
# large stops all that follows for the rest of the hour or the day, with places free; and what is counted for a
# bill or a chart is what was asked for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'limits==5.8.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import (
    FixedWindowRateLimiter,
    MovingWindowRateLimiter,
    SlidingWindowCounterRateLimiter,
)

print("limits", version("limits"))
TEN = parse("10 per hour")


def answers(strategy):
    limiter = strategy(MemoryStorage())
    hits = [limiter.hit(TEN, "mail", cost=cost) for cost in (8, 5, 1)]
    print(f"{strategy.__name__:32} eight, five and one of ten: {hits}")
    return hits


assert answers(MovingWindowRateLimiter) == [True, False, True]
assert answers(SlidingWindowCounterRateLimiter) == [True, False, True]
assert answers(FixedWindowRateLimiter) == [True, False, False], "expected by its users: the last fits"
PYTHON
