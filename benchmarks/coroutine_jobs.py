"""The kinds that `coroutines` measures, imported for it alone: one of them is enough for a loop."""

import asyncio

from forge_jobs import job
from forge_jobs.models import Queue


@job(kind="bench.asleep")
async def asleep() -> None:
    await asyncio.sleep(1)


@job(kind="bench.asking")
async def asking() -> None:
    """Asks the database before and after it waits for something else."""
    await Queue.objects.aget(name="default")
    await asyncio.sleep(1)
    await Queue.objects.aget(name="default")


@job(kind="bench.instant")
async def instant() -> None: ...
