#!/usr/bin/env bash
# Expected: time(), count_exceptions() and track_inprogress() of prometheus-client measure the function that
# they decorate, or refuse it.
# True, in prometheus-client 0.26.0: of an `async def` they measure the call that makes the coroutine, which
# takes microseconds and never fails. Each call is counted, so that the metrics are there and look sound:
# all took next to no time, none failed, none is in progress. The three work well as context managers.
# Hurt: whoever makes a function asynchronous that was measured before, and the alarm for errors or slow
# calls that is silent from then on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'prometheus-client==0.26.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import time
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = 0.2
print("prometheus-client", version("prometheus-client"))


def measured(decorate):
    registry = CollectorRegistry()
    duration = Histogram("duration", "Seconds", registry=registry)
    failed = Counter("failed", "Calls that failed", registry=registry)
    running = Gauge("running", "Calls in progress", registry=registry)
    during = []

    def look():
        during.append(registry.get_sample_value("running"))

    decorate(look, duration.time(), failed.count_exceptions(), running.track_inprogress())
    return {
        "calls": registry.get_sample_value("duration_count"),
        "seconds": round(registry.get_sample_value("duration_sum"), 1),
        "failed": registry.get_sample_value("failed_total"),
        "running": during[0],
    }


def plain(look, timed, counted, tracked):
    @timed
    @counted
    @tracked
    def call():
        look()
        time.sleep(SECONDS)
        raise ValueError

    try:
        call()
    except ValueError:
        pass


def coroutine(look, timed, counted, tracked):
    @timed
    @counted
    @tracked
    async def call():
        look()
        await asyncio.sleep(SECONDS)
        raise ValueError

    try:
        asyncio.run(call())
    except ValueError:
        pass


of_function, of_coroutine = measured(plain), measured(coroutine)
print("a function: ", of_function)
print("a coroutine:", of_coroutine)
assert of_function["failed"] == of_function["running"] == of_coroutine["calls"] == 1
assert of_function["seconds"] >= SECONDS
assert of_coroutine["seconds"] == 0, "expected by its users: 0.2"
assert of_coroutine["failed"] == 0, "expected by its users: 1"
assert of_coroutine["running"] == 0, "expected by its users: 1"
PYTHON
