"""`ctx.iterate` where real workers run it: shutdowns, timeouts, coroutines."""

from datetime import timedelta
from threading import Event

import pytest

from forge_jobs import JobContext, job
from forge_jobs.backoff import Fixed
from forge_jobs.models import JobStep, State
from tests.app.models import Effect
from tests.running import PATIENCE, engine, running
from tests.sets.workers import run_all

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = Fixed(delay=timedelta(0))


@pytest.fixture
def numbers() -> list[int]:
    Effect.objects.bulk_create(Effect(number=number) for number in range(250))
    return list(range(250))


def test_a_walk_stops_in_order_as_soon_as_its_process_stops(numbers: list[int]) -> None:
    seen: list[int] = []
    has_begun, may_go = Event(), Event()

    @job(kind="tests.walk", takes_context=True, max_attempts=1)
    def handler(ctx: JobContext) -> None:
        for row in ctx.iterate(Effect.objects.all()):
            seen.append(row.number)
            if len(seen) == 7:
                has_begun.set()
                may_go.wait(PATIENCE)
                ctx.cancelled.wait(0.05)

    stored = handler.enqueue()
    stopping = engine(threads=1, shutdown_timeout=PATIENCE)
    with running(stopping):
        assert has_begun.wait(PATIENCE)
        stopping.lifecycle.request_stop("a deployment")
        while not stopping.lifecycle.is_stopping:
            pass
        may_go.set()
    stored.refresh_from_db()
    left_at = len(seen)
    assert (stored.state, stored.attempt) == (State.READY, 0)
    assert 7 <= left_at < 250

    run_all()

    stored.refresh_from_db()
    assert (stored.state, stored.attempt, seen) == (State.SUCCEEDED, 1, numbers)


def test_a_walk_that_is_longer_than_its_timeout_goes_on_in_the_next_run(
    numbers: list[int],
) -> None:
    seen: list[int] = []

    @job(kind="tests.walk", takes_context=True, max_attempts=1, timeout=1, retry=AT_ONCE)
    def handler(ctx: JobContext) -> None:
        for row in ctx.iterate(Effect.objects.all()):
            seen.append(row.number)
            while len(seen) in (100, 200):
                ctx.cancelled.wait(0.005)

    stored = handler.enqueue()
    run_all()

    stored.refresh_from_db()
    assert (stored.state, stored.attempt) == (State.SUCCEEDED, 1)
    assert len(stored.errors) >= 2
    assert all("Timed out after 1 s" in error["message"] for error in stored.errors)
    assert sorted(set(seen)) == numbers
    assert len(seen) <= len(numbers) + len(stored.errors)


def test_coroutines_walk_too(numbers: list[int]) -> None:
    seen: list[int] = []

    @job(kind="tests.walk", takes_context=True, max_attempts=1, retry=AT_ONCE)
    async def handler(ctx: JobContext) -> None:
        async for row in ctx.aiterate(Effect.objects.all(), every=10):
            seen.append(row.number)
            if len(seen) in (55, 111):
                raise ConnectionError

    stored = handler.enqueue()
    run_all()

    stored.refresh_from_db()
    assert (stored.state, len(stored.errors)) == (State.SUCCEEDED, 2)
    assert (sorted(set(seen)), len(seen)) == (numbers, 252)
    assert JobStep.objects.get().value["visited"] == 250
