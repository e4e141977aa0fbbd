"""The jobs of forge_jobs, where its autodiscovery finds them."""

import time
from typing import Any

from django.db import connection

from benchmarks.meter import started
from benchmarks.models import Entry
from forge_jobs import Chunk, JobContext, chunk_job, job


@job(kind="bench.noop")
def noop(moment: int = 0) -> None:
    started(moment)


@job(kind="bench.real")
def real(pk: int) -> None:
    """As most handlers do: reads a row, and writes it."""
    entry = Entry.objects.get(pk=pk)
    entry.number += 1
    entry.save(update_fields=["number"])


@job(kind="bench.real_atomic", atomic=True)
def real_atomic(pk: int) -> None:
    real(pk)


@job(kind="bench.timed")
def timed() -> list[float]:
    """Waits for 10 ms, and tells from when until when."""
    began = time.time()
    time.sleep(0.01)
    return [began, time.time()]


@job(kind="bench.dear")
def dear() -> None:
    """A call that costs 1 ms, whatever it is given."""
    time.sleep(0.001)


@chunk_job(kind="bench.chunked", size=64)
def chunked(chunk: Chunk[dict[str, Any]]) -> None:
    started(0)


@chunk_job(kind="bench.dear_chunked", size=64)
def dear_chunked(chunk: Chunk[dict[str, Any]]) -> None:
    time.sleep(0.001)


@job(kind="bench.lone", max_concurrent_per_process=1)
def lone() -> None:
    """Keeps its kind at its limit."""
    time.sleep(0.1)


@job(kind="bench.keyed", concurrency_key=lambda payload: f"key {payload['key']}")
def keyed(key: int) -> None:
    work(key)


@job(kind="bench.unkeyed")
def unkeyed(key: int) -> None:
    work(key)


@job(kind="bench.patient", takes_context=True)
def patient(ctx: JobContext) -> None:
    """Waits to be cancelled, and records when it was."""
    ctx.cancelled.wait(60)
    record(ctx.job_id)


def work(key: int) -> None:
    """As short as a job can be that asks another service for something, and notes the answer."""
    time.sleep(0.005)
    record(key)


def record(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger VALUES (%s, %s)", [number, time.time()])
