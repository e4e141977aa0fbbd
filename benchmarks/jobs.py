"""The jobs of forge_jobs, where its autodiscovery finds them."""

import time

from django.db import connection

from benchmarks.meter import started
from forge_jobs import JobContext, job


@job(kind="bench.noop")
def noop(moment: int = 0) -> None:
    started(moment)


@job(kind="bench.keyed", concurrency_key=lambda payload: f"key {payload['key']}")
def keyed(key: int) -> None:
    record(key)


@job(kind="bench.unkeyed")
def unkeyed(key: int) -> None:
    record(key)


@job(kind="bench.patient", takes_context=True)
def patient(ctx: JobContext) -> None:
    """Waits to be cancelled, and records when it was."""
    ctx.cancelled.wait(60)
    record(ctx.job_id)


def record(number: int) -> None:
    """What an ordinary handler does: one statement, in a transaction of its own."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger VALUES (%s, %s)", [number, time.time()])
