#!/usr/bin/env bash
# Expected: max_age drops what has waited too long for a worker: its middleware says "in the queue for too long". What
# is sent with a delay begins to wait when it is due, and what failed when its next attempt is.
# True, in dramatiq 2.2.1: the age is reckoned from the moment of sending, whatever the delay. A message whose delay
# is longer than the max_age of its actor never runs; and of one that fails, the attempts are over as soon as the
# waits between them add up to it, whatever max_retries says. The worker is idle all the time, and what it says is one
# warning, that the message has exceeded its age limit. Without a delay, or with a max_age above it, all run.
# Hurt: whoever gives an actor a max_age so that stale work is dropped after an outage, and then sends some of it "in
# an hour": none of that is ever done. And a payment that was to be tried for a day is tried for as long as the age
# allows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'dramatiq==2.2.1' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import time
from importlib.metadata import version

import dramatiq
from dramatiq.brokers.stub import StubBroker

print("dramatiq", version("dramatiq"))
logging.disable(logging.ERROR)
broker = StubBroker()
broker.emit_after("process_boot")
dramatiq.set_broker(broker)
began = []


@dramatiq.actor(max_retries=0)
def report(name):
    began.append(name)


@dramatiq.actor(max_retries=3, min_backoff=1000, max_backoff=1000)
def pay(name):
    began.append(name)
    raise OSError("the bank is down")


def attempts(actor, seconds, **options):
    """How often a message was begun."""
    began.clear()
    actor.send_with_options(args=("anna",), **options)
    time.sleep(seconds)
    broker.join("default", fail_fast=False)
    worker.join()
    print(f"{actor.actor_name} {options}: begun {len(began)} times")
    return len(began)


worker = dramatiq.Worker(broker, worker_timeout=50)
worker.start()
assert attempts(report, 0.5, max_age=700) == 1
assert attempts(report, 3, max_age=10_000, delay=1500) == 1
assert attempts(report, 3, max_age=700, delay=1500) == 0, "expected by its users: 1"
assert attempts(pay, 8) == 4
assert attempts(pay, 8, max_age=300) == 1, "expected by its users: 4"
worker.stop()
PYTHON
