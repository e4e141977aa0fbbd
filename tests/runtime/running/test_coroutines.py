"""Coroutines of one process run together, on one loop, and each as if it were alone there."""

import asyncio
import time
from collections.abc import Iterator
from contextvars import ContextVar
from threading import Event, Lock, current_thread
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, transaction

from forge_jobs import JobContext, job
from forge_jobs.models import Job, Queue, State
from forge_jobs.runtime.running.sorter import coroutines_among
from tests.app.jobs import noop
from tests.app.models import Effect
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


class Crowd:
    """Who is in it at once, and the most there ever were; they stay until they may go."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.may_go = Event()
        self._lock = Lock()

    async def join(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            deadline = time.monotonic() + PATIENCE
            while not self.may_go.is_set() and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
        finally:
            with self._lock:
                self.now -= 1


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd()
    yield crowd
    crowd.may_go.set()


def states() -> set[str]:
    return set(Job.objects.values_list("state", flat=True))


def test_as_many_run_at_once_as_async_concurrency_says(crowd: Crowd) -> None:
    @job(kind="tests.subject")
    async def subject() -> None:
        await crowd.join()

    subject.enqueue_many([{}] * 30)
    with running(engine(threads=1, async_concurrency=20)):
        eventually(lambda: crowd.now == 20)
        crowd.may_go.set()
        eventually(lambda: states() == {State.SUCCEEDED})

    assert crowd.most == 20


def test_a_full_loop_keeps_no_thread_from_work_and_full_threads_keep_no_loop(
    crowd: Crowd,
) -> None:
    busy = Event()

    @job(kind="tests.subject")
    async def subject() -> None:
        await crowd.join()

    @job(kind="tests.threaded")
    def threaded() -> None:
        busy.wait(PATIENCE)

    subject.enqueue_many([{}] * 3)
    threaded.enqueue()
    with running(engine(threads=2, async_concurrency=2)):
        eventually(lambda: crowd.now == 2)
        noop.enqueue()
        eventually(lambda: Job.objects.get(kind="app.noop").state == State.SUCCEEDED)
        threaded.enqueue()
        crowd.may_go.set()
        eventually(
            lambda: Job.objects.filter(kind="tests.subject", state=State.SUCCEEDED).count() == 3
        )
        busy.set()
        eventually(lambda: states() == {State.SUCCEEDED})


def test_one_that_is_killed_leaves_the_others_alone(crowd: Crowd) -> None:
    @job(kind="tests.subject")
    async def subject() -> None:
        await crowd.join()

    killed, spared = subject.enqueue_many([{}] * 2)
    with running(engine(threads=1, async_concurrency=2)):
        eventually(lambda: crowd.now == 2)
        killed.kill("enough", by="ada")
        eventually(lambda: Job.objects.get(pk=killed.pk).state == State.CANCELLED)
        assert crowd.now == 1
        crowd.may_go.set()
        eventually(lambda: Job.objects.get(pk=spared.pk).state == State.SUCCEEDED)

    assert Job.objects.get(pk=spared.pk).attempt == 1


def test_one_that_takes_too_long_leaves_the_others_alone(crowd: Crowd) -> None:
    @job(kind="tests.subject", max_attempts=1)
    async def subject() -> None:
        await crowd.join()

    late = subject.using(timeout=0.2).enqueue()
    spared = subject.enqueue()
    with running(engine(threads=1, async_concurrency=2)):
        eventually(lambda: Job.objects.get(pk=late.pk).state == State.DEAD)
        crowd.may_go.set()
        eventually(lambda: Job.objects.get(pk=spared.pk).state == State.SUCCEEDED)

    late.refresh_from_db()
    assert late.last_error.startswith("Timed out after 0.2 s")


def test_each_has_a_context_of_its_own() -> None:
    variable: ContextVar[int] = ContextVar("variable", default=-1)
    seen: list[tuple[int, int, int]] = []

    @job(kind="tests.subject", takes_context=True)
    async def subject(ctx: JobContext, *, number: int) -> None:
        before = variable.get()
        variable.set(number)
        await asyncio.sleep(0)
        await sync_to_async(lambda: None)()
        ctx.progress(number)
        seen.append((before, variable.get(), ctx.job_id))

    ids = subject.enqueue_many([{"number": number} for number in range(10)]).ids
    drain(threads=1, async_concurrency=10)

    assert sorted(seen) == [(-1, number, pk) for number, pk in enumerate(ids)]
    assert [one["done"] for one in Job.objects.order_by("pk").values_list("progress", flat=True)]


def test_they_share_as_many_threads_for_the_orm_as_there_are_workers(crowd: Crowd) -> None:
    seen: dict[int, list[str]] = {}

    def look(number: int) -> None:
        Effect.objects.count()
        seen.setdefault(number, []).append(current_thread().name)

    @job(kind="tests.subject")
    async def subject(*, number: int) -> None:
        await sync_to_async(look)(number)
        await crowd.join()
        await sync_to_async(look)(number)

    subject.enqueue_many([{"number": number} for number in range(12)])
    with running(engine(threads=2, async_concurrency=12)):
        eventually(lambda: crowd.now == 12)
        crowd.may_go.set()
        eventually(lambda: states() == {State.SUCCEEDED})

    assert all(len(names) == 2 and len({*names}) == 1 for names in seen.values())
    assert len({name for names in seen.values() for name in names}) == 2


def test_a_transaction_is_its_job_s_own_however_many_share_the_thread() -> None:
    is_open, is_written = Event(), Event()

    def begin() -> Any:
        block = transaction.atomic()
        block.__enter__()
        Effect.objects.filter(number=1).exists()
        is_open.set()
        return block

    @job(kind="tests.subject")
    async def subject() -> None:
        block = await sync_to_async(begin)()
        while not is_written.is_set():
            await asyncio.sleep(0.01)
        await Effect.objects.acreate(number=1)
        await sync_to_async(block.__exit__)(ValueError, ValueError(), None)

    @job(kind="tests.neighbour")
    async def neighbour() -> None:
        while not is_open.is_set():
            await asyncio.sleep(0.01)
        await sync_to_async(lambda: connection.in_atomic_block)()
        assert not await sync_to_async(lambda: connection.in_atomic_block)()
        is_written.set()

    subject.enqueue()
    neighbour.enqueue()
    drain(threads=1, async_concurrency=2)

    assert states() == {State.SUCCEEDED}
    assert Effect.objects.count() == 0


def test_a_transaction_that_a_job_leaves_open_ends_with_it() -> None:
    def begin() -> None:
        transaction.atomic().__enter__()
        Effect.objects.create(number=1)

    @job(kind="tests.subject")
    async def subject() -> None:
        await sync_to_async(begin)()

    subject.enqueue()
    drain(threads=1)
    noop.enqueue()
    drain(threads=1)

    assert Effect.objects.count() == 0


def test_synchronous_code_of_a_coroutine_may_call_coroutines() -> None:
    async def inner() -> int:
        return await Effect.objects.acount()

    @job(kind="tests.subject")
    async def subject() -> int:
        return await sync_to_async(async_to_sync(inner))()

    subject.enqueue()
    drain(threads=1)

    assert states() == {State.SUCCEEDED}


def test_what_a_call_raises_no_coroutine_waits_for_in_vain() -> None:
    def stop() -> None:
        raise StopIteration

    @job(kind="tests.subject", max_attempts=1)
    async def subject() -> None:
        await sync_to_async(stop)()

    stored = subject.enqueue()
    drain(threads=1)

    stored.refresh_from_db()
    assert (stored.state, "StopIteration" in stored.last_error) == (State.DEAD, True)


def test_a_task_of_a_handler_s_that_exits_ends_its_job_and_not_the_loop(crowd: Crowd) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    @job(kind="tests.subject", max_attempts=1)
    async def subject() -> None:
        await asyncio.create_task(leave())

    @job(kind="tests.neighbour")
    async def neighbour() -> None:
        await crowd.join()

    spared = neighbour.enqueue()
    with running(engine(threads=1, async_concurrency=2)):
        eventually(lambda: crowd.now == 1)
        exiting = subject.enqueue()
        eventually(lambda: Job.objects.get(pk=exiting.pk).state == State.DEAD)
        crowd.may_go.set()
        eventually(lambda: Job.objects.get(pk=spared.pk).state == State.SUCCEEDED)

    assert Job.objects.get(pk=spared.pk).attempt == 1


def test_of_a_kind_with_a_limit_no_more_run_at_once(crowd: Crowd) -> None:
    @job(kind="tests.subject", max_concurrent_per_process=3)
    async def subject() -> None:
        await crowd.join()

    subject.enqueue_many([{}] * 7)
    with running(engine(threads=1, async_concurrency=6)):
        eventually(lambda: crowd.now == 3)
        crowd.may_go.set()
        eventually(lambda: states() == {State.SUCCEEDED})

    assert crowd.most == 3


def test_of_a_queue_with_a_limit_no_more_run_at_once_but_as_many(crowd: Crowd) -> None:
    Queue.objects.sow({"default": {"max_workers": 5}})

    @job(kind="tests.subject")
    async def subject() -> None:
        await crowd.join()

    subject.enqueue_many([{}] * 12)
    with running(engine(threads=1, async_concurrency=10)):
        eventually(lambda: crowd.now == 5)
        crowd.may_go.set()
        eventually(lambda: states() == {State.SUCCEEDED})

    assert crowd.most == 5


def test_a_process_without_coroutines_has_no_loop() -> None:
    assert coroutines_among(["app.noop"]) == frozenset()


def test_the_process_says_how_many_jobs_it_runs_at_once(crowd: Crowd) -> None:
    @job(kind="tests.subject")
    async def subject() -> None:
        await crowd.join()

    subject.enqueue_many([{}] * 4)
    with running(engine(threads=2, async_concurrency=4)) as working:
        eventually(lambda: crowd.now == 4)
        assert working.process.threads == 6
        assert len(working.workers.runs()) == 4
        crowd.may_go.set()
        eventually(lambda: states() == {State.SUCCEEDED})
