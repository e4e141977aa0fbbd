"""`async def` handlers, in their worker's own event loop."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from forge_jobs import Dead, aenqueue, job
from forge_jobs.models import Job, State
from tests.app.models import Effect
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_async_handler_may_use_the_orm() -> None:
    @job(kind="tests.subject")
    async def subject(*, number: int) -> int:
        await Effect.objects.acreate(number=number)
        return number

    subject.enqueue_many([{"number": number} for number in range(20)])
    drain(threads=3)

    assert Effect.objects.count() == 20
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}


def test_the_loop_of_a_worker_outlives_its_jobs() -> None:
    loops = set()

    @job(kind="tests.subject")
    async def subject() -> None:
        loops.add(asyncio.get_running_loop())

    subject.enqueue_many([{}] * 5)
    drain(threads=1)

    assert len(loops) == 1


def test_an_async_handler_may_raise_an_outcome() -> None:
    @job(kind="tests.subject")
    async def subject() -> None:
        raise Dead("never")

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert stored.state == State.DEAD


def test_an_async_handler_past_its_timeout_is_ended() -> None:
    @job(kind="tests.subject", timeout=0.1, max_attempts=1)
    async def subject() -> None:
        await asyncio.sleep(3600)

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert stored.last_error.startswith("Timed out after 0.1 s")


def test_a_timeout_error_of_the_handlers_own_is_an_ordinary_failure() -> None:
    @job(kind="tests.subject", timeout=30)
    async def subject() -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(3600)

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert stored.last_error == "TimeoutError"


def test_async_code_can_enqueue() -> None:
    @job(kind="tests.leaf")
    def leaf() -> None:
        pass

    @job(kind="tests.root")
    async def root() -> None:
        await aenqueue("tests.leaf")
        await leaf.aenqueue()
        await sync_to_async(leaf.enqueue)()

    root.enqueue()
    drain()

    assert Job.objects.filter(kind="tests.leaf", state=State.SUCCEEDED).count() == 3
