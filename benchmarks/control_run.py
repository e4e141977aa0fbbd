"""One measurement of `control`, in a process of its own that starts `runjobs` in others."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import django
from django.core.management import call_command
from django.db import connection

KEYS = 50
HOT = KEYS
CANCELS = 20


def main(verb: str, *words: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ledger (number bigint, moment double precision)")
    match verb:
        case "drain":
            kind, jobs, backlog = words
            print(json.dumps(drain(kind, jobs=int(jobs), backlog=int(backlog))))
        case "cancel":
            print(json.dumps(cancel()))


def drain(kind: str, *, jobs: int, backlog: int) -> float:
    """Jobs a second from the first to the last; those of the hot key do not count."""
    from forge_jobs import enqueue_many
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.models import Process

    kind = f"bench.{kind}"
    enqueue_many(NewJob(kind, {"key": HOT}) for _ in range(backlog))
    with runjobs("--processes", "6", "--threads", "4"):
        await_(lambda: Process.objects.count() == 6)
        time.sleep(2)
        enqueue_many(NewJob(kind, {"key": number % KEYS}) for number in range(jobs))
        await_(lambda: count(f"number <> {HOT}") == jobs)
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(moment) - min(moment) FROM ledger WHERE number <> %s", [HOT])
        (seconds,) = cursor.fetchone()
    return jobs / seconds


def cancel() -> float:
    """The median of the milliseconds from a cancel's call until the handler knows."""
    from benchmarks.jobs import patient
    from forge_jobs.models import Job

    waits = []
    with runjobs("--threads", "4"):
        for number in range(CANCELS):
            job = patient.enqueue()
            await_(lambda pk=job.pk: Job.objects.running().filter(pk=pk).exists())
            time.sleep(0.2 + 0.03 * number)  # at all moments of the poll
            asked_at = time.time()
            job.cancel("for measurement")
            await_(lambda pk=job.pk: count(f"number = {pk}") == 1)
            with connection.cursor() as cursor:
                cursor.execute("SELECT moment FROM ledger WHERE number = %s", [job.pk])
                waits.append(1000 * (cursor.fetchone()[0] - asked_at))
    return median(waits)


@contextmanager
def runjobs(*options: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "django", "runjobs", *options], stdout=2)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def await_(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.05)


def count(condition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ledger WHERE {condition}")
        return cursor.fetchone()[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
