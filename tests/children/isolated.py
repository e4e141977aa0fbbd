"""Handlers in children, for the processes that tests start, and for those children themselves."""

import asyncio
import ctypes
import logging
import os
import sys
import threading
import time

from django.db import transaction

from forge_jobs import Dead, JobContext, Throttled, job
from tests.app.jobs import noop
from tests.app.models import Effect


@job(kind="tests.where", isolation="process", max_attempts=1, preload="tests.children.preloaded")
def where() -> dict[str, object]:
    threads = [thread.name for thread in threading.enumerate()]
    return {
        "pid": os.getpid(),
        "threads": threads,
        "loaded": "tests.children.preloaded" in sys.modules,
    }


@job(kind="tests.ends", isolation="process", max_attempts=1)
def ends(*, how: str) -> None:
    match how:
        case "segfault":
            ctypes.string_at(0)
        case "exit":
            os._exit(0)
        case "leave":
            sys.exit(5)
        case "raise":
            raise LookupError("no such order")
        case "dead":
            raise Dead("never")
        case "throttled":
            raise Throttled(7000, scope="job")
        case "eat":
            bytearray(2**30)[:] = b"x" * 2**30
            time.sleep(1000)


@job(kind="tests.final", isolation="process", dead_on=LookupError)
def final() -> None:
    raise KeyError("which is a LookupError")


@job(kind="tests.spins", isolation="process", max_attempts=1)
def spins(*, how: str) -> None:
    if how == "python":
        while True:
            pass
    ctypes.PyDLL(None).sleep(1000)  # and holds the interpreter's lock


@job(kind="tests.tells", isolation="process", takes_context=True)
def tells(ctx: JobContext) -> str:
    ctx.logger.warning("said by its logger")
    logging.getLogger("elsewhere").error("said elsewhere")
    ctx.progress(3, 4, "nearly")
    ctx.enqueue(noop)
    ctx.cancelled.wait(60)
    return ctx.cancelled.reason


@job(kind="tests.books", isolation="process", atomic=True, takes_context=True, max_attempts=1)
def books(ctx: JobContext, *, number: int, fails: bool = False) -> int:
    Effect.objects.create(number=number, pid=os.getpid())
    ctx.progress(number)
    if fails:
        raise LookupError
    return number + int(transaction.get_connection().in_atomic_block)


@job(kind="tests.waits", isolation="process")
async def waits() -> str:
    await asyncio.sleep(0.01)
    sys.stdout.write("printed where answers go\n")
    return f"{await Effect.objects.acount()} effects"
