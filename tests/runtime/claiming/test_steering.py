"""What operators and throttles make of a queue, in processes that run."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from forge_jobs import Failed, JobContext, Throttled, job
from forge_jobs.models import Job, Queue, RateLimitBudget, Share, State
from forge_jobs.runtime.running import run
from forge_jobs.signals import queue_misconfigured
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def test_a_queue_that_is_paused_is_left_alone_and_taken_up_when_it_is_resumed() -> None:
    with running(engine()) as subject:
        eventually(lambda: bool(subject.steering.rows))
        Queue.objects.filter(name="default").update(is_paused=True)
        first = noop.enqueue()
        other = noop.using(queue="other").enqueue()
        eventually(lambda: subject.steering.closed == {"default"})
        assert state_of(first) == State.READY
        Queue.objects.filter(name="default").update(is_paused=False)
        eventually(lambda: state_of(first) == State.SUCCEEDED)

    assert state_of(other) == State.READY


def test_what_was_claimed_ahead_goes_back_when_its_queue_is_paused() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext, *, seconds: float) -> None:
        ctx.cancelled.wait(seconds)

    for _ in range(20):
        subject.enqueue(seconds=0)
    with running(engine(threads=1, shutdown_timeout=0.1)) as working:
        eventually(lambda: Job.objects.finished().count() == 20)
        subject.enqueue(seconds=PATIENCE)
        ahead = [subject.enqueue(seconds=0) for _ in range(5)]
        eventually(lambda: bool(working.workers.runs()))
        Queue.objects.filter(name="default").update(is_paused=True)
        eventually(lambda: all(state_of(one) == State.READY for one in ahead))
        assert len(working.workers.runs()) == 1


def test_a_throttled_job_lets_its_queue_cool_down_and_spends_no_attempt() -> None:
    @job(kind="tests.subject")
    def subject() -> Throttled:
        return Throttled(60)

    stored = subject.enqueue()
    drain()
    waiting = noop.enqueue()
    drain()

    assert state_of(stored) == State.SCHEDULED
    assert stored.attempt == 0
    assert state_of(waiting) == State.READY
    queue = Queue.objects.get(name="default")
    assert queue.throttle_attempts == 1
    assert queue.throttled_until is not None


def test_a_job_may_be_throttled_alone() -> None:
    @job(kind="tests.subject")
    def subject() -> Throttled:
        return Throttled(60, scope="job")

    subject.enqueue()
    waiting = noop.enqueue()
    drain()

    assert state_of(waiting) == State.SUCCEEDED
    assert Queue.objects.get(name="default").throttled_until is None


def test_a_queue_without_retries_has_its_failures_dead_at_once() -> None:
    @job(kind="tests.subject")
    def subject() -> Failed:
        return Failed("no")

    drain()
    Queue.objects.filter(name="default").update(retries=False)
    stored = subject.enqueue()
    drain()

    assert state_of(stored) == State.DEAD


def test_successes_that_nobody_keeps_are_deleted_at_once() -> None:
    @job(kind="tests.subject", max_attempts=1)
    def subject() -> Failed:
        return Failed("no")

    drain()
    Queue.objects.filter(name="default").update(retain_succeeded_seconds=0)
    noop.enqueue_many([{}] * 50)
    failed = subject.enqueue()
    drain()

    assert [job.pk for job in Job.objects.all()] == [failed.pk]


def test_kill_ends_a_handler_that_hears_nothing() -> None:
    @job(kind="tests.subject", max_attempts=5)
    def subject() -> None:
        while True:
            pass

    stored = subject.enqueue()
    with running(engine()) as working:
        eventually(lambda: bool(working.workers.runs()))
        began = time.monotonic()
        assert stored.kill("runaway", by="ada")
        eventually(lambda: state_of(stored) == State.CANCELLED)

    assert time.monotonic() - began < PATIENCE
    assert (stored.cancel_reason, stored.cancelled_by) == ("runaway", "ada")


def test_a_job_that_is_killed_while_it_waits_is_cancelled() -> None:
    stored = noop.using(delay=60).enqueue()

    assert stored.kill("not needed")
    assert stored.state == State.CANCELLED
    assert not stored.kill("again")


def test_a_job_that_waits_for_its_time_can_be_run_now() -> None:
    stored = noop.using(delay=3600).enqueue()
    assert stored.run_now()
    drain()

    assert state_of(stored) == State.SUCCEEDED
    assert not stored.run_now()


def test_a_requeued_job_has_no_wish_to_stop_left() -> None:
    stored = noop.using(delay=60).enqueue()
    stored.cancel("not needed", by="ada")
    assert stored.requeue()
    drain()

    assert state_of(stored) == State.SUCCEEDED
    assert (stored.cancel_requested_at, stored.cancelled_by) == (None, "")


def budgeted(**columns: float) -> None:
    """Let the default queue spend tokens of a budget."""
    RateLimitBudget.objects.create(name="slack", **columns)
    drain()
    Queue.objects.filter(name="default").update(budget="slack")


def test_a_queue_with_a_budget_claims_as_many_jobs_as_it_has_tokens() -> None:
    budgeted(capacity=3, refill_per_second=0.001, tokens=3)
    noop.enqueue_many([{}] * 10)
    with running(engine()) as working:
        eventually(lambda: Job.objects.finished().count() == 3)
        eventually(lambda: bool(working.fetcher.lanes.waiting()))

    assert Job.objects.ready().filter(attempt=0).count() == 7


def test_a_drain_waits_for_tokens() -> None:
    budgeted(capacity=1, refill_per_second=50, tokens=0)
    noop.enqueue_many([{}] * 10)
    drain()

    assert Job.objects.finished().count() == 10


def test_tokens_that_no_job_needed_are_returned() -> None:
    budgeted(capacity=100, refill_per_second=0.001, tokens=100)
    noop.enqueue_many([{}] * 3)
    drain()

    assert tokens_left() == pytest.approx(97, abs=0.1)


def tokens_left() -> float:
    level = RateLimitBudget.objects.level("slack")
    assert level is not None
    return level.tokens


def test_no_token_is_taken_for_a_job_that_has_no_worker_yet() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext, *, seconds: float) -> None:
        ctx.cancelled.wait(seconds)

    budgeted(capacity=100, refill_per_second=0.001, tokens=100)
    subject.enqueue_many([{"seconds": 0}] * 30)
    with running(engine(threads=1, shutdown_timeout=0.1)) as working:
        eventually(lambda: Job.objects.finished().count() == 30)
        subject.enqueue(seconds=PATIENCE)
        subject.enqueue_many([{"seconds": 0}] * 20)
        eventually(lambda: bool(working.workers.runs()))
        eventually(working.fetcher.lanes.await_worker)
        assert working.fetcher.load.ahead() == 1

    assert tokens_left() == pytest.approx(69, abs=0.1)


def test_tokens_are_returned_for_jobs_whose_kind_has_no_room_here() -> None:
    @job(kind="tests.subject", max_concurrent_per_process=1)
    def subject() -> None:
        time.sleep(0.01)

    budgeted(capacity=100, refill_per_second=0.001, tokens=100)
    subject.enqueue_many([{}] * 10)
    drain(threads=4)

    assert tokens_left() == pytest.approx(90, abs=0.1)


def test_a_queue_whose_budget_is_unknown_is_left_alone_and_told_of() -> None:
    told: list[str] = []

    def hear(*, queue: str, **kwargs: object) -> None:
        told.append(queue)

    queue_misconfigured.connect(hear)
    drain()
    Queue.objects.filter(name="default").update(budget="slak")
    noop.enqueue()
    try:
        with running(engine()):
            eventually(lambda: told == ["default"])
    finally:
        queue_misconfigured.disconnect(hear)

    assert Job.objects.ready().count() == 1


def test_a_handler_that_gets_no_token_is_put_off_alone() -> None:
    RateLimitBudget.objects.create(name="slack", capacity=1, refill_per_second=0.01, tokens=1)

    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> str:
        ctx.budget("slack").acquire()
        return "served"

    first, second = subject.enqueue(), subject.enqueue()
    drain(threads=1)

    assert (state_of(first), state_of(second)) == (State.SUCCEEDED, State.SCHEDULED)
    assert second.attempt == 0
    assert Queue.objects.get(name="default").throttled_until is None


def test_kill_cancels_a_coroutine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "GRACE_SECONDS", 2 * PATIENCE)  # else it might be given up instead
    begun = Event()

    @job(kind="tests.subject", max_attempts=5)
    async def subject() -> None:
        begun.set()
        await asyncio.sleep(2 * PATIENCE)

    stored = subject.enqueue()
    with running(engine()) as working:
        assert begun.wait(PATIENCE)
        stored.kill("runaway")
        eventually(lambda: state_of(stored) == State.CANCELLED)
        assert working.workers.stuck == 0


@pytest.mark.parametrize("column", [{"max_workers": 0}, {"budget": "slak"}])
def test_a_drain_does_not_wait_for_what_can_not_come(column: dict[str, object]) -> None:
    drain()
    Queue.objects.filter(name="default").update(**column)
    noop.enqueue()
    drain()

    assert Job.objects.ready().count() == 1


def test_a_limited_queue_whose_row_is_deleted_goes_on_without_a_limit() -> None:
    drain()
    Queue.objects.filter(name="default").update(max_workers=1)
    with running(engine()) as working:
        eventually(lambda: working.steering.is_limited("default"))
        Queue.objects.all().delete()
        stored = noop.enqueue()
        eventually(lambda: state_of(stored) == State.SUCCEEDED)


@pytest.mark.parametrize("taken", [False, True])
def test_a_look_in_vain_at_a_limited_queue_waits_for_nobody(taken: bool) -> None:
    Queue.objects.sow({"default": {"max_workers": 1}})
    if taken:
        there = process_named("there", queues=["default"])
        Share.objects.create(queue="default", process=there, slots=1, wanted=1, since=NOON)
        stored_job()
    subject = engine()
    subject.steering.run_once(now=NOON)
    subject.sharing.run_once(now=NOON)
    with held_by_another("default") as holder:
        for _ in range(3):
            subject.fetcher.bell.ring("default")  # it does not sleep then
            subject.fetcher.run_once()
        assert holder.is_alive()


@contextmanager
def held_by_another(queue: str) -> Iterator[Thread]:
    """Somebody has changed a queue's row, and not committed yet: a thread that lives as long."""
    is_held, is_over = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            Queue.objects.select_for_update().get(name=queue)
            is_held.set()
            is_over.wait(PATIENCE)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert is_held.wait(PATIENCE)
    try:
        yield thread
    finally:
        is_over.set()
        thread.join(PATIENCE)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_a_queue_whose_row_is_held_keeps_no_other_queue_waiting() -> None:
    Queue.objects.sow({"default": {"max_workers": 1}})
    subject = engine(queues=("default", "other"))
    with held_by_another("default"), running(subject):
        first, other = noop.enqueue(), noop.using(queue="other").enqueue()
        eventually(lambda: state_of(other) == State.SUCCEEDED)
        assert state_of(first) == State.READY
    with running(engine()):
        eventually(lambda: state_of(first) == State.SUCCEEDED)
