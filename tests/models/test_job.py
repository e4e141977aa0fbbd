"""The job table's invariants: what no code, however wrong, can write."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from forge_jobs.models import Job, State
from forge_jobs.states import TERMINAL, UNFINISHED
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = pytest.mark.django_db


def refuses(**columns: Any) -> bool:
    """Whether the database refuses such a row."""
    try:
        with transaction.atomic():
            stored_job(**columns)
    except IntegrityError:
        return True
    return False


def test_the_database_refuses_a_state_that_nobody_knows() -> None:
    assert refuses(state="sleeping")
    assert refuses(state="")
    assert not any(refuses(state=state) for state in State if state != State.RUNNING)


def test_a_running_job_has_a_process() -> None:
    assert refuses(state=State.RUNNING)
    assert not refuses(state=State.RUNNING, process=process_named("here"))


@pytest.mark.parametrize("state", [state for state in State if state != State.RUNNING])
def test_only_a_running_job_has_a_process(state: State) -> None:
    assert refuses(state=state, process=process_named("here"))


def test_a_job_can_not_stop_running_and_keep_its_process() -> None:
    stored_job(state=State.RUNNING, process=process_named("here"))

    with pytest.raises(IntegrityError, match="running_iff_claimed"):
        Job.objects.update(state=State.SUCCEEDED)


def test_attempts_are_never_negative() -> None:
    assert refuses(attempt=-1)
    assert not refuses(attempt=0)


@pytest.mark.parametrize("state", State)
def test_only_a_job_that_is_ready_or_running_holds_a_slot(state: State) -> None:
    process = process_named("here") if state == State.RUNNING else None
    keyed: dict[str, Any] = {"state": state, "process": process, "concurrency_key": "a"}
    keyed |= {"concurrency_limit": 1}

    assert refuses(**keyed, concurrency_slot=1) == (state not in {State.READY, State.RUNNING})
    assert not refuses(**keyed, concurrency_slot=None)


def test_a_slot_is_of_a_key() -> None:
    assert refuses(concurrency_slot=1)


def test_a_blocked_job_waits_for_a_key_with_a_limit() -> None:
    assert refuses(state=State.BLOCKED, concurrency_key=None)
    assert refuses(state=State.BLOCKED, concurrency_limit=0)
    assert not refuses(state=State.BLOCKED, concurrency_key="a", concurrency_limit=1)


@pytest.mark.parametrize("column", ["concurrency_limit", "concurrency_slot"])
def test_limits_and_slots_are_never_negative(column: str) -> None:
    assert refuses(concurrency_key="a", **{column: -1})
    assert not refuses(concurrency_key="a", **{column: 1})


@pytest.mark.parametrize("state", UNFINISHED)
def test_no_two_unfinished_jobs_have_the_same_dedupe_key(state: State) -> None:
    process = process_named("here") if state == State.RUNNING else None
    stored_job(state=state, process=process, dedupe_key="a")

    assert refuses(dedupe_key="a")
    assert not refuses(dedupe_key="b")


@pytest.mark.parametrize("state", TERMINAL)
def test_finished_jobs_share_a_dedupe_key_with_an_unfinished_one(state: State) -> None:
    for _ in range(2):
        stored_job(state=state, dedupe_key="a")

    assert not refuses(dedupe_key="a")


@pytest.mark.parametrize("state", TERMINAL)
def test_no_two_jobs_have_the_same_idempotency_key(state: State) -> None:
    stored_job(state=state, idempotency_key="a")

    assert refuses(idempotency_key="a")
    assert not refuses(idempotency_key="b")


def test_row_sets_are_by_state() -> None:
    process = process_named("here")
    jobs = {
        state: stored_job(state=state, process=process if state == State.RUNNING else None)
        for state in State
    }

    assert set(Job.objects.ready()) == {jobs[State.READY]}
    assert set(Job.objects.waiting()) == {jobs[State.SCHEDULED], jobs[State.RETRYING]}
    assert set(Job.objects.unfinished()) == {jobs[state] for state in UNFINISHED}
    assert set(Job.objects.claimed_by(process)) == {jobs[State.RUNNING]}


def test_the_jobs_of_one_process_are_not_those_of_another() -> None:
    ours, theirs = process_named("ours"), process_named("theirs")
    job = stored_job(state=State.RUNNING, process=ours)

    assert list(Job.objects.claimed_by(ours)) == [job]
    assert list(Job.objects.claimed_by(theirs)) == []
    assert list(Job.objects.claimed_by(ours, theirs)) == [job]


def test_a_job_is_called_by_its_kind_and_its_number() -> None:
    assert str(Job(pk=7, kind="app.noop")) == "app.noop #7"
