"""Finalizing: an outcome is written once, and only by the claim that it belongs to."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from forge_jobs.db.rows import ClaimedJob, Promoted
from forge_jobs.models import Job, Process, State, job_manager
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, columns, stored_job, transition

pytestmark = pytest.mark.django_db

KEPT = 32


@pytest.fixture
def process() -> Process:
    return process_named("here")


@pytest.fixture
def claimed(process: Process) -> ClaimedJob:
    """A job that has just been claimed."""
    stored_job()
    return claim(process)[0]


def error(attempt: int, **fields: Any) -> str:
    return json.dumps({"attempt": attempt, "message": "no", **fields})


def test_a_claim_that_holds_writes_its_outcome(process: Process, claimed: ClaimedJob) -> None:
    outcome = transition(claimed, finished_at=NOON, result='{"pages":[1,"ü"]}')

    assert set(Job.objects.finalize([outcome], process=process)) == {claimed.id}
    job = Job.objects.get()
    assert (job.state, job.process, job.finished_at) == (State.SUCCEEDED, None, NOON)
    assert (job.result, job.errors, job.last_error) == ({"pages": [1, "ü"]}, [], "")


@pytest.mark.parametrize("result", ["0", "false", '""', "[]", "{}", '"text"', "1.5"])
def test_any_json_value_is_a_result(process: Process, claimed: ClaimedJob, result: str) -> None:
    Job.objects.finalize([transition(claimed, result=result)], process=process)

    assert Job.objects.get().result == json.loads(result)


def test_a_key_that_somebody_else_has_just_taken_is_left_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def taken(keys: object) -> list[Promoted]:
        raise IntegrityError("somebody else has the slot")

    monkeypatch.setattr(job_manager, "pass_keys_on", taken)
    stored_job(state=State.BLOCKED, concurrency_key="k")

    assert Job.objects.pass_on({"k"}) == []


def test_no_result_is_null(process: Process, claimed: ClaimedJob) -> None:
    Job.objects.finalize([transition(claimed)], process=process)

    assert Job.objects.filter(result__isnull=True).exists()


def test_a_transition_may_move_a_job_to_a_later_moment(
    process: Process, claimed: ClaimedJob
) -> None:
    later = NOON + timedelta(minutes=1, microseconds=1)
    snooze = transition(claimed, State.SCHEDULED, run_at=later, attempt=0)
    Job.objects.finalize([snooze], process=process)

    job = Job.objects.get()
    assert (job.state, job.run_at, job.attempt) == (State.SCHEDULED, later, 0)


def test_a_transition_without_a_moment_keeps_the_job_s(
    process: Process, claimed: ClaimedJob
) -> None:
    Job.objects.finalize([transition(claimed, State.READY)], process=process)

    assert Job.objects.get().run_at == NOON


def test_an_outcome_is_written_once(process: Process, claimed: ClaimedJob) -> None:
    first = Job.objects.finalize([transition(claimed)], process=process)
    second = Job.objects.finalize([transition(claimed, State.DEAD)], process=process)

    assert (set(first), set(second)) == ({claimed.id}, set())
    assert Job.objects.get().state == State.SUCCEEDED


def test_another_process_can_not_finalize(process: Process, claimed: ClaimedJob) -> None:
    before = columns(Job.objects.get())

    assert not Job.objects.finalize([transition(claimed)], process=process_named("there"))
    assert columns(Job.objects.get()) == before


def test_a_process_whose_job_was_claimed_by_another_can_not_finalize(
    process: Process, claimed: ClaimedJob
) -> None:
    Job.objects.claimed_by(process).release(now=NOON)
    claim(there := process_named("there"))

    assert not Job.objects.finalize([transition(claimed)], process=process)
    assert Job.objects.get().process == there


def test_an_earlier_claim_can_not_finalize_a_later_one_of_the_same_attempt(
    process: Process, claimed: ClaimedJob
) -> None:
    Job.objects.finalize([transition(claimed, State.READY, attempt=0)], process=process)
    (again,) = claim(process, now=NOON + timedelta(microseconds=1))

    assert again.attempt == claimed.attempt
    assert not Job.objects.finalize([transition(claimed)], process=process)


def test_an_earlier_attempt_can_not_finalize_a_later_one(
    process: Process, claimed: ClaimedJob
) -> None:
    Job.objects.finalize([transition(claimed, State.READY)], process=process)
    (again,) = claim(process, now=NOON + timedelta(microseconds=1))

    assert not Job.objects.finalize([transition(claimed)], process=process)
    assert set(Job.objects.finalize([transition(again)], process=process)) == {claimed.id}


def test_of_a_group_those_whose_claim_holds_are_written(process: Process) -> None:
    held, taken = stored_job(), stored_job()
    outcomes = [transition(job) for job in claim(process)]
    Job.objects.filter(pk=taken.pk).update(process=process_named("there"))

    assert set(Job.objects.finalize(outcomes, process=process)) == {held.pk}
    assert Job.objects.get(pk=taken.pk).state == State.RUNNING


def test_each_of_a_group_gets_its_own_outcome(process: Process) -> None:
    for _ in range(4):
        stored_job()
    states = [State.SUCCEEDED, State.DEAD, State.RETRYING, State.CANCELLED]
    outcomes = [
        transition(job, state, result=f'"{state}"')
        for job, state in zip(claim(process), states, strict=True)
    ]

    assert len(Job.objects.finalize(outcomes, process=process)) == 4
    stored = Job.objects.order_by("id").values_list("state", "result")
    assert list(stored) == [(state, state.value) for state in states]


@pytest.mark.parametrize(
    "before",
    [
        {},
        {"cancel_requested_at": NOON},
        {"last_error": "of an earlier attempt", "errors": [{"attempt": 0}], "progress": [1, 2]},
        {"finished_at": NOON + timedelta(days=1), "result": "completed"},
        {"concurrency_key": "k", "concurrency_slot": 1},
    ],
)
def test_a_success_is_written_the_same_whether_or_not_others_failed(
    process: Process, before: dict[str, Any]
) -> None:
    fates = []
    for others in ([], [State.DEAD]):
        Job.objects.all().delete()
        for _ in range(1 + len(others)):
            stored_job()
        claimed = sorted(claim(process))
        Job.objects.filter(pk=claimed[0].id).update(**before)
        success = transition(claimed[0], finished_at=NOON, result='"as said"')
        failures = [transition(job, state) for job, state in zip(claimed[1:], others, strict=True)]
        states = Job.objects.finalize([success, *failures], process=process)
        row = Job.objects.filter(pk=claimed[0].id).values().get()
        del row["id"], row["enqueued_at"], row["run_at"], row["started_at"]
        fates.append((states[claimed[0].id], row))

    assert fates[0] == fates[1]
    assert fates[0][0] == State.SUCCEEDED


def test_an_error_is_appended_to_those_before(process: Process, claimed: ClaimedJob) -> None:
    Job.objects.update(errors=[json.loads(error(0))])
    fields = {"at": NOON.isoformat(), "traceback": 'a "quoted"\nline — ü 🦆'}
    outcome = transition(claimed, State.RETRYING, error=error(1, **fields), last_error="no")
    Job.objects.finalize([outcome], process=process)

    job = Job.objects.get()
    assert job.errors == [json.loads(error(0)), json.loads(error(1, **fields))]
    assert job.last_error == "no"


def test_an_outcome_without_an_error_keeps_those_before(
    process: Process, claimed: ClaimedJob
) -> None:
    Job.objects.update(errors=[json.loads(error(0))])
    Job.objects.finalize([transition(claimed)], process=process)

    assert len(Job.objects.get().errors) == 1


@pytest.mark.parametrize("before", [0, KEPT - 1, KEPT])
def test_the_newest_32_errors_are_kept(process: Process, claimed: ClaimedJob, before: int) -> None:
    Job.objects.update(errors=[json.loads(error(number)) for number in range(before)])
    outcome = transition(claimed, State.RETRYING, error=error(before))
    Job.objects.finalize([outcome], process=process)

    kept = [kept["attempt"] for kept in Job.objects.get().errors]
    assert kept == list(range(before + 1))[-KEPT:]


def test_forty_failures_leave_the_newest_32_errors(process: Process) -> None:
    stored_job(max_attempts=None)
    for attempt in range(1, 41):
        (job,) = claim(process)
        outcome = transition(job, State.READY, error=error(attempt))
        Job.objects.finalize([outcome], process=process)

    assert [kept["attempt"] for kept in Job.objects.get().errors] == list(range(9, 41))
