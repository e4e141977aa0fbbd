"""Settling: what becomes of a job after each way in which a run can end."""

import json
from datetime import timedelta
from typing import Any

import pytest

from forge_jobs import Cancelled, Dead, Done, Failed, Outcome, Snoozed, Throttled
from forge_jobs.backoff import Fixed, RetryPolicy
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers.outcomes import Released
from forge_jobs.handlers.settlement import lost, settle
from forge_jobs.models import Job, State
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)
AT = NOON.isoformat()


def claimed(*, attempt: int = 1, max_attempts: int | None = 5) -> ClaimedJob:
    return ClaimedJob(
        7, "default", "app.noop", "{}", "{}", 0, NOON, attempt, max_attempts, None, claimed_at=AT
    )


def settled(
    outcome: Outcome,
    *,
    attempt: int = 1,
    max_attempts: int | None = 5,
    policy: RetryPolicy | None = None,
) -> Transition:
    job = claimed(attempt=attempt, max_attempts=max_attempts)
    return settle(
        job, outcome, policy=policy or Fixed(delay=MINUTE), now=NOON, process_name="web-1"
    )


def error_of(transition: Transition) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(transition.error or "null")
    return error


def test_done_succeeds_with_its_result() -> None:
    assert settled(Done({"pages": (1, 2)}), attempt=3) == Transition(
        7, AT, State.SUCCEEDED, 3, finished_at=NOON, result='{"pages":[1,2]}'
    )


def test_done_without_a_result_stores_none() -> None:
    assert settled(Done()) == Transition(7, AT, State.SUCCEEDED, 1, finished_at=NOON)


@pytest.mark.parametrize("result", [0, False, "", [], {}], ids=repr)
def test_a_result_that_is_falsy_is_kept(result: Any) -> None:
    assert json.loads(settled(Done(result)).result or "null") == result


@pytest.mark.parametrize(
    ("result", "refusal"),
    [
        ({"at": [NOON]}, "the result.at[0] is not JSON"),
        (float("nan"), "the result is nan"),
        ({"word": "\0"}, "the result.word contains the character NUL"),
        ({1: 2}, "the result has the key 1"),
        (Job(), "pass its primary key"),
        (Done, "the result is not JSON"),
    ],
    ids=str,
)
def test_a_result_that_is_not_json_is_a_failure_that_says_where(result: Any, refusal: str) -> None:
    transition = settled(Done(result))

    assert (transition.state, transition.result) == (State.RETRYING, None)
    assert refusal in transition.last_error


def test_failed_retries_when_the_policy_says() -> None:
    transition = settled(Failed("no answer"), attempt=2, policy=lambda attempt: attempt * MINUTE)

    assert (transition.state, transition.attempt) == (State.RETRYING, 2)
    assert (transition.run_at, transition.finished_at) == (NOON + 2 * MINUTE, None)


def test_failed_is_dead_when_the_attempts_are_spent() -> None:
    transition = settled(Failed("no answer"), attempt=5)

    assert (transition.state, transition.attempt) == (State.DEAD, 5)
    assert (transition.run_at, transition.finished_at) == (None, NOON)


def test_a_job_of_more_attempts_than_it_still_may_have_is_dead() -> None:
    assert settled(Failed("no answer"), attempt=6).state is State.DEAD


def test_without_a_limit_failed_retries_for_ever() -> None:
    transition = settled(Failed("no answer"), attempt=1_000_000, max_attempts=None)

    assert transition.state is State.RETRYING


def test_dead_skips_the_attempts_that_are_left() -> None:
    transition = settled(Dead("no such page"), attempt=1, max_attempts=None)

    assert (transition.state, transition.finished_at) == (State.DEAD, NOON)
    assert transition.last_error == "no such page"


@pytest.mark.parametrize("kind", [Failed, Dead])
def test_an_error_says_when_at_which_attempt_and_where(kind: type[Failed | Dead]) -> None:
    outcome = kind("no answer", traceback="in jobs.py", exception="builtins.OSError")
    transition = settled(outcome, attempt=3)

    assert transition.last_error == "no answer"
    assert error_of(transition) == {
        "at": NOON.isoformat(),
        "attempt": 3,
        "message": "no answer",
        "exception": "builtins.OSError",
        "traceback": "in jobs.py",
        "started_at": NOON.isoformat(),
        "process": "web-1",
    }


@pytest.mark.parametrize("kind", [Failed, Dead])
@pytest.mark.parametrize("message", ["", " \n"])
def test_a_failure_without_a_word_says_that_it_has_none(
    kind: type[Failed | Dead], message: str
) -> None:
    transition = settled(kind(message), attempt=5)

    assert transition.last_error == "The handler did not say why."
    assert error_of(transition)["message"] == transition.last_error


def test_throttled_waits_and_spends_no_attempt() -> None:
    assert settled(Throttled(90), attempt=5) == Transition(
        7, AT, State.SCHEDULED, 4, run_at=NOON + timedelta(seconds=90)
    )


@pytest.mark.parametrize("outcome", [Snoozed(delay=60), Snoozed(until=NOON + MINUTE)], ids=vars)
def test_snoozed_waits_and_starts_afresh(outcome: Snoozed) -> None:
    assert settled(outcome, attempt=5) == Transition(
        7, AT, State.SCHEDULED, 0, run_at=NOON + MINUTE
    )


def test_cancelled_ends_with_its_reason() -> None:
    assert settled(Cancelled("not needed")) == Transition(
        7, AT, State.CANCELLED, 1, finished_at=NOON, last_error="not needed"
    )


def test_released_goes_back_with_its_attempt_and_its_place() -> None:
    assert settled(Released(), attempt=2) == Transition(7, AT, State.READY, 1)


def test_an_unknown_outcome_is_a_failure_that_says_so() -> None:
    class Postponed(Outcome):
        pass

    transition = settled(Postponed())

    assert transition.state is State.RETRYING
    assert "unknown outcome" in transition.last_error
    assert "Postponed" in transition.last_error


def test_a_subclass_of_an_outcome_is_that_outcome() -> None:
    class NotFound(Dead):
        pass

    assert settled(NotFound("no such page")).state is State.DEAD


@pytest.mark.parametrize(("attempt", "max_attempts"), [(1, 5), (4, 5), (9, None)])
def test_a_lost_job_is_ready_again_with_its_attempt_spent(
    attempt: int, max_attempts: int | None
) -> None:
    job = claimed(attempt=attempt, max_attempts=max_attempts)
    transition = lost(job, "was lost", has_begun=True, now=NOON)

    assert (transition.state, transition.attempt) == (State.READY, attempt)
    assert (transition.run_at, transition.finished_at) == (None, None)
    assert error_of(transition)["message"] == transition.last_error == "was lost"


def test_a_lost_job_is_dead_when_its_attempts_are_spent() -> None:
    transition = lost(claimed(attempt=5), "was lost", has_begun=True, now=NOON)

    assert (transition.state, transition.attempt) == (State.DEAD, 5)
    assert transition.finished_at == NOON
