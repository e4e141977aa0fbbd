"""`ctx.complete`: the outcome commits with the handler's own transaction, and holds."""

import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import transaction

from forge_jobs import Dead, Failed, JobContext, Snoozed, job
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import InvalidStep
from forge_jobs.models import Job, Process, Queue, State
from forge_jobs.services.reaper import reclaim
from forge_jobs.signals import outcome_ignored
from forge_jobs.testing import run
from tests.app.models import Effect
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ignored() -> Iterator[list[str]]:
    """What handlers said too late."""
    heard: list[str] = []

    def hear(*, job: ClaimedJob, ignored: str, **kwargs: object) -> None:
        heard.append(ignored)

    outcome_ignored.connect(hear)
    yield heard
    outcome_ignored.disconnect(hear)


def completing(**options: Any) -> Any:
    """A handler that completes its job, and then ends as it is told."""

    @job(kind="tests.complete", takes_context=True, max_attempts=1, **options)
    def handler(ctx: JobContext, *, then: str = "") -> Any:
        with transaction.atomic():
            Effect.objects.create(number=1)
            ctx.complete({"paid": True})
        match then:
            case "raise":
                raise ValueError("too late")
            case "exit":
                raise SystemExit
            case "dead":
                raise Dead("too late")
            case "fail":
                return Failed("too late")
            case "snooze":
                return Snoozed(delay=60)
            case "cancel":
                Job.objects.get(pk=ctx.job_id).cancel("too late")
                ctx.cancelled.set("too late")
                ctx.cancelled.raise_if_set()
            case "result":
                return "another"
            case "again":
                with transaction.atomic():
                    Effect.objects.create(number=2)
                    ctx.complete("another")
        return None

    return handler


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("", []),
        ("raise", ["Failed"]),
        ("exit", ["Failed"]),
        ("dead", ["Dead"]),
        ("fail", ["Failed"]),
        ("snooze", ["Snoozed"]),
        ("cancel", ["Cancelled"]),
        ("result", ["Done"]),
        ("again", ["Failed"]),
    ],
)
def test_what_is_said_after_it_changes_nothing(
    ignored: list[str], then: str, said: list[str]
) -> None:
    stored = completing().enqueue(then=then)
    drain()

    stored.refresh_from_db()
    assert (stored.state, stored.result, stored.attempt) == (State.SUCCEEDED, {"paid": True}, 1)
    assert (stored.errors, stored.last_error, stored.process_id) == ([], "", None)
    assert stored.finished_at >= stored.started_at
    assert (Effect.objects.count(), ignored) == (1, said)


def test_a_transaction_that_is_rolled_back_has_completed_nothing(ignored: list[str]) -> None:
    @job(kind="tests.undo", takes_context=True, max_attempts=1)
    def handler(ctx: JobContext) -> None:
        with transaction.atomic():
            Effect.objects.create(number=1)
            ctx.complete("done")
            raise ValueError("no")

    stored = handler.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, stored.result, stored.finished_at is None) == (State.DEAD, None, False)
    assert "ValueError: no" in stored.last_error
    assert (Effect.objects.count(), ignored) == (0, [])


def test_a_lost_claim_completes_nothing_and_rolls_the_writes_back() -> None:
    @job(kind="tests.lost", takes_context=True)
    def handler(ctx: JobContext) -> None:
        Job.objects.filter(pk=ctx.job_id).update(started_at=ctx.job.started_at - timedelta(hours=1))
        with transaction.atomic():
            Effect.objects.create(number=1)
            ctx.complete()

    stored = handler.enqueue()
    drain()

    stored.refresh_from_db()
    assert stored.finished_at is None
    assert not Effect.objects.exists()


def test_key_and_place_are_kept_until_the_handler_returns() -> None:
    is_complete, may_go = Event(), Event()
    ran: list[int] = []

    @job(kind="tests.keyed", takes_context=True, concurrency_key="one")
    def handler(ctx: JobContext, *, number: int) -> None:
        ran.append(number)
        with transaction.atomic():
            ctx.complete(number)
        is_complete.set()
        may_go.wait(PATIENCE)

    first, second = (handler.enqueue(number=number) for number in (1, 2))
    with running(engine(threads=2)):
        assert is_complete.wait(PATIENCE)
        eventually(lambda: Job.objects.running().completed().exists())
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, first.concurrency_slot, first.result) == (State.RUNNING, 1, 1)
        assert (second.state, ran) == (State.BLOCKED, [1])
        may_go.set()
        eventually(lambda: not Job.objects.unfinished().exists())

    assert ran == [1, 2]
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_cancel_that_comes_while_it_runs_on_comes_too_late(*, is_killed: bool) -> None:
    is_complete = Event()

    @job(kind="tests.slow", takes_context=True)
    def handler(ctx: JobContext) -> None:
        with transaction.atomic():
            ctx.complete("done")
        is_complete.set()
        deadline = time.monotonic() + PATIENCE
        while not ctx.cancelled and time.monotonic() < deadline:
            time.sleep(0.01)
        ctx.cancelled.raise_if_set()

    stored = handler.enqueue()
    with running(engine(threads=1)):
        assert is_complete.wait(PATIENCE)
        eventually(lambda: stored.kill("no") if is_killed else stored.cancel("no"))
        eventually(lambda: not Job.objects.unfinished().exists())

    stored.refresh_from_db()
    assert (stored.state, stored.result, stored.last_error) == (State.SUCCEEDED, "done", "")


def test_a_process_that_is_lost_after_it_leaves_a_success() -> None:
    has_completed, may_go = Event(), Event()

    @job(kind="tests.lost", takes_context=True, concurrency_key="k")
    def handler(ctx: JobContext) -> None:
        with transaction.atomic():
            ctx.complete([1])
        has_completed.set()
        may_go.wait(PATIENCE)

    stored, waiting = handler.enqueue(), handler.enqueue()
    with running(engine(threads=1)):
        assert has_completed.wait(PATIENCE)
        Job.objects.filter(pk=waiting.pk).update(kind="tests.unknown")
        process = Process.objects.get()
        eventually(lambda: bool(reclaim(process_of(process), now=stored.enqueued_at).given_back))
        stored.refresh_from_db()
        may_go.set()

    assert (stored.state, stored.result, stored.errors) == (State.SUCCEEDED, [1], [])
    assert stored.concurrency_slot is None


def process_of(process: Process) -> Process:
    """As it was heard of last."""
    return Process.objects.get(pk=process.pk)


def test_jobs_that_are_given_back_by_hand_are_successes_if_they_are_complete() -> None:
    has_completed, may_go = Event(), Event()

    @job(kind="tests.release", takes_context=True)
    def handler(ctx: JobContext) -> None:
        with transaction.atomic():
            ctx.complete()
        has_completed.set()
        may_go.wait(PATIENCE)

    stored = handler.enqueue()
    with running(engine(threads=1)):
        assert has_completed.wait(PATIENCE)
        assert Job.objects.running().release(now=stored.enqueued_at) == 1
        stored.refresh_from_db()
        may_go.set()

    assert stored.state == State.SUCCEEDED


def test_a_moment_from_an_earlier_run_completes_nothing() -> None:
    stored = completing().enqueue(then="")
    Job.objects.filter(pk=stored.pk).update(finished_at=stored.enqueued_at - timedelta(days=1))

    @job(kind="tests.fail", max_attempts=1)
    def fail() -> Failed:
        return Failed("as it should")

    failed = fail.enqueue()
    Job.objects.filter(pk=failed.pk).update(finished_at=failed.enqueued_at - timedelta(days=1))
    drain()

    failed.refresh_from_db()
    assert failed.state == State.DEAD


def test_a_success_that_nobody_wants_kept_goes() -> None:
    Queue.objects.sow({"default": {"retain_succeeded_seconds": 0}})
    completing().enqueue(then="raise")
    drain()

    assert not Job.objects.exists()
    assert Effect.objects.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [({}, "none is open: call it at the end of an atomic()"), ({"atomic": True}, "is atomic")],
)
def test_where_it_cannot_be_it_says_what_to_do(options: dict[str, Any], told: str) -> None:
    @job(kind="tests.refuse", takes_context=True, **options)
    def handler(ctx: JobContext) -> None:
        with pytest.raises(InvalidStep) as refused:
            ctx.complete()
        assert told in str(refused.value)

    assert not isinstance(run(handler), Failed)


def test_a_result_that_is_none_is_refused_before_it_is_too_late() -> None:
    @job(kind="tests.odd", takes_context=True)
    def handler(ctx: JobContext) -> None:
        with transaction.atomic():
            ctx.complete(object())

    assert "InvalidStep" in str(run(handler))


def test_completion_is_honoured_without_a_job_too() -> None:
    outcome: Any = run(completing(), {"then": "raise"})

    assert outcome.result == {"paid": True}
