#!/usr/bin/env bash
# Expected: Retry(max=5, interval=[10, 60]) waits for ten seconds, and from then on for a minute: the last of a list
# that is too short stands for the rest, as with Repeat(). And it means one thing.
# True, in rq 3.0.0 (with fakeredis 2.41.0 in the place of Redis): it means two. Given to enqueue(), the list is laid
# against the end: 10, 10, 10, 10 and 60 seconds, as a docstring within says, the first for all before. Returned by the
# job, as its other use is, it is 10, 60, 60, 60 and 60; the docstring says the first for this one too.
# Hurt: whoever reckons how long a job holds out while a service is down: with [1, 10, 60, 600] and max=20 it is over
# in twelve minutes in place of nearly three hours, and the service that is down is asked seventeen times within as
# many seconds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'rq==3.0.0' 'fakeredis[lua]==2.41.0' 2>/dev/null
cat >"$folder/shop.py" <<'PYTHON'
from rq import Retry

PLANNED = Retry(max=5, interval=[10, 60])


def fails():
    raise ConnectionError


def asks_for_more():
    return PLANNED
PYTHON
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
from datetime import datetime, timezone
from importlib.metadata import version

import fakeredis
import rq
import shop
from rq.job import Job

logging.disable()
print("rq", version("rq"), "fakeredis", version("fakeredis"))


def waits(work, **options):
    """For how many seconds a job waits before each of its further attempts; none is waited for here."""
    queue = rq.Queue(connection=fakeredis.FakeStrictRedis(server=fakeredis.FakeServer()))
    worker = rq.SimpleWorker([queue], connection=queue.connection)
    job, later, found = queue.enqueue(work, **options), queue.scheduled_job_registry, []
    while True:
        worker.work(burst=True)
        if job not in later:
            return found
        wait = later.get_scheduled_time(job) - datetime.now(timezone.utc)
        found.append(10 if wait.total_seconds() < 30 else 60)
        later.remove(job)
        job = Job.fetch(job.id, connection=queue.connection)
        queue._enqueue_job(job)


given = waits(shop.fails, retry=shop.PLANNED)
returned = waits(shop.asks_for_more)
print("Retry(max=5, interval=[10, 60]) given to enqueue()", given, "returned", returned)
assert returned == [10, 60, 60, 60, 60]
assert given == [10, 10, 10, 10, 60], "expected by its users: 10, 60, 60, 60, 60"
assert rq.Repeat.get_interval(3, [10, 60]) == 60

job = Job.create(shop.fails, connection=fakeredis.FakeStrictRedis())
job.retry_intervals = [1, 10, 60, 600]
asked = []
for job.retries_left in range(20, 0, -1):
    asked.append(job.get_retry_interval())
print("[1, 10, 60, 600] and twenty: seconds in all", sum(asked), "after a second", asked.count(1))
assert (sum(asked), asked.count(1)) == (687, 17), "expected by its users: 10271, 1"
PYTHON
