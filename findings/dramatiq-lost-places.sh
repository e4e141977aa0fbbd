#!/usr/bin/env bash
# Expected: the place that a process took from a ConcurrentRateLimiter, and did not give back because it was killed,
# is free again after the ttl, "the time in milliseconds that keys may live for". That is what a ttl is for.
# True, in dramatiq 2.2.1, with Redis (fakeredis 2.41.0 in its place) and in memory: all places are one number, and each
# acquire and each release of anybody gives it its full ttl anew. So as long as it is used at least once within
# each ttl, a place that was lost stays lost. It is back when nobody has worked for that long.
# Hurt: whoever limits what many workers do at once: each kill, each deploy that takes too long, takes a place away,
# until what ten were to do one does; and it is the queue that is never empty where they don't come back. With few
# calls, as in a test, they do, and so does the only place of a mutex.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'dramatiq[redis]==2.2.1' 'fakeredis[lua]==2.41.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import time
import warnings
from contextlib import ExitStack
from importlib.metadata import version

warnings.simplefilter("ignore")
import fakeredis
from dramatiq.rate_limits import ConcurrentRateLimiter
from dramatiq.rate_limits.backends import RedisBackend, StubBackend

TTL = 0.5
print("dramatiq", version("dramatiq"))


def places(backend):
    """How many can be had at once: long after one of two was lost, and after a rest of a ttl."""
    limiter = ConcurrentRateLimiter(backend, "printer", limit=2, ttl=int(TTL * 1000))

    def free():
        with ExitStack() as taken:
            return sum(taken.enter_context(limiter.acquire(raise_on_failure=False)) for _ in range(2))

    lost = limiter.acquire()
    lost.__enter__()
    until = time.monotonic() + 4 * TTL
    while time.monotonic() < until:
        in_use = free()
        time.sleep(TTL / 20)
    time.sleep(2 * TTL)
    found = in_use, free()
    print(f"{type(backend).__name__:13} four ttl later, in use: {found[0]} of 2; after a rest: {found[1]}")
    return found


for backend in (StubBackend(), RedisBackend(client=fakeredis.FakeRedis())):
    assert places(backend) == (1, 2), "expected by its users: 2, 2"
PYTHON
