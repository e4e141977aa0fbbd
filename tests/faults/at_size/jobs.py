"""Handlers that write each run into a ledger of their own, which no fault of a database touches."""

import os
import time
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection

from forge_jobs import JobContext, job, schedule
from forge_jobs.backoff import Fixed
from tests.app.models import Effect
from tests.faults.at_size.enqueue import EACH_SECONDS
from tests.faults.at_size.ledger import write
from tests.faults.at_size.verdict import AS_IT_SHOULD

SOON = Fixed(delay=timedelta(seconds=0.5))


@job
def plain(*, number: int, seconds: float) -> None:
    write("begun", number)
    time.sleep(seconds)


@job(queue="limited")
def limited(*, number: int, seconds: float) -> None:
    write("begun", number)
    time.sleep(seconds)


@job(concurrency_key=lambda payload: f"customer {payload['number'] % 40}")
def keyed(*, number: int, seconds: float) -> None:
    write("begun", number)
    time.sleep(seconds)


@job(max_attempts=1)
def asking(*, number: int, seconds: float) -> None:
    """In touch with the database from its begin to its end."""
    write("begun", number)
    try:
        for _ in range(5):
            time.sleep(seconds / 5)
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM app_effect WHERE number = -1")
    except (OperationalError, InterfaceError):
        write("cut", number)
        raise


@job(max_attempts=1, atomic=True)
def exactly_once(*, number: int, seconds: float) -> None:
    write("begun", number)
    try:
        time.sleep(seconds / 2)
        Effect.objects.create(number=number, pid=os.getpid())
        time.sleep(seconds / 2)
    except (OperationalError, InterfaceError):
        write("cut", number)
        raise


@job(max_attempts=2, retry=SOON)
def failing(*, number: int, seconds: float) -> None:
    write("begun", number)
    time.sleep(seconds)
    raise ValueError(AS_IT_SHOULD)


@job(takes_context=True, retry=SOON)
def recovering(ctx: JobContext, *, number: int, seconds: float) -> None:
    write("begun", number)
    time.sleep(seconds)
    if ctx.attempt == 1:
        raise ValueError(AS_IT_SHOULD)


@job
def delayed(*, number: int, seconds: float) -> None:
    """Not due before any test is over."""
    write("begun", number)


@job(priority=100)
def probe(*, number: int) -> None:
    """Before everything else."""
    write("begun", number)


@job(
    takes_context=True,
    priority=50,
    schedules=[schedule(f"@every {EACH_SECONDS}s", overlap="queue", catch_up="all")],
)
def beat(ctx: JobContext) -> None:
    assert ctx.due_at
    write("due", int(ctx.due_at.timestamp()))
