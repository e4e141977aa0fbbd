#!/usr/bin/env bash
# Expected: a job that depends on another runs when that is done, fails or ends with it when it can't be done any more,
# and runs even so with Dependency(…, allow_failure=True).
# True, in rq 3.0.0 (with fakeredis 2.41.0 in the place of Redis): if the first waits for longer than its ttl it is
# gone, when a worker comes to it, without a word; what depends on it stays "deferred" for ever, with allow_failure too.
# It is in the registry of what is deferred, which no worker cleans of it; none looks at whether its dependency is
# there. So it is after delete() as well. A dependency that is gone before the other is enqueued counts as done: that
# one runs.
# Hurt: whoever gives the first step of a chain a ttl, so that stale work is dropped after an outage: the steps that
# clean up, notify or give back what was held, which allow_failure is for, never come, and nothing is counted as failed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'rq==3.0.0' 'fakeredis==2.41.0' 2>/dev/null
cd "$folder"
cat > steps.py <<'PYTHON'
ran = []


def step(name):
    ran.append(name)


def fail(name):
    ran.append(name)
    raise ValueError(name)
PYTHON
PYTHONPATH="$folder" "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging
import time
from importlib.metadata import version

import fakeredis
from rq import Queue, SimpleWorker
from rq.job import Dependency
from rq.timeouts import TimerDeathPenalty
from steps import fail, ran, step

logging.disable()
print("rq", version("rq"), "fakeredis", version("fakeredis"))
redis = fakeredis.FakeStrictRedis()
queue = Queue("chain", connection=redis)


class Worker(SimpleWorker):
    death_penalty_class = TimerDeathPenalty


def chain(name, function, *, ttl=None, end=None):
    """What ran of a chain of two, and how the second stands, after a worker came twice and cleaned up."""
    redis.flushall()
    ran.clear()
    first = queue.enqueue(function, "first", ttl=ttl)
    second = queue.enqueue(step, "second", depends_on=Dependency(jobs=[first], allow_failure=True))
    if ttl:
        time.sleep(ttl + 0.2)
    if end:
        end(first)
    for _ in range(2):
        worker = Worker([queue], connection=redis)
        worker.clean_registries()
        worker.work(burst=True)
    print(f"{name:8} ran {ran}, second is {second.get_status().value}")
    return list(ran), second.get_status().value


assert chain("done", step) == (["first", "second"], "finished")
assert chain("failed", fail) == (["first", "second"], "finished")
assert chain("expired", step, ttl=1) == ([], "deferred"), "expected by its users: second ran, or failed"
assert chain("deleted", step, end=lambda job: job.delete()) == ([], "deferred"), "expected: second ran, or failed"
redis.flushall()
ran.clear()
late = queue.enqueue(step, "late", depends_on="never-there")
Worker([queue], connection=redis).work(burst=True)
print("of a dependency that is not there ran", ran)
assert ran == ["late"]
PYTHON
