"""A handler in a child that keeps things in the middle of its run, and then may not live on."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from forge_jobs import JobContext, job
from forge_jobs.backoff import Fixed
from forge_jobs.models import Job
from tests.app.models import Effect

EVERY = 10
DEADLY = 33


@job(
    kind="tests.keeps",
    isolation="process",
    takes_context=True,
    max_attempts=2,
    retry=Fixed(delay=timedelta(0)),
)
def keeps(ctx: JobContext, *, how: str) -> object:
    return DOES[how](ctx)


@job(kind="tests.keeps_in_coroutines", isolation="process", takes_context=True)
async def akeeps(ctx: JobContext) -> list[Any]:
    first = await ctx.astep("count", Effect.objects.acount)
    await ctx.checkpoint.asave(first)
    walked = [row.number async for row in ctx.aiterate(Effect.objects.all())]
    return [await ctx.checkpoint.aread(), len(walked)]


def step(ctx: JobContext) -> list[Any]:
    """Each of the two steps leaves a trace, in the first attempt only."""
    kept = [keep(name, leave, name) for name, keep in (("a", ctx.step), ("b", ctx.atomic_step))]
    found = ctx.checkpoint.read("nothing")
    ctx.checkpoint.save({"by": ctx.attempt})
    if ctx.attempt == 1:
        os._exit(9)
    return [*kept, found]


def leave(name: str) -> str:
    Effect.objects.create(number=ord(name), pid=os.getpid())
    return name


def walk(ctx: JobContext) -> None:
    """Ends its child at a row, when that is visited for the first time."""
    for row in ctx.iterate(Effect.objects.filter(number__lt=EVERY * 10), every=EVERY):
        Effect.objects.filter(pk=row.pk).update(began=F("began") + 1)
        if row.number == DEADLY and not row.began:
            os._exit(9)


def complete(ctx: JobContext) -> None:
    with transaction.atomic():
        leave("c")
        ctx.complete("completed")
    os._exit(9)


def fail_when_complete(ctx: JobContext) -> None:
    with transaction.atomic():
        ctx.complete("completed")
    raise LookupError("too late")


def follow(ctx: JobContext) -> list[Any]:
    keeps.using(batch=ctx.batch).enqueue(how="nothing")
    return ctx.results


def lose(ctx: JobContext) -> None:
    """Its claim is taken from it, as by a reaper and another process."""
    Job.objects.filter(pk=ctx.job_id).update(started_at=F("started_at") + timedelta(seconds=1))
    ctx.step("a", leave, "a")


def stroll(ctx: JobContext) -> None:
    """Walk on until its process stops."""
    for row in ctx.iterate(Effect.objects.all(), every=1_000):
        ctx.progress(row.number)
        if row.number:
            time.sleep(0.05)


DOES: dict[str, Callable[[JobContext], object]] = {
    "step": step,
    "walk": walk,
    "complete": complete,
    "fail_when_complete": fail_when_complete,
    "follow": follow,
    "lose": lose,
    "stroll": stroll,
    "nothing": lambda ctx: "nothing",
}
