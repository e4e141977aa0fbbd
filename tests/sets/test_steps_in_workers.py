"""`ctx.step` where real workers run it: transactions, coroutines, lost claims."""

import asyncio
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import transaction

from forge_jobs import JobContext, job
from forge_jobs.backoff import Fixed
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import InvalidStep
from forge_jobs.models import Job, JobStep, State
from forge_jobs.signals import claim_lost, job_failed, job_raised
from tests.app.models import Effect
from tests.conftest import NOON
from tests.running import PATIENCE, drain, engine, eventually, running
from tests.sets.workers import run_all

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = Fixed(delay=timedelta(0))


def test_an_async_handler_goes_on_after_its_steps() -> None:
    calls: list[str] = []

    async def fetch(name: str) -> str:
        await asyncio.sleep(0)
        calls.append(name)
        return name.upper()

    @job(kind="tests.fetch", takes_context=True, retry=AT_ONCE)
    async def handler(ctx: JobContext) -> list[str]:
        fetched = [await ctx.astep(name, fetch, name) for name in ("a", "b")]
        await ctx.checkpoint.asave([ctx.attempt, await ctx.checkpoint.aread(0)])
        if ctx.attempt == 1:
            raise ConnectionError
        return fetched

    stored = handler.enqueue()
    run_all()

    stored.refresh_from_db()
    assert (stored.state, stored.result, calls) == (State.SUCCEEDED, ["A", "B"], ["a", "b"])
    assert JobStep.objects.get(role="checkpoint").value == [2, [1, 0]]


def test_an_atomic_step_commits_its_writes_with_its_record() -> None:
    @job(kind="tests.book", takes_context=True, retry=AT_ONCE)
    def handler(ctx: JobContext) -> None:
        def book() -> int:
            Effect.objects.create(number=1)
            if ctx.attempt == 1:
                raise ConnectionError
            return Effect.objects.get().pk

        key = ctx.atomic_step("book", book)
        assert key == Effect.objects.get().pk
        if ctx.attempt == 2:
            raise ConnectionError

    stored = handler.enqueue()
    run_all()

    stored.refresh_from_db()
    assert (stored.state, stored.attempt, Effect.objects.count()) == (State.SUCCEEDED, 3, 1)


def test_a_step_inside_of_a_transaction_is_refused() -> None:
    told: list[str] = []

    @job(kind="tests.inside", takes_context=True, max_attempts=1)
    def handler(ctx: JobContext) -> None:
        for keep in (ctx.step, ctx.atomic_step):
            refused_inside = pytest.raises(InvalidStep, match="inside of a transaction")
            with refused_inside as refused, transaction.atomic():
                keep("a", pytest.fail)
            told.append(str(refused.value))

    handler.enqueue()
    run_all()

    assert ["ctx.atomic_step()" in one for one in told] == [True, False]


def test_a_checkpoint_is_committed_with_the_transaction_that_it_is_in() -> None:
    @job(kind="tests.chunks", takes_context=True, retry=AT_ONCE)
    def handler(ctx: JobContext) -> list[Any]:
        read = [ctx.checkpoint.read()]
        with transaction.atomic():
            Effect.objects.create(number=1)
            ctx.checkpoint.save({"chunks": 1})
        try:
            with transaction.atomic():
                ctx.checkpoint.save({"chunks": 2})
                raise ConnectionError
        except ConnectionError:
            read.append(ctx.checkpoint.read())
        return read

    stored = handler.enqueue()
    run_all()

    stored.refresh_from_db()
    assert stored.result == [None, {"chunks": 1}]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_run_that_lost_its_claim_stores_nothing_and_learns_it(*, is_async: bool) -> None:
    lost: list[int] = []
    failed: list[object] = []

    def remember(*, job: ClaimedJob, **kwargs: object) -> None:
        lost.append(job.id)

    def note(**kwargs: object) -> None:
        failed.append(kwargs)

    @job(kind="tests.lose", takes_context=True)
    def handler(ctx: JobContext) -> None:
        Job.objects.filter(pk=ctx.job_id).update(started_at=NOON)
        try:
            ctx.step("a", Effect.objects.count)
        except Exception as error:
            raise AssertionError from error  # it is none that a handler would take for its own

    @job(kind="tests.alose", takes_context=True)
    async def ahandler(ctx: JobContext) -> None:
        await Job.objects.filter(pk=ctx.job_id).aupdate(started_at=NOON)
        await ctx.astep("a", Effect.objects.acount)

    claim_lost.connect(remember)
    job_raised.connect(note)
    job_failed.connect(note)
    stored = (ahandler if is_async else handler).enqueue()
    try:
        drain()
    finally:
        claim_lost.disconnect(remember)
        job_raised.disconnect(note)
        job_failed.disconnect(note)

    assert (lost, failed) == ([stored.pk], [])
    assert not JobStep.objects.exists()


def test_progress_does_not_wait_for_a_handler_that_has_locked_its_job() -> None:
    is_saved, may_go = Event(), Event()

    @job(kind="tests.locked", takes_context=True)
    def locked(ctx: JobContext) -> None:
        with transaction.atomic():
            ctx.checkpoint.save(1)
            ctx.progress(1)
            is_saved.set()
            may_go.wait(PATIENCE)

    @job(kind="tests.free", takes_context=True)
    def free(ctx: JobContext) -> None:
        ctx.progress(2)
        may_go.wait(PATIENCE)

    told = [free.enqueue(), locked.enqueue()]
    with running(engine(threads=2)):
        assert is_saved.wait(PATIENCE)
        if _is_postgresql():  # SQLite lets nobody write meanwhile
            eventually(lambda: Job.objects.get(pk=told[0].pk).progress is not None)
        may_go.set()
        eventually(lambda: not Job.objects.unfinished().exists())

    done = [Job.objects.values_list("progress__done", flat=True).get(pk=one.pk) for one in told]
    assert done == [2, 1]


def _is_postgresql() -> bool:
    return bool(transaction.get_connection().vendor == "postgresql")
