#!/usr/bin/env bash
# Expected: a call that was broken off by a timeout is no success: it does not take back the failures that were
# counted, and does not close a breaker that is on trial. And on trial one call is let through, as its README says: it
# "allows one test-execution after 30 seconds", and "closes if the test-execution succeeded".
# True, in circuitbreaker 2.1.3: what is no failure is a success. A failure is an Exception unless somebody says which,
# and a cancellation is none, so that asyncio.timeout() or wait_for() around the call takes the count back to nothing:
# four errors and a timeout in turn never open one that is to open after five. On trial a timeout closes it. And until
# one of them has ended all calls are let through, ten at once as well as one. With the timeout within the decorated
# function it is a failure.
# Hurt: whoever sets a limit for a whole request or job, as servers and queues do, and has a service behind a breaker
# that hangs in place of answering: the breaker stays closed, or is closed again by each trial, and all of them hang.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'circuitbreaker==2.1.3' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
from importlib.metadata import version

from circuitbreaker import CircuitBreaker

print("circuitbreaker", version("circuitbreaker"))
calls = []


async def fails():
    calls.append("fails")
    raise ConnectionError


async def hangs():
    calls.append("hangs")
    await asyncio.Event().wait()


async def gives_up():
    calls.append("gives up")
    await asyncio.wait_for(asyncio.Event().wait(), timeout=0.01)


def limited(breaker, function):
    return asyncio.wait_for(breaker.decorate(function)(), timeout=0.01)


async def tried(*attempts):
    """Makes these calls at the same time, and says by what they ended."""
    return {type(error).__name__ for error in await asyncio.gather(*attempts, return_exceptions=True)}


async def on_trial():
    """A breaker that two failures have opened, and that lets the next one try."""
    breaker = CircuitBreaker(failure_threshold=2, recovery_timeout=0.1)
    for _ in range(2):
        assert await tried(limited(breaker, fails)) == {"ConnectionError"}
    assert breaker.state == "open"
    while breaker.state == "open":
        await asyncio.sleep(0.01)
    assert breaker.state == "half_open"
    calls.clear()
    return breaker


async def main():
    breaker = CircuitBreaker(failure_threshold=5)
    for _ in range(10):
        for function in (fails, fails, fails, fails, hangs):
            await tried(limited(breaker, function))
    print("forty errors and ten timeouts around the call:", breaker.state, breaker.failure_count)
    assert breaker.state == "closed", "expected by its users: open"

    breaker = CircuitBreaker(failure_threshold=5)
    for _ in range(5):
        await tried(breaker.decorate(gives_up)())
    print("five timeouts within the call:", breaker.state)
    assert breaker.state == "open"

    breaker = await on_trial()
    await tried(limited(breaker, fails))
    print("on trial, an error:", breaker.state)
    assert breaker.state == "open"

    breaker = await on_trial()
    await tried(limited(breaker, hangs))
    print("on trial, a timeout around the call:", breaker.state)
    assert breaker.state == "closed", "expected by its users: open, or half_open"

    breaker = await on_trial()
    await tried(*(limited(breaker, hangs) for _ in range(10)))
    print("on trial, ten at once:", len(calls), "let through")
    assert len(calls) == 10, "expected by its users: 1"


asyncio.run(main())
PYTHON
