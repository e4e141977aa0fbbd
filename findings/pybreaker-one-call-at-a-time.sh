#!/usr/bin/env bash
# Expected: a circuit breaker counts failures, and lets calls through as they come while it is closed; that it is
# thread-safe, as pybreaker says of itself, means that several threads may call through it at the same time.
# True, in pybreaker 1.4.1: its lock is held for as long as the call takes. Of all threads that share a breaker one
# calls and the others wait in line: five calls of 0.2 seconds by five threads take a second. circuitbreaker 2.1.3 lets
# them through together. Its issue 55 is open, since 2021, and several changes that offered to mend it were closed.
# Hurt: whoever puts one breaker around a service, as each of its examples does, and calls it from a pool of threads, as
# the workers of a queue or of a server are: there is no concurrency left. And when the service gets slow, which is when
# a breaker is to help, each call waits for the timeouts of all that are before it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'pybreaker==1.4.1' 'circuitbreaker==2.1.3' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from threading import Lock

import pybreaker
from circuitbreaker import CircuitBreaker

print("pybreaker", version("pybreaker"), "circuitbreaker", version("circuitbreaker"))
THREADS = 5


class Service:
    """Answers each call after a while, and knows how many it had at the same time."""

    def __init__(self):
        self.lock = Lock()
        self.calls = self.most = 0

    def ask(self):
        with self.lock:
            self.calls += 1
            self.most = max(self.most, self.calls)
        time.sleep(0.2)
        with self.lock:
            self.calls -= 1


def most_at_once(name, through):
    service = Service()
    begins = time.monotonic()
    with ThreadPoolExecutor(THREADS) as threads:
        for call in [threads.submit(through, service.ask) for _ in range(THREADS)]:
            call.result()
    taken = time.monotonic() - begins
    print(f"{name:15} {THREADS} calls of 0.2 s, at most {service.most} at once, {taken:.1f} s in all")
    return service.most


assert most_at_once("no breaker", lambda ask: ask()) == THREADS
assert most_at_once("circuitbreaker", CircuitBreaker().call) == THREADS
assert most_at_once("pybreaker", pybreaker.CircuitBreaker().call) == 1, "expected by its users: 5"
PYTHON
