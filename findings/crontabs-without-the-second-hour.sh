#!/usr/bin/env bash
# Expected: "*/15 * * * *" is each quarter of an hour, in each night. In the one in which clocks go back the
# hour from two to three passes twice, and has eight of them: Debian's cron, croniter and cronsim have it so,
# for what begins with a star goes by the time that passes.
# True, in a zone that changes its clocks: Celery 5.7.0, arq 0.28.0, rq 3.0.0 and crontab 1.0.5, by which streaq
# 7.2.0 schedules, leave the second of the two hours out. From 02:45 on nothing is due for 75 minutes, and of
# what comes each hour one is missing. No log says so: to each of them these minutes have been.
# Hurt: whoever polls, sends, bills or watches by the quarter: once a year, at night, the queue fills up, each
# alarm for "nothing heard in an hour" goes off, and what is summed up by the hour has a hole.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'celery==5.7.0' 'arq==0.28.0' 'rq==3.0.0' 'crontab==1.0.5' 'croniter==7.0.0' 'cronsim==2.8' \
    'time-machine==3.6.0' 'tzdata==2026.6' 2>/dev/null
TZ=Europe/Berlin "$folder/venv/bin/python" - <<'PYTHON'
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

import time_machine
from arq.cron import next_cron
from celery import Celery
from celery.beat import Scheduler
from celery.schedules import crontab as celery_crontab
from croniter import croniter
from cronsim import CronSim
from crontab import CronTab
from rq.cron import CronJob

BERLIN = ZoneInfo("Europe/Berlin")
QUARTERS = "*/15 * * * *"
BEFORE = datetime(2026, 10, 24, 23, 50, tzinfo=UTC)  # ten to two; at 01:00 in UTC it is two for the second time
AFTER = BEFORE + timedelta(hours=2, minutes=20)


def by_celery():
    """Run the scheduler of beat, with its own clock, from before to after."""
    due = []

    class Noting(Scheduler):
        def apply_entry(self, entry, producer=None):
            due.append(datetime.fromtimestamp(time.time(), UTC))

    app = Celery("shop", broker="memory://", timezone="Europe/Berlin")
    app.conf.beat_schedule = {"poll": {"task": "poll", "schedule": celery_crontab(minute="*/15")}}
    with time_machine.travel(BEFORE.timestamp(), tick=False) as clock:
        scheduler = Noting(app=app)
        while time.time() < AFTER.timestamp():
            clock.shift(max(1, min(scheduler.tick() or 1, 30)))
    return due


def by_rq(moment):
    job = CronJob(queue_name="default", func=print, cron=QUARTERS)
    job.latest_enqueue_time = moment
    return job.get_next_enqueue_time()


def one_after_the_other(following):
    due = [following(BEFORE).astimezone(UTC)]
    while (later := following(due[-1]).astimezone(UTC)) < AFTER:
        due.append(later)
    return due


def in_berlin(moment):
    return moment.astimezone(BERLIN)


quarters = {0, 15, 30, 45}
due = {
    "Celery": by_celery(),
    "arq": one_after_the_other(lambda moment: next_cron(in_berlin(moment), minute=quarters)),
    "rq": one_after_the_other(by_rq),
    "crontab": one_after_the_other(
        lambda moment: CronTab(QUARTERS).next(now=in_berlin(moment), return_datetime=True)
    ),
    "croniter": one_after_the_other(lambda moment: croniter(QUARTERS, in_berlin(moment)).get_next(datetime)),
    "cronsim": one_after_the_other(lambda moment: next(CronSim(QUARTERS, in_berlin(moment)))),
}
gaps = {}
for name, moments in due.items():
    moments = [moment.replace(second=0, microsecond=0) for moment in moments]
    gaps[name] = max(later - earlier for earlier, later in zip(moments, moments[1:], strict=False))
    shown = " ".join(in_berlin(moment).strftime("%H:%M") for moment in moments)
    print(f"{name:8} {version(name):7} {shown}; longest pause {gaps[name]}")
for name in ("croniter", "cronsim"):
    assert gaps[name] == timedelta(minutes=15)
for name in ("Celery", "arq", "rq", "crontab"):
    assert gaps[name] == timedelta(minutes=75), "expected by its users: 15 minutes"
PYTHON
