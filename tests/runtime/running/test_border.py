"""Whatever a handler hands over: its job comes to an end, its process and its neighbours go on."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections, transaction

from forge_jobs import JobContext, Snoozed, Throttled, job, signals
from forge_jobs.durations import LONGEST
from forge_jobs.models import Job, State
from forge_jobs.runtime.running.handling import Handling, read_json
from tests.app.jobs import noop
from tests.app.models import Effect
from tests.handlers.test_border import (
    Hostile,
    Nobody,
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


@pytest.mark.parametrize("error", [Nobody, Hostile, SystemExit, KeyboardInterrupt])
def test_an_async_handler_may_raise_what_asyncio_can_not_take(
    error: Callable[[], BaseException],
) -> None:
    """A task that raises the first never ends; the last two stop its loop."""

    @job(kind="tests.hostile", max_attempts=1)
    async def hostile() -> None:
        await asyncio.sleep(0)
        raise error()

    @job(kind="tests.gentle")
    async def gentle() -> int:
        await asyncio.sleep(0)
        return await Effect.objects.acount()

    stored, neighbour = hostile.enqueue(), gentle.enqueue()
    drained = drain(threads=1)

    stored.refresh_from_db()
    neighbour.refresh_from_db()
    assert (stored.state, stored.attempt, drained.failure) == (State.DEAD, 1, "")
    assert stored.last_error
    assert (neighbour.state, neighbour.result) == (State.SUCCEEDED, 0)


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


class Fading:
    """A number at first."""

    def __init__(self) -> None:
        self.answers = [1.0, float("nan")]

    def __float__(self) -> float:
        return self.answers.pop(0)


@pytest.mark.parametrize(
    "done", [10**400, Decimal("NaN"), Fraction(10) ** 400, Fading()], ids=lambda done: type(done)
)
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

    def break_down(self: Handling, run: Any) -> Any:
        raise SystemExit("nobody foresaw this")

    monkeypatch.setattr(Handling, "outcome_of", break_down)
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


def test_a_log_that_raises_ends_nothing() -> None:
    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise LookupError

    def fail(**kwargs: Any) -> None:
        raise LookupError

    stored, broken, root = noop.enqueue(), Broken(), logging.getLogger()
    root.addHandler(broken)
    signals.job_finished.connect(fail)
    try:
        drained = drain()
    finally:
        signals.job_finished.disconnect(fail)
        root.removeHandler(broken)

    stored.refresh_from_db()
    assert (stored.state, drained.failure) == (State.SUCCEEDED, "")


def write_and_close() -> None:
    with transaction.atomic():
        Effect.objects.create(number=1)
        connections["default"].close_at = 0.0
        close_old_connections()


@pytest.mark.parametrize("afterwards", [lambda: None, Effect.objects.count])
def test_a_connection_closed_in_a_transaction_is_no_success(
    afterwards: Callable[[], object],
) -> None:
    """Django says nothing of what was lost with it."""

    @job(kind="tests.closes", max_attempts=1)
    def closes() -> None:
        write_and_close()
        afterwards()

    stored = closes.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, Effect.objects.count()) == (State.DEAD, 0)
    assert "closed inside of a transaction" in stored.last_error


@pytest.mark.parametrize("in_a_thread", [sync_to_async, lambda act: lambda: asyncio.to_thread(act)])
def test_it_is_no_success_in_the_threads_of_an_async_handler(in_a_thread: Any) -> None:
    @job(kind="tests.closes", max_attempts=1)
    async def closes() -> None:
        await in_a_thread(write_and_close)()

    @job(kind="tests.gentle")
    async def gentle() -> int:
        return await Effect.objects.acount()

    stored, neighbour = closes.enqueue(), gentle.enqueue()
    drain(threads=1)

    stored.refresh_from_db()
    neighbour.refresh_from_db()
    assert (stored.state, neighbour.state) == (State.DEAD, State.SUCCEEDED)
    assert "closed inside of a transaction" in stored.last_error


@pytest.mark.parametrize("text", ['{"key": 1}', ' {"key": 1}', '{"key": 1}\n'])
def test_a_payload_is_read_whatever_white_space_is_around_it(text: str) -> None:
    assert read_json(text) == {"key": 1}


@pytest.mark.parametrize("text", ["", "{", "key", '{"key": 1} 2'])
def test_a_payload_that_is_no_json_is_refused_as_python_does(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        read_json(text)
