"""One measurement of `queues`, in a process of its own that starts `runjobs` in others."""

import json
import sys
import time
from statistics import median
from typing import Any

import django
import psutil
from django.core.management import call_command
from django.db import connection

SETTLING_SECONDS = 15
SECONDS = 10
STARTS = 20


def main(verb: str, *words: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    print(json.dumps({"drain": drain, "rest": rest}[verb](*words)))


def drain(jobs: str, queues: str) -> float:
    """Jobs a second from the first to the last, of so many queues, or of one if it is 0."""
    from benchmarks.control_run import await_, runjobs
    from benchmarks.jobs import noop
    from benchmarks.limits_run import seconds_taken
    from forge_jobs import enqueue_many
    from forge_jobs.models import Job

    names = [f"queue-{number}" for number in range(int(queues))] or ["default"]
    each = int(jobs) // len(names)
    for name in names:
        enqueue_many(noop.using(queue=name).new() for _ in range(each))
    with runjobs("--threads", "8"):
        await_(lambda: not Job.objects.unfinished().exists())
    return int(jobs) / seconds_taken()


def rest() -> dict[str, float]:
    """What a process does that has nothing to do, and how soon it starts what comes."""
    from benchmarks.control_run import await_, runjobs
    from benchmarks.jobs import noop
    from forge_jobs.models import Job, Process

    with runjobs("--threads", "8"):
        await_(Process.objects.exists)
        process = psutil.Process(Process.objects.get().pid)
        connection.close()
        time.sleep(SETTLING_SECONDS)
        before, used = committed(), sum(process.cpu_times()[:2])
        time.sleep(SECONDS)
        after, used = committed(), sum(process.cpu_times()[:2]) - used
        jobs = [noop.using(queue=f"queue-{number}").enqueue() for number in range(STARTS)]
        await_(lambda: not Job.objects.unfinished().exists())
    started = Job.objects.in_bulk([job.pk for job in jobs]).values()
    waits = [1_000 * (job.started_at - job.enqueued_at).total_seconds() for job in started]
    return {
        "cpu": 100 * used / SECONDS,
        "transactions": (after - before) / SECONDS,
        "start_ms": median(waits),
    }


def committed() -> Any:
    """How many transactions there were so far, where that can be known."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database "
            "WHERE datname = current_database()"
        )
        return cursor.fetchone()[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
