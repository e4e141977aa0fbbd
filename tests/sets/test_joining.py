"""Waiting for an end from outside of a handler."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction

from forge_jobs import (
    BatchFailed,
    CantWait,
    JobFailed,
    JobHandler,
    batch,
    job,
    open_batch,
)
from forge_jobs.models import Job, Queue
from tests.running import drain, engine, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def give() -> JobHandler:
    @job(kind="tests.give")
    def give(*, number: int) -> int:
        return 10 // number

    return give


def test_a_job_gives_its_result(give: JobHandler) -> None:
    stored = give.enqueue(number=2)
    with running(engine()):
        assert stored.join(timeout=30) == 5
    assert stored.join() == 5


def test_it_raises_the_failure(give: JobHandler) -> None:
    stored = give.using(max_attempts=1).enqueue(number=0)
    drain()

    with pytest.raises(JobFailed, match="is dead: ZeroDivisionError") as failure:
        stored.join(timeout=1)
    assert failure.value.job == stored


def test_it_gives_up_in_time(give: JobHandler) -> None:
    stored = give.using(delay=3600).enqueue(number=1)

    with pytest.raises(TimeoutError, match="had not ended after 0 s"):
        stored.join(timeout=0)


@pytest.mark.parametrize("what", ["job", "batch"])
def test_whoever_waits_for_what_is_deleted_is_told_so(give: JobHandler, what: str) -> None:
    opened = open_batch("forgotten")
    waited_for: Any = opened if what == "batch" else give.enqueue(number=1)
    type(waited_for).objects.filter(pk=waited_for.pk).delete()

    told = f"{what} .* is gone, and with it how it ended"
    with pytest.raises(CantWait, match=told):
        waited_for.join(timeout=30)
    with pytest.raises(CantWait, match=told):
        async_to_sync(waited_for.ajoin)(timeout=30)


def test_whoever_waits_where_successes_are_not_kept_is_told_so(give: JobHandler) -> None:
    Queue.objects.update_or_create(name="default", defaults={"retain_succeeded_seconds": 0})
    stored = give.enqueue(number=1)

    with running(engine()), pytest.raises(CantWait, match="keeps no successes"):
        stored.join(timeout=30)


def test_coroutines_wait_without_a_thread(give: JobHandler) -> None:
    stored = [give.enqueue(number=number) for number in (1, 2)]

    async def both() -> list[Any]:
        return await asyncio.gather(*(one.ajoin(timeout=30) for one in stored))

    with running(engine()):
        assert async_to_sync(both)() == [10, 5]


def test_a_batch_gives_its_counts(give: JobHandler) -> None:
    with batch("fine") as fine:
        give.using(batch=fine).enqueue(number=1)
    with batch("torn") as torn:
        give.using(batch=torn, max_attempts=1).enqueue(number=0)

    with running(engine()):
        assert fine.join(timeout=30) == {"succeeded": 1}
        with pytest.raises(BatchFailed, match="1 dead"):
            torn.join(timeout=30)


def test_a_row_set_gives_all_results(give: JobHandler) -> None:
    give.enqueue_many([{"number": 1}, {"number": 2}])
    with running(engine()):
        assert Job.objects.filter(kind="tests.give").join(timeout=30) == [10, 5]


def test_nobody_waits_in_a_transaction_for_what_it_enqueued(give: JobHandler) -> None:
    with transaction.atomic():
        stored = give.enqueue(number=1)
        with pytest.raises(CantWait, match="not committed"):
            stored.join(timeout=1)
        with pytest.raises(CantWait):
            Job.objects.all().join(timeout=1)
        with pytest.raises(CantWait):
            open_batch("empty").join(timeout=1)


def test_a_handler_does_not_wait_for_others(give: JobHandler) -> None:
    other = give.using(delay=3600).enqueue(number=1)

    @job(kind="tests.wait", max_attempts=1)
    def wait() -> None:
        other.join()

    @job(kind="tests.await", max_attempts=1)
    async def wait_for_it() -> None:
        await other.ajoin()

    stored = [wait.enqueue(), wait_for_it.enqueue()]
    drain()

    for one in stored:
        one.refresh_from_db()
        assert "A handler can't wait for job tests.give" in one.last_error
