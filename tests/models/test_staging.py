"""Staging: due jobs become claimable, the longest due first."""

from datetime import timedelta

import pytest

from forge_jobs.models import Job, State
from forge_jobs.states import WAITING
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import columns, stored_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize("state", WAITING)
@pytest.mark.parametrize("due_for", [timedelta(0), MICROSECOND, MINUTE], ids=str)
def test_a_due_job_becomes_ready(state: State, due_for: timedelta) -> None:
    stored_job(state=state, run_at=NOON - due_for)

    assert Job.objects.stage(now=NOON, limit=10) == ["default"]
    assert Job.objects.get().state == State.READY


@pytest.mark.parametrize("state", WAITING)
@pytest.mark.parametrize("due_in", [MICROSECOND, MINUTE], ids=str)
def test_a_job_that_is_not_due_waits(state: State, due_in: timedelta) -> None:
    stored_job(state=state, run_at=NOON + due_in)

    assert Job.objects.stage(now=NOON, limit=10) == []
    assert Job.objects.get().state == state


@pytest.mark.parametrize("state", [state for state in State if state not in WAITING])
def test_only_waiting_jobs_become_ready(state: State) -> None:
    process = process_named("here") if state == State.RUNNING else None
    stored_job(state=state, process=process, run_at=NOON - MINUTE)

    assert Job.objects.stage(now=NOON, limit=10) == []
    assert Job.objects.get().state == state


def test_staging_changes_nothing_but_the_state() -> None:
    job = stored_job(state=State.RETRYING, attempt=2, priority=3, last_error="no", errors=[{}])
    Job.objects.stage(now=NOON, limit=10)

    assert columns(Job.objects.get()) == columns(job) | {"state": State.READY}


def test_as_many_as_the_limit_says_are_staged_the_longest_due_first() -> None:
    jobs = [
        stored_job(state=State.SCHEDULED, run_at=NOON - minutes * MINUTE) for minutes in (1, 3, 2)
    ]

    assert len(Job.objects.stage(now=NOON, limit=2)) == 2
    assert Job.objects.waiting().get() == jobs[0]


def test_of_jobs_due_at_the_same_moment_the_oldest_are_staged_first() -> None:
    jobs = [stored_job(state=State.SCHEDULED) for _ in range(3)]
    Job.objects.stage(now=NOON, limit=2)

    assert Job.objects.waiting().get() == jobs[2]


def test_staging_tells_the_queue_of_each_job() -> None:
    for queue in ("default", "other", "default"):
        stored_job(state=State.SCHEDULED, queue=queue)

    assert sorted(Job.objects.stage(now=NOON, limit=10)) == ["default", "default", "other"]


def test_the_next_due_is_the_first_of_those_that_wait() -> None:
    stored_job(state=State.READY, run_at=NOON - MINUTE)
    stored_job(state=State.SCHEDULED, run_at=NOON + 2 * MINUTE)
    stored_job(state=State.RETRYING, run_at=NOON + MINUTE)

    assert Job.objects.next_due() == NOON + MINUTE


def test_where_nothing_waits_nothing_is_due() -> None:
    stored_job(state=State.READY)

    assert Job.objects.next_due() is None
