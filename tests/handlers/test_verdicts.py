"""Retries by what happened: which errors are tried again, for how long, and after what delay."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from forge_jobs import Failed, job, signals
from forge_jobs.backoff import Fixed, RetryAfter, delay_by
from forge_jobs.clock import ManualClock
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import InvalidHandler, JobTimedOut
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.log.jobs import job_failed as log_failure
from forge_jobs.models import Job, State
from forge_jobs.runtime.settlements import Settlements
from forge_jobs.testing import FrozenClock, drain, frozen_at
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> Iterator[FrozenClock]:
    with frozen_at(NOON) as frozen:
        yield frozen


def failing(error: BaseException, **options: Any) -> JobHandler:
    @job(kind="tests.failing", **options)
    def handler() -> None:
        raise error

    made: JobHandler = handler
    return made


def state_after(handler: JobHandler) -> State:
    handler.enqueue()
    (ran,) = drain()
    assert ran.state
    return ran.state


@pytest.mark.parametrize(
    ("error", "options", "state"),
    [
        (TimeoutError(), {"retry_on": TimeoutError}, State.RETRYING),
        (TimeoutError(), {"retry_on": (OSError, KeyError)}, State.RETRYING),
        (ValueError(), {"retry_on": TimeoutError}, State.DEAD),
        (SystemExit(), {"retry_on": Exception}, State.DEAD),
        (ValueError(), {"dead_on": (ValueError,)}, State.DEAD),
        (KeyError(), {"dead_on": (ValueError,)}, State.RETRYING),
        (TimeoutError(), {"retry_on": OSError, "dead_on": TimeoutError}, State.DEAD),
        (JobTimedOut(), {"retry_on": TimeoutError}, State.DEAD),
        (JobTimedOut(), {"retry_on": JobTimedOut}, State.RETRYING),
        (Failed("said so"), {"retry_on": TimeoutError}, State.RETRYING),
    ],
    ids=repr,
)
def test_an_error_is_tried_again_by_its_class(
    error: BaseException, options: dict[str, Any], state: State
) -> None:
    assert state_after(failing(error, **options)) == state


def test_a_failure_is_judged_by_what_it_was_raised_from() -> None:
    @job(kind="tests.raising", dead_on=KeyError)
    def handler() -> None:
        try:
            raise KeyError("gone")
        except KeyError as error:
            raise Failed("the picture is gone") from error

    handler.enqueue()
    assert drain()[0].state == State.DEAD


def test_a_job_is_tried_for_a_time_however_often_that_is(clock: FrozenClock) -> None:
    handler = failing(OSError(), retry_for=2 * DAY, retry=Fixed(delay=timedelta(hours=7)))
    handler.enqueue()

    ran = clock.advance(days=7)
    assert len(ran) == 8
    job = Job.objects.get()
    assert (job.state, job.max_attempts, job.finished_at) == (
        State.DEAD,
        None,
        NOON + timedelta(hours=49),
    )


def test_a_job_that_is_requeued_late_fails_at_least_twice(clock: FrozenClock) -> None:
    handler = failing(OSError(), retry_for=MINUTE, retry=Fixed(delay=2 * MINUTE))
    handler.enqueue()
    clock.advance(days=1)
    Job.objects.all().requeue()

    assert [one.state for one in clock.advance(days=1)] == [State.RETRYING, State.DEAD]


def test_a_policy_is_told_what_it_asks_for(clock: FrozenClock) -> None:
    told: list[Any] = []

    def policy(attempt: int, *, error: BaseException | None, job: Any) -> timedelta:
        told.append((attempt, error, job.kind))
        return 5 * MINUTE

    error = OSError("no")
    state_after(failing(error, retry=policy))
    assert told == [(1, error, "tests.failing")]
    assert Job.objects.get().run_at == NOON + 5 * MINUTE


def test_a_policy_may_ask_for_nothing_more_than_the_attempt() -> None:
    assert delay_by(Fixed(delay=MINUTE), 3, error=OSError()) == MINUTE
    assert delay_by(lambda attempt: attempt * MINUTE, 3) == 3 * MINUTE
    assert delay_by(lambda attempt, job=None: MINUTE, 3, job=object()) == MINUTE


def answered(asked: Any, *, wrapped: bool = False) -> BaseException:
    """As the clients of HTTP raise it."""
    error = OSError("429")
    if wrapped:
        error.response = SimpleNamespace(headers={"Retry-After": asked})  # type: ignore[attr-defined] # as clients do
    else:
        error.headers = {"Retry-After": asked}  # type: ignore[attr-defined] # as clients do
    return error


@pytest.mark.parametrize(
    ("asked", "delay"),
    [
        ("90", timedelta(seconds=90)),
        (" 2 ", timedelta(seconds=2)),
        ("0", MINUTE),
        (format_datetime(NOON + 10 * MINUTE, usegmt=True), 10 * MINUTE),
        (format_datetime(NOON, usegmt=True), MINUTE),
        (format_datetime(NOON - DAY, usegmt=True), MINUTE),
        ("999999999999999999999999", MINUTE),
        ("31536000", timedelta(hours=1)),
        ("soon", MINUTE),
        ("", MINUTE),
        (None, MINUTE),
    ],
    ids=str,
)
def test_the_other_side_may_say_when_to_come_back(
    manual_clock: ManualClock, asked: Any, delay: timedelta
) -> None:
    policy = RetryAfter(otherwise=Fixed(delay=MINUTE))

    assert policy(1, error=answered(asked)) == delay
    outer = ValueError()
    outer.__cause__ = answered(asked, wrapped=True)
    assert policy(1, error=outer) == delay
    assert policy(1) == MINUTE


def test_an_answer_whose_moment_is_over_does_not_spend_all_attempts_at_once(
    clock: FrozenClock,
) -> None:
    error = answered(format_datetime(NOON - MINUTE, usegmt=True))

    assert state_after(failing(error, retry=RetryAfter())) == State.RETRYING
    assert Job.objects.get().run_at > NOON


class Hostile(OSError):
    @property
    def response(self) -> Any:
        raise LookupError("no")


def test_an_answer_that_can_not_be_read_is_none(manual_clock: ManualClock) -> None:
    assert RetryAfter(otherwise=Fixed(delay=MINUTE))(1, error=Hostile()) == MINUTE
    assert state_after(failing(Hostile(), retry=RetryAfter())) == State.RETRYING


def test_failures_are_warnings_as_long_as_they_are_ordinary(
    clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    signals.job_failed.connect(log_failure)
    handler = failing(OSError(), warn_attempts=2, max_attempts=4, retry=Fixed(delay=MINUTE))
    handler.enqueue()
    with caplog.at_level(logging.WARNING, "forge_jobs"):
        clock.advance(hours=1)
    signals.job_failed.disconnect(log_failure)

    levels = [one.levelname for one in caplog.records if "tests.failing" in one.getMessage()]
    assert levels == ["WARNING", "WARNING", "ERROR", "ERROR"]


def test_attempts_without_a_limit_start_afresh_after_a_long_run(clock: FrozenClock) -> None:
    lasts = [MINUTE, MINUTE, timedelta(hours=3)]

    @job(kind="tests.loop", max_attempts=None, retry=lambda attempt: attempt * MINUTE)
    def loop() -> None:
        clock.move_to(clock() + lasts.pop(0))
        raise OSError

    loop.enqueue()
    attempts = []
    for _ in range(3):
        drain()
        row = Job.objects.get()
        attempts.append((row.attempt, row.run_at - clock()))
        clock.move_to(row.run_at)

    assert attempts == [(1, MINUTE), (2, 2 * MINUTE), (1, MINUTE)]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("retry_on", "TimeoutError"),
        ("retry_on", (TimeoutError, "KeyError")),
        ("dead_on", int),
        ("retry_for", 0),
        ("retry_for", "2 days"),
        ("warn_attempts", -1),
    ],
)
def test_what_can_not_be_is_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(InvalidHandler) as refusal:
        failing(OSError(), **{option: value})
    assert refusal.value.field == option


def test_an_exception_is_not_kept_until_the_commit() -> None:
    failing(OSError())
    steering: Any = SimpleNamespace(retry_of=lambda queue: None, allows_retries=lambda queue: True)
    claimed = ClaimedJob(1, "default", "tests.failing", "{}", "{}", 0, NOON, 1, 5, None)
    outcome = failed(OSError("no"))
    assert outcome.error is not None

    Settlements(steering, doors={}, process_name="tested").settled(claimed, outcome)
    assert outcome.error is None
