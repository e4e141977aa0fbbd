#!/usr/bin/env bash
# Expected: cron(report, hour=9, minute=0) is at nine by the clock of the system, in summer and in winter, for
# the time zone of a worker "defaults to system timezone".
# True, in arq 0.28.0: what it takes is the offset from UTC that the system has when the worker starts. A worker
# that was started in January is at 10:00 from the last Sunday in March on, and at nine again once somebody
# restarts it. timezone=ZoneInfo("Europe/Berlin") helps.
# Hurt: whoever runs reports, payments or calls at fixed hours on servers with a local zone: after each change
# of the clock they are an hour off, for as long as the worker happens to live; and of two workers, one of
# which is younger, each starts them, an hour apart, for what makes them unique is the moment.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'arq==0.28.0' 'time-machine==3.6.0' 'tzdata==2026.6' 2>/dev/null
TZ=Europe/Berlin "$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import time_machine
from arq import cron
from arq.worker import Worker

print("arq", version("arq"))
JANUARY, JULY = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


async def report(ctx):
    """Say how the day before was."""


def due_in_july(*, started, **options):
    """When, by the clock on the wall, a worker that runs since `started` is due next in July."""
    with time_machine.travel(started.timestamp(), tick=False):
        worker = Worker(cron_jobs=[cron(report, hour=9, minute=0)], handle_signals=False, **options)
    (job,) = worker.cron_jobs
    with time_machine.travel(JULY.timestamp(), tick=False):
        job.calculate_next(datetime.now(tz=worker.timezone))
    return job.next_run.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M")


seen = {
    "started in January": due_in_july(started=JANUARY),
    "started in July": due_in_july(started=JULY),
    "started in January, with the zone by its name": due_in_july(
        started=JANUARY, timezone=ZoneInfo("Europe/Berlin")
    ),
}
for worker, time in seen.items():
    print(f"a worker {worker} is due at {time} in July")
assert list(seen.values()) == ["10:00", "09:00", "09:00"], "expected by its users: 09:00 of each"
PYTHON
