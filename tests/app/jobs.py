"""The handlers that tests and the processes they start run; effects go into a ledger."""

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from forge_jobs import Chunk, Dead, Failed, JobContext, chunk_job, job
from forge_jobs.backoff import Fixed
from forge_jobs.models import JobStep, Predecessor
from tests.app import hostile  # noqa: F401 - to register it
from tests.app.models import Effect

CODE = 5
FORKED = multiprocessing.get_context("fork")


@job
def noop() -> None:
    pass


@job
def effect(*, number: int, seconds: float = 0.0) -> None:
    """Leave a trace of every run."""
    time.sleep(seconds)
    Effect.objects.create(number=number, pid=os.getpid())


@job
def strike(*, number: int) -> None:
    """Leave the moment at which it began."""
    Effect.objects.create(number=number, pid=os.getpid(), began=time.monotonic())


@job(concurrency_key=lambda payload: f"customer {payload['customer']}")
def serve(*, customer: int, place: int = 0, seconds: float = 0.0) -> None:
    """One at a time for each customer; leaves the span in which it ran."""
    began = time.monotonic()
    time.sleep(seconds)
    Effect.objects.create(
        number=1_000 * customer + place, pid=os.getpid(), began=began, ended=time.monotonic()
    )


@job(takes_context=True, max_attempts=None)
def node(ctx: JobContext, *, number: int, fails: bool) -> Dead | None:
    """Tell if it began before what it comes after had ended."""
    early = Predecessor.objects.filter(gate__jobs=ctx.job_id).unmet()
    Effect.objects.create(number=-1 if early.exists() else number, pid=os.getpid())
    return Dead("as it should") if fails else None


@job(max_concurrent_per_process=1)
def limited() -> None:
    pass


@job(atomic=True)
def effect_exactly_once(*, number: int) -> None:
    Effect.objects.create(number=number)


@job(takes_context=True)
def wait_for_cancel(ctx: JobContext, *, seconds: float) -> str:
    """Run until asked to stop; tells why."""
    ctx.cancelled.wait(seconds)
    ctx.cancelled.raise_if_set()
    return "nobody asked"


@job(timeout=timedelta(seconds=0.2), max_attempts=1)
def spin() -> None:
    """Run forever, in Python."""
    while True:
        pass


@job(max_attempts=1)
def spin_until_killed() -> None:
    while True:
        pass


@job(max_attempts=3)
def poison() -> None:
    """Take the whole process along."""
    os._exit(13)


@job(max_attempts=2, retry=Fixed(delay=timedelta(0)))
def fail() -> Failed:
    return Failed("as it should")


@job(max_attempts=1, timeout=20)
def fork_and_terminate() -> list[int | None]:
    """Tell two forked processes to end; gives how they ended."""
    codes = []
    for _ in range(2):
        process = FORKED.Process(target=time.sleep, args=(15,))
        process.start()
        process.terminate()
        process.join(10)
        codes.append(process.exitcode)
        process.kill()
    return codes


@job(max_attempts=1, timeout=20)
def fork_a_pool() -> list[int]:
    with FORKED.Pool(2) as pool:
        return pool.map(_squared, [1, 2, 3])


@job(max_attempts=1, timeout=20)
def fork_and_use_the_database(*, number: int) -> int | None:
    """Write before the fork, in the process that it makes, and afterwards."""
    Effect.objects.create(number=number)
    for _ in range(3):  # SQLite itself may be locked by a thread that is not in the fork
        process = FORKED.Process(target=lambda: Effect.objects.create(number=number + 1))
        process.start()
        process.join(5)
        if process.exitcode is not None:
            break
        process.kill()
        process.join()
    Effect.objects.create(number=number + 2)
    return process.exitcode


@job
def fork_and_leave_behind() -> int | None:
    """Start a process that outlives the handler and ignores SIGTERM; gives its pid."""
    process = FORKED.Process(target=_refuse_to_end)
    process.start()
    return process.pid


@job(max_attempts=1, timeout=20)
def fork_and_come_back(*, how: str) -> int:
    """Gives the exit code of a forked process that leaves the handler, too."""
    if pid := os.fork():
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    match how:
        case "exit":
            sys.exit(CODE)
        case "raise":
            raise ValueError("of the fork")
    return CODE


@job(max_attempts=1, timeout=20)
async def fork_and_come_back_async(*, how: str) -> int:
    code: int = fork_and_come_back(how=how)
    return code


def _refuse_to_end() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def _squared(number: int) -> int:
    return number**2


@chunk_job(size=8, max_attempts=2)
def perilous(chunk: Chunk[dict[str, bool]]) -> None:
    """Takes its process down if any of them says so."""
    if any(payload["poison"] for payload in chunk.payloads):
        os.kill(os.getpid(), signal.SIGKILL)


@job(takes_context=True)
def leave_once(ctx: JobContext, *, code: int = 0) -> None:
    """End the whole process as if all were well, but not when it is tried again."""
    if ctx.attempt == 1:
        os._exit(code)


@job(takes_context=True, max_attempts=None, retry=Fixed(delay=timedelta(0)))
def in_steps(ctx: JobContext, *, number: int) -> list[int]:
    """Five steps, of which each second one is atomic; tells of one that is run though stored."""

    def leave(place: int, name: str) -> int:
        is_stored = JobStep.objects.filter(job_id=ctx.job_id, name=name).exists()
        Effect.objects.create(number=10 * number + place, pid=os.getpid(), ended=float(is_stored))
        time.sleep(0.03)
        return place

    return [
        (ctx.atomic_step if place % 2 else ctx.step)(f"step {place}", leave, place, f"step {place}")
        for place in range(5)
    ]


@job(takes_context=True, max_attempts=2, retry=Fixed(delay=timedelta(0)))
def walk_over_effects(ctx: JobContext, *, every: int, seconds: float) -> None:
    """Count the visits of each row in `began`."""
    for effect in ctx.iterate(Effect.objects.all(), every=every):
        Effect.objects.filter(pk=effect.pk).update(began=F("began") + 1)
        time.sleep(seconds)


@job(takes_context=True, max_attempts=2)
def complete_and_die(ctx: JobContext, *, number: int) -> None:
    """Take the whole process along after the job is complete."""
    with transaction.atomic():
        Effect.objects.create(number=number)
        ctx.complete(number)
    os._exit(13)


@job
async def wait_and_leave(*, number: int, seconds: float) -> None:
    """Leave a trace before and after a wait."""
    await Effect.objects.acreate(number=number, pid=os.getpid())
    await asyncio.sleep(seconds)
    await Effect.objects.filter(number=number).aupdate(ended=1.0)


@job(kind="app.spanned")
def spanned(*, seconds: float) -> list[float]:
    """From when until when it ran, by a clock that all processes of this machine share."""
    began = time.monotonic()
    time.sleep(seconds)
    return [began, time.monotonic()]
