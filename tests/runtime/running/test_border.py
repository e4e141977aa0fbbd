"""Whatever a handler hands over: its job comes to an end, its process and its neighbours go on."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import close_old_connections, connections, transaction

from forge_jobs import JobContext, Snoozed, Throttled, job, signals
from forge_jobs.durations import LONGEST
from forge_jobs.models import Job, State
from forge_jobs.runtime.running.worker import Worker
from tests.app.jobs import noop
from tests.app.models import Effect
from tests.handlers.test_border import (
    Hostile,
    Silent,
    Text,
    deep,
    in_a_circle,
    odd_syntax_error,
    raised,
)
from tests.running import drain, engine

pytestmark = pytest.mark.django_db(transaction=True)


def raises(make: Callable[[], BaseException]) -> Callable[[], object]:
    def handler() -> object:
        raise make()

    return handler


class Odd(dict[str, Any]):
    def items(self) -> Any:
        raise SystemExit


class Throttle(Throttled):
    def __init__(self) -> None:
        pass


def returns(value: object) -> Callable[[], object]:
    return lambda: value


@pytest.mark.parametrize(
    "hand_over",
    [
        raises(Hostile),
        raises(odd_syntax_error),
        raises(in_a_circle),
        raises(lambda: deep(3_000)),
        raises(lambda: ValueError(Silent())),
        raises(lambda: raised(Throttle())),
        returns(Throttle()),
        returns(Odd(a=1)),
        returns(Silent()),
        returns(Hostile()),
        returns(number for number in range(3)),
    ],
    ids=range(11),
)
def test_a_job_that_can_not_be_told_fails_alone(hand_over: Callable[[], object]) -> None:
    @job(kind="tests.hostile", max_attempts=1)
    def hostile() -> object:
        return hand_over()

    stored, neighbours = hostile.enqueue(), noop.enqueue_many([{}] * 3)
    drained = drain(threads=1)

    stored.refresh_from_db()
    assert (stored.state, stored.attempt) == (State.DEAD, 1)
    assert stored.last_error
    assert not drained.failure
    assert Job.objects.filter(state=State.SUCCEEDED).count() == len(neighbours)


@pytest.mark.parametrize("done", [Decimal(3), Fraction(3), 3, True, 3.0], ids=repr)
def test_progress_is_told_in_any_number(done: Any) -> None:
    @job(kind="tests.advances", takes_context=True)
    def advances(ctx: JobContext) -> None:
        ctx.progress(done, Decimal(10), Text("a text of its own"))

    stored = advances.enqueue()
    drain()

    stored.refresh_from_db()
    assert stored.state == State.SUCCEEDED
    assert stored.progress == {"done": done, "total": 10, "message": "a text of its own"}


@pytest.mark.parametrize("done", [10**400, Decimal("NaN"), Fraction(10) ** 400], ids=str)
def test_progress_in_no_number_at_all_is_the_handler_s_error(done: Any) -> None:
    @job(kind="tests.advances", takes_context=True, max_attempts=1)
    def advances(ctx: JobContext) -> None:
        ctx.progress(done)

    stored = advances.enqueue()
    drain()

    stored.refresh_from_db()
    assert stored.state == State.DEAD
    assert "ValueError" in stored.last_error


@pytest.mark.parametrize(
    "outcome",
    [
        lambda: Throttled(999_999_999_999),
        lambda: Throttled(timedelta.max, scope="job"),
        lambda: Snoozed(until=datetime.max.replace(tzinfo=timezone(timedelta(hours=-8)))),
        lambda: Snoozed(delay=1e300),
    ],
)
def test_a_job_put_off_for_ages_waits_for_a_century_and_says_so(
    outcome: Callable[[], Throttled | Snoozed],
) -> None:
    @job(kind="tests.puts_off")
    def puts_off() -> Throttled | Snoozed:
        return outcome()

    stored = puts_off.enqueue()
    drained = drain()

    stored.refresh_from_db()
    assert (stored.state, drained.failure) == (State.SCHEDULED, "")
    assert timedelta(0) < stored.enqueued_at + LONGEST - stored.run_at + timedelta(minutes=1)
    assert stored.last_error == "Put off for 36,500 days, the longest there is."


def test_a_job_that_breaks_its_worker_spends_its_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of defence, for what nobody foresaw; the jobs beside it lose nothing."""

    def break_down(self: Worker, run: Any) -> Any:
        raise SystemExit("nobody foresaw this")

    monkeypatch.setattr(Worker, "outcome_of", break_down)
    poison = noop.using(max_attempts=1, priority=1).enqueue()
    neighbour = noop.using(max_attempts=1).enqueue()
    broken = engine(threads=1)
    broken.run()

    poison.refresh_from_db()
    neighbour.refresh_from_db()
    assert broken.failure == "forge_jobs-worker-1 failed"
    assert poison.state == State.DEAD
    assert poison.last_error == "The run broke its worker: SystemExit: nobody foresaw this"
    assert (neighbour.state, neighbour.attempt) == (State.READY, 0)


def test_a_receiver_that_exits_ends_nothing() -> None:
    def leave(**kwargs: Any) -> None:
        raise SystemExit

    stored = noop.enqueue()
    told = (signals.job_started, signals.job_finished, signals.process_started)
    for signal in told:
        signal.connect(leave)
    try:
        drained = drain()
    finally:
        for signal in told:
            signal.disconnect(leave)

    stored.refresh_from_db()
    assert (stored.state, drained.failure) == (State.SUCCEEDED, "")


@pytest.mark.parametrize("afterwards", [lambda: None, Effect.objects.count])
def test_a_connection_closed_in_a_transaction_is_no_success(
    afterwards: Callable[[], object],
) -> None:
    """Django says nothing of what was lost with it."""

    @job(kind="tests.closes", max_attempts=1)
    def closes() -> None:
        with transaction.atomic():
            Effect.objects.create(number=1)
            connections["default"].close_at = 0.0
            close_old_connections()
        afterwards()

    stored = closes.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, Effect.objects.count()) == (State.DEAD, 0)
    assert "closed inside of a transaction" in stored.last_error
