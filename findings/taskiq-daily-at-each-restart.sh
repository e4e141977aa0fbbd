#!/usr/bin/env bash
# Expected: a schedule with an interval of a day is once a day, however often the scheduler is started anew; and
# --skip-first-run, which "skips running tasks immediately after scheduler start", skips it.
# True, in taskiq 0.13.0: when a schedule last ran is known in memory alone, and an interval of which nothing is known
# is due. So each start of the scheduler sends all of them at once, the daily and the monthly ones too; and what a
# crontab has for that minute is sent a second time. --skip-first-run is for crontabs alone: the intervals are sent.
# Hurt: whoever deploys five times a day, or has a container that restarts: the daily mail goes five times, or once for
# each crash; and who has heard of the option takes it for the remedy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'taskiq==0.13.0' 2>/dev/null
cat >"$folder/shop.py" <<'PYTHON'
import asyncio
import os
from collections import Counter
from datetime import timedelta

from taskiq import InMemoryBroker, TaskiqScheduler
from taskiq.cli.scheduler.run import SchedulerLoop
from taskiq.schedule_sources import LabelScheduleSource

sent = Counter()


class Counting(InMemoryBroker):
    async def kick(self, message):
        sent[message.task_name] += 1


broker = Counting()


@broker.task(task_name="daily", schedule=[{"interval": timedelta(days=1)}])
async def daily(): ...


@broker.task(task_name="monthly", schedule=[{"interval": timedelta(days=30)}])
async def monthly(): ...


@broker.task(task_name="each minute", schedule=[{"cron": "* * * * *"}])
async def each_minute(): ...


async def started(**options):
    """What a scheduler sends in its first three seconds."""
    sent.clear()
    scheduler = TaskiqScheduler(broker, [LabelScheduleSource(broker)])
    for source in scheduler.sources:
        await source.startup()
    try:
        await asyncio.wait_for(SchedulerLoop(scheduler).run(**options), timeout=3)
    except TimeoutError:
        return dict(sorted(sent.items()))
PYTHON
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import time
from importlib.metadata import version

import shop

print("taskiq", version("taskiq"))


async def main():
    if time.time() % 60 > 45:  # so that all is within one minute
        time.sleep(16)
    first = await shop.started()
    again = await shop.started()
    skipped = await shop.started(skip_first_run=True)
    print("a start:", first, "another within a minute:", again, "with skip_first_run:", skipped)
    assert first == {"daily": 1, "each minute": 1, "monthly": 1}
    assert again == first, "expected by its users: nothing"
    assert skipped == {"daily": 1, "monthly": 1}, "expected by its users: nothing"


asyncio.run(main())
PYTHON
