"""What is stored of each way in which a run can end."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from forge_jobs import (
    Cancelled,
    Dead,
    Done,
    Failed,
    JobContext,
    JobHandler,
    Snoozed,
    Throttled,
    job,
    register,
)
from forge_jobs.handlers.outcomes import Outcome
from forge_jobs.models import Job, State
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)


def outcome_of(
    returned: object = None, *, raised: BaseException | None = None, **options: Any
) -> Job:
    """The job after one run of a handler that returns or raises this."""

    @job(kind="tests.subject", **options)
    def subject() -> object:
        if raised:
            raise raised
        return returned

    subject.enqueue()
    drain()
    stored: Job = Job.objects.get()
    return stored


def test_a_returned_value_is_the_result() -> None:
    stored = outcome_of({"pages": [1, 2]})

    assert (stored.state, stored.result) == (State.SUCCEEDED, {"pages": [1, 2]})
    assert stored.started_at
    assert stored.finished_at
    assert stored.process_id is None


def test_no_value_is_no_result() -> None:
    assert outcome_of(None).result is None


@pytest.mark.parametrize("end", ["returned", "raised"])
@pytest.mark.parametrize(
    ("outcome", "state", "attempt"),
    [
        (Done(1), State.SUCCEEDED, 1),
        (Failed("no"), State.RETRYING, 1),
        (Dead("never"), State.DEAD, 1),
        (Throttled(60), State.SCHEDULED, 0),
        (Snoozed(delay=60), State.SCHEDULED, 0),
        (Cancelled("enough"), State.CANCELLED, 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Outcome) else str(value),
)
def test_an_outcome_may_be_returned_or_raised(
    end: str, outcome: Outcome, state: State, attempt: int
) -> None:
    stored = outcome_of(outcome) if end == "returned" else outcome_of(raised=outcome)

    assert (stored.state, stored.attempt) == (state, attempt)


def test_an_exception_is_a_failure_with_its_traceback() -> None:
    stored = outcome_of(raised=LookupError("no such page"))

    assert (stored.state, stored.last_error) == (State.RETRYING, "LookupError: no such page")
    (error,) = stored.errors
    assert error["attempt"] == 1
    assert "in subject" in error["traceback"]


@pytest.mark.parametrize("raised", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_what_would_end_a_process_ends_only_the_job(raised: BaseException) -> None:
    assert outcome_of(raised=raised).state == State.RETRYING


def test_a_result_that_is_not_json_is_a_failure_that_says_where() -> None:
    stored = outcome_of({"when": [timezone.now()]})

    assert stored.state == State.RETRYING
    assert "the result.when[0] is not JSON" in stored.last_error


def test_an_outcome_of_an_unknown_type_is_a_failure_that_says_so() -> None:
    class Postponed(Outcome):
        pass

    stored = outcome_of(Postponed())

    assert stored.state == State.RETRYING
    assert "unknown outcome" in stored.last_error
    assert "Postponed" in stored.last_error


def test_a_message_with_nul_and_half_a_surrogate_pair_is_stored_all_the_same() -> None:
    assert outcome_of(raised=ValueError("a\0b\ud800")).last_error == "ValueError: a␀b?"


def test_the_last_attempt_makes_a_dead_letter() -> None:
    stored = outcome_of(Failed("no"), max_attempts=1)

    assert stored.state == State.DEAD
    assert stored.finished_at


def test_a_retry_policy_that_fails_does_not_lose_the_job() -> None:
    def broken(attempt: int) -> timedelta:
        raise ZeroDivisionError

    stored = outcome_of(Failed("no"), retry=broken)

    assert stored.state == State.RETRYING
    assert stored.last_error == "The retry policy failed: ZeroDivisionError"


@pytest.mark.parametrize("delay", ["soon", float("nan"), -1, None])
def test_a_retry_policy_that_gives_no_delay_is_told_what_to_give(delay: Any) -> None:
    stored = outcome_of(Failed("no"), retry=lambda attempt: delay)

    assert stored.state == State.RETRYING
    assert "the delay must be a timedelta or a number of seconds, 0 or more" in stored.last_error


def test_a_retry_is_due_when_the_policy_says() -> None:
    stored = outcome_of(Failed("no"), retry=lambda attempt: timedelta(days=attempt))

    assert timedelta(hours=23) < stored.run_at - timezone.now() < timedelta(hours=25)


def test_one_handler_class_serves_several_kinds() -> None:
    class Greeter(JobHandler):
        def __init__(self, language: str, greeting: str) -> None:
            self.kind = f"greet.{language}"
            self.greeting = greeting

        def run(self, ctx: JobContext, payload: dict[str, Any]) -> str:
            return f"{self.greeting}, {payload['name']}"

    register(Greeter("en", "Hello")).enqueue(name="Ann")
    register(Greeter("de", "Hallo")).enqueue(name="Ann")
    drain()

    assert [stored.result for stored in Job.objects.order_by("id")] == ["Hello, Ann", "Hallo, Ann"]


def test_the_context_tells_what_the_job_is() -> None:
    seen: dict[str, Any] = {}

    @job(kind="tests.subject", takes_context=True, max_attempts=7)
    def subject(ctx: JobContext) -> None:
        seen.update(
            id=ctx.job_id,
            kind=ctx.kind,
            queue=ctx.queue,
            attempt=ctx.attempt,
            max_attempts=ctx.max_attempts,
            process=ctx.process_name,
            context=ctx.context,
            cancelled=bool(ctx.cancelled),
            thread=threading.current_thread().name,
        )

    stored = subject.using(context={"trace": "abc"}).enqueue()
    drain()

    assert seen.pop("thread").startswith("forge_jobs-worker-")
    assert seen == {
        "id": stored.pk,
        "kind": "tests.subject",
        "queue": "default",
        "attempt": 1,
        "max_attempts": 7,
        "process": "tested",
        "context": {"trace": "abc"},
        "cancelled": False,
    }


def test_follow_up_work_runs_in_the_same_drain() -> None:
    @job(kind="tests.leaf")
    def leaf() -> None:
        pass

    @job(kind="tests.root", takes_context=True)
    def root(ctx: JobContext) -> None:
        ctx.enqueue("tests.leaf")

    root.enqueue()
    drain()

    assert Job.objects.filter(state=State.SUCCEEDED).count() == 2
