"""The helpers for a project's own tests, in the two kinds of test that Django has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import close_old_connections, connection, transaction
from django.db.transaction import TransactionManagementError

from forge_jobs import (
    Chunk,
    Dead,
    Done,
    Failed,
    JobContext,
    Snoozed,
    Throttled,
    chunk_job,
    enqueue,
    job,
    schedule,
    signals,
)
from forge_jobs.backoff import Fixed
from forge_jobs.budgets import Budget
from forge_jobs.exceptions import InvalidPayload, UnknownQueue
from forge_jobs.models import Job, Process, Queue, Schedule, State
from forge_jobs.runtime.outage import ride_out
from forge_jobs.testing import (
    FrozenClock,
    assert_enqueued,
    assert_not_enqueued,
    drain,
    fake_budget,
    frozen_at,
    run,
)
from tests.app.models import Effect
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture(
    autouse=True,
    params=[
        pytest.param("TestCase", marks=pytest.mark.django_db),
        pytest.param("TransactionTestCase", marks=pytest.mark.django_db(transaction=True)),
    ],
)
def _in_both_kinds_of_test() -> None:
    """In a transaction that is rolled back, and in none."""


@pytest.fixture
def clock() -> Iterator[FrozenClock]:
    with frozen_at(NOON) as frozen:
        yield frozen


def test_what_is_enqueued_runs_here_and_so_does_what_that_enqueues() -> None:
    @job(kind="shop.pack")
    def pack(order: int) -> None:
        send.enqueue(order)

    @job(kind="shop.send")
    def send(order: int) -> str:
        Effect.objects.create(number=order)
        return f"sent {order}"

    stored = pack.enqueue(7)
    ran = drain()

    assert ran.kinds == ["shop.pack", "shop.send"]
    assert isinstance(ran[1].outcome, Done)
    assert (ran[1].payload, ran[1].outcome.result, ran[1].state) == (
        {"order": 7},
        "sent 7",
        State.SUCCEEDED,
    )
    stored.refresh_from_db()
    assert stored.state == State.SUCCEEDED
    assert Effect.objects.get().number == 7
    assert not Process.objects.exists()


def test_jobs_run_by_priority_and_as_many_as_are_wanted() -> None:
    seen: list[int] = []

    @job(kind="shop.note")
    def note(number: int) -> None:
        seen.append(number)

    note.enqueue_many([{"number": number} for number in range(5)])
    note.using(priority=5).enqueue(9)

    assert len(drain(max_jobs=2)) == 2
    assert seen == [9, 0]
    drain(until=lambda: len(seen) == 4)
    assert seen == [9, 0, 1, 2]
    assert len(drain(queues=["other"])) == 0
    assert len(drain(queues="default", max_jobs=1)) == 1
    assert len(drain()) == 1


def test_the_jobs_of_a_chunk_run_one_by_one() -> None:
    sizes: list[int] = []

    @chunk_job(kind="shop.mail", size=10)
    def mail(chunk: Chunk[dict[str, int]]) -> None:
        sizes.append(len(chunk))
        for item in chunk:
            item.answer(Dead("no address") if item.payload["number"] == 1 else Done("sent"))

    mail.enqueue_many([{"number": number} for number in range(3)])

    assert [ran.state for ran in drain()] == [State.SUCCEEDED, State.DEAD, State.SUCCEEDED]
    assert sizes == [1, 1, 1]


def test_a_queue_that_is_not_declared_is_refused_as_it_would_never_have_any_jobs() -> None:
    with pytest.raises(UnknownQueue, match=r"queues: othr .* Did you mean 'other'\?"):
        drain(queues=["default", "othr"])


def test_paused_queues_and_unknown_kinds_are_left_alone() -> None:
    @job(kind="shop.note")
    def note() -> None: ...

    note.enqueue()
    Job.objects.create(kind="gone.away", queue="default", payload={}, state="ready", run_at=NOON)
    drain(max_jobs=0)
    Queue.objects.pause("default")
    assert drain().kinds == []
    Queue.objects.resume("default")
    assert drain().kinds == ["shop.note"]


def test_a_failure_is_retried_when_its_time_has_come(clock: FrozenClock) -> None:
    @job(kind="shop.call", max_attempts=3, retry=Fixed(delay=MINUTE), takes_context=True)
    def call(ctx: JobContext) -> str:
        if ctx.attempt < 3:
            raise OSError(f"attempt {ctx.attempt}")
        return "answered"

    stored = call.enqueue()
    (first,) = drain()
    assert (first.state, first.attempt) == (State.RETRYING, 1)
    assert isinstance(first.outcome, Failed)
    assert first.outcome.exception == "builtins.OSError"

    ran = clock.advance(minutes=10)
    assert [one.state for one in ran] == [State.RETRYING, State.SUCCEEDED]
    assert len(ran.failures) == 1
    stored.refresh_from_db()
    assert (stored.run_at, stored.started_at, stored.finished_at) == (
        NOON + 2 * MINUTE,
        NOON + 2 * MINUTE,
        NOON + 2 * MINUTE,
    )
    assert clock() == NOON + 10 * MINUTE


def test_a_week_of_schedules_delays_and_snoozes_passes_in_order(clock: FrozenClock) -> None:
    seen: list[tuple[str, datetime]] = []

    @job(
        kind="shop.tick",
        schedules=[
            schedule("0 3 * * *", name="nightly", timezone="UTC"),
            schedule("0 9 * * 1", name="mondays", timezone="UTC"),
        ],
        takes_context=True,
    )
    def tick(ctx: JobContext) -> None:
        seen.append((ctx.schedule or "", clock()))

    @job(kind="shop.wait", takes_context=True)
    def wait(ctx: JobContext) -> Snoozed | None:
        seen.append(("wait", clock()))
        return None if len(seen) > 6 else Snoozed(delay=2 * DAY)

    wait.using(delay=DAY).enqueue()
    began = time.process_time()
    clock.advance(days=7)

    assert time.process_time() - began < 5
    assert [name for name, _ in seen].count("nightly") == 7
    assert [moment for name, moment in seen if name == "wait"][:2] == [NOON + DAY, NOON + 3 * DAY]
    assert [moment for _, moment in seen] == sorted(moment for _, moment in seen)
    assert {moment for name, moment in seen if name == "mondays"} == {
        datetime(2026, 3, 9, 9, tzinfo=NOON.tzinfo)
    }
    assert Schedule.objects.count() == 2


def test_a_number_without_a_unit_is_no_duration(clock: FrozenClock) -> None:
    with pytest.raises(ValueError, match=r"write advance\(seconds=60\) or of other units"):
        clock.advance(60)  # type: ignore[arg-type] # wrong, to be refused


def test_moments_that_sql_sets_are_those_of_the_clock(clock: FrozenClock) -> None:
    @job(kind="shop.note")
    def note(number: int = 0) -> None: ...

    clock.move_to(NOON - 365 * DAY)
    one = note.enqueue()
    many = note.enqueue_many([{"number": 1}, {"number": 2}])

    for stored in [one, *many]:
        stored.refresh_from_db()
        assert (stored.run_at, stored.enqueued_at) == (clock(), clock())


def test_a_timeout_goes_by_the_clock_that_a_handler_moves(clock: FrozenClock) -> None:
    @job(kind="shop.slow", timeout=60, max_attempts=1)
    def slow(minutes: int) -> None:
        clock.move_to(clock() + minutes * MINUTE)

    slow.enqueue(2)
    slow.enqueue(0)
    late, punctual = drain()
    assert "Timed out after 60 s" in str(late.outcome)
    assert punctual.state == State.SUCCEEDED


def test_a_key_is_passed_on_and_an_atomic_handler_rolls_back() -> None:
    @job(kind="shop.pay", concurrency_key="ledger", atomic=True, max_attempts=1)
    def pay(number: int) -> None:
        Effect.objects.create(number=number)
        if number == 2:
            raise ValueError("no funds")

    pay.enqueue_many([{"number": number} for number in (1, 2, 3)])
    assert [one.state for one in drain()] == [State.SUCCEEDED, State.DEAD, State.SUCCEEDED]
    assert sorted(Effect.objects.values_list("number", flat=True)) == [1, 3]


def test_a_coroutine_calls_the_orm_in_the_test_s_own_transaction() -> None:
    @job(kind="shop.acount")
    async def acount() -> int:
        return await Effect.objects.acount()

    Effect.objects.create(number=1)
    acount.enqueue()
    (ran,) = drain()
    assert isinstance(ran.outcome, Done)
    assert ran.outcome.result == 1


@pytest.mark.parametrize("error", [TimeoutError, SystemExit])
def test_what_a_coroutine_raises_is_its_own(error: type[BaseException]) -> None:
    @job(kind="shop.ask", timeout=60, max_attempts=1)
    async def ask() -> None:
        raise error("no answer")

    outcome = run(ask)
    assert isinstance(outcome, Failed)
    assert outcome.exception == f"builtins.{error.__name__}"
    ask.enqueue()
    assert [one.state for one in drain()] == [State.DEAD]


def test_a_coroutine_that_waits_too_long_is_timed_out() -> None:
    @job(kind="shop.wait", timeout=0.01, max_attempts=1)
    async def wait() -> None:
        await asyncio.Event().wait()

    wait.enqueue()
    (ran,) = failures = drain().failures
    assert [one.state for one in failures] == [State.DEAD]
    assert "Timed out after 0.01 s" in str(ran.outcome)


def test_a_run_alone_comes_to_an_outcome_and_leaves_no_trace() -> None:
    @job(kind="shop.call", takes_context=True, max_attempts=2)
    def call(ctx: JobContext, number: int) -> dict[str, Any]:
        if number < 0:
            raise Dead("below zero")
        return {"number": number, "attempt": ctx.attempt, "who": ctx.context.get("who")}

    outcome = run(call, {"number": 7}, attempt=5, context={"who": "ada"})
    assert isinstance(outcome, Done)
    assert outcome.result == {"number": 7, "attempt": 5, "who": "ada"}
    assert isinstance(run("shop.call", {"number": -1}), Dead)
    failed = run(call, {"number": "seven"})
    assert isinstance(failed, Failed)
    assert (failed.exception, "in call" in failed.traceback) == ("builtins.TypeError", True)
    with pytest.raises(InvalidPayload):
        run(call, {"nmber": 7})
    assert not Job.objects.exists()


def test_a_result_that_is_no_json_is_a_failure_of_a_run_alone_too() -> None:
    @job(kind="shop.odd", atomic=True)
    def odd() -> Any:
        return {1, 2}

    outcome = run(odd)
    assert isinstance(outcome, Failed)
    assert "JSON" in outcome.message


def test_what_was_enqueued_is_found_by_some_of_its_payload() -> None:
    @job(kind="shop.send")
    def send(order: int, copies: int = 1) -> None: ...

    enqueue(send, {"order": 7, "copies": 2})

    assert assert_enqueued(send, order=7).payload["copies"] == 2
    assert_enqueued("shop.send")
    assert_not_enqueued(send, order=8)
    with pytest.raises(AssertionError) as missing:
        assert_enqueued(send, order=8)
    assert "shop.send with order=8" in str(missing.value)
    assert "shop.send with order=7, copies=2 (default, ready)" in str(missing.value)
    with pytest.raises(AssertionError, match=r"1 of shop\.send with order=7 were enqueued"):
        assert_not_enqueued(send, order=7)


def test_a_name_that_no_payload_can_have_is_refused_lest_its_absence_prove_something() -> None:
    @job(kind="shop.send")
    def send(order: int, copies: int = 1) -> None: ...

    with pytest.raises(InvalidPayload, match=r"'oder' is unexpected.* Did you mean 'order'\?"):
        assert_not_enqueued(send, oder=7)


def test_a_budget_may_be_as_full_as_a_test_wants() -> None:
    @job(kind="shop.call")
    def call() -> None:
        Budget("api").acquire(2)

    with fake_budget("api", tokens=3) as budget:
        assert isinstance(run(call), Done)
        assert isinstance(run(call), Throttled)
        assert budget.taken == 2
    with fake_budget("api"):
        Budget("api").drain(60)
        assert isinstance(run(call), Throttled)


def test_ctrl_c_ends_the_tests_and_not_a_job() -> None:
    @job(kind="shop.interrupted")
    def interrupted() -> None:
        raise KeyboardInterrupt

    interrupted.enqueue()
    with pytest.raises(KeyboardInterrupt):
        drain()
    assert Job.objects.get().state == State.READY
    assert not Process.objects.exists()


def test_the_connection_is_the_test_s_own_before_and_after() -> None:
    @job(kind="shop.note")
    def note() -> None: ...

    connection.ensure_connection()
    session = connection.connection
    note.enqueue()
    with transaction.atomic():
        assert len(drain()) == 1
    assert connection.connection is session


def test_receivers_are_given_the_exception_itself() -> None:
    error, told = OSError("no answer"), []

    @job(kind="shop.call", max_attempts=1)
    def call() -> None:
        raise error

    def receive(*, job: Any, error: BaseException, **kwargs: Any) -> None:
        told.append((job.kind, error))
        raise SystemExit("a receiver's own trouble")

    signals.job_raised.connect(receive)
    call.enqueue()
    assert drain()[0].state == State.DEAD
    signals.job_raised.disconnect(receive)
    assert told == [("shop.call", error)]


def test_a_job_that_the_database_refuses_fails_and_the_test_goes_on() -> None:
    @job(kind="tests.twice", retry=Fixed(delay=MINUTE))
    def twice() -> None:
        for _ in range(2):
            Queue.objects.create(name="the only one")

    twice.enqueue()
    (ran,) = drain()

    assert ran.state == State.RETRYING
    assert "IntegrityError" in ran.outcome.message  # type: ignore[attr-defined] # it is Failed
    assert isinstance(run(twice), Failed)
    assert Job.objects.get().state == State.RETRYING


def test_a_handler_may_close_its_connections() -> None:
    @job(kind="tests.closing")
    def closing() -> int:
        close_old_connections()
        connection.close()
        return Queue.objects.filter(name="nobody's").count()

    closing.enqueue()

    (ran,) = drain()

    assert (ran.state, ran.outcome.result) == (State.SUCCEEDED, 0)  # type: ignore[attr-defined] # it is Done


def test_a_transaction_that_was_spoilt_before_is_no_outage_to_wait_for() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            ride_out(Job.objects.count, doing="counting", stopping=Event())


def test_no_job_runs_beyond_the_most() -> None:
    @job(kind="tests.nothing")
    def nothing() -> None: ...

    nothing.enqueue()

    assert len(drain(max_jobs=-1)) == 0


def test_time_passes_by_a_timedelta_and_by_its_keywords(clock: FrozenClock) -> None:
    clock.advance(DAY, minutes=1)

    assert clock() == NOON + DAY + MINUTE


def test_time_may_stand_in_an_early_year() -> None:
    @job(kind="tests.early")
    def early() -> None: ...

    moment = NOON.replace(year=999)
    with frozen_at(moment):
        stored = early.enqueue()

    assert stored.enqueued_at == moment
