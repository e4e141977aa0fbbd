"""Requeueing: a person lets finished jobs run again."""

from datetime import timedelta

import pytest

from forge_jobs.models import Job, State
from forge_jobs.models.in_batches import BATCH
from forge_jobs.states import TERMINAL, WAITING
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, columns, finished_job, stored_job, transition

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=5)


@pytest.mark.parametrize("state", TERMINAL)
def test_a_requeued_job_is_ready_with_fresh_attempts_and_keeps_its_errors(state: State) -> None:
    error = {"at": NOON.isoformat(), "attempt": 3, "message": "no", "traceback": ""}
    job = finished_job(state, errors=[error], last_error="no", result=7, priority=4)

    assert Job.objects.requeue(now=LATER) == 1
    assert columns(Job.objects.get()) == columns(job) | {
        "state": State.READY,
        "run_at": LATER,
        "attempt": 0,
        "started_at": None,
        "finished_at": None,
        "result": None,
    }


def test_a_requeued_job_is_not_cancelled_by_what_was_asked_of_its_last_run() -> None:
    stored_job()
    Job.objects.cancel("for now", now=NOON)
    Job.objects.requeue(now=NOON)
    (claimed,) = claim(process := process_named("here"))
    failed = transition(claimed, State.RETRYING, run_at=LATER)
    Job.objects.finalize([failed], process=process)

    job = Job.objects.get()
    assert (job.state, job.cancel_requested_at, job.cancel_reason) == (State.RETRYING, None, "")


def test_a_requeued_job_is_not_killed_because_its_last_run_was() -> None:
    stored_job()
    Job.objects.kill("it hangs", by="ada", now=NOON)
    Job.objects.requeue(now=NOON)

    job = Job.objects.get()
    assert (job.is_to_be_killed, job.cancel_reason, job.cancelled_by) == (False, "", "")


@pytest.mark.parametrize("state", [State.READY, *WAITING])
def test_an_unfinished_job_can_not_be_requeued(state: State) -> None:
    job = stored_job(state=state)

    assert Job.objects.requeue(now=LATER) == 0
    assert columns(Job.objects.get()) == columns(job)


def test_a_running_job_can_not_be_requeued() -> None:
    stored_job()
    claim(process_named("here"))

    assert Job.objects.requeue(now=LATER) == 0
    assert Job.objects.get().state == State.RUNNING


def test_a_job_is_passed_over_while_an_unfinished_one_has_its_dedupe_key() -> None:
    dead = finished_job(dedupe_key="one")
    other = finished_job(dedupe_key="other")
    stored_job(dedupe_key="one")

    assert Job.objects.requeue(now=LATER) == 1
    assert set(Job.objects.finished()) == {dead}
    assert other in Job.objects.ready()


def test_of_dead_jobs_with_one_dedupe_key_the_newest_is_requeued() -> None:
    old, new = finished_job(dedupe_key="one"), finished_job(dedupe_key="one")

    assert Job.objects.requeue(now=LATER) == 1
    assert (Job.objects.finished().get(), Job.objects.ready().get()) == (old, new)


def test_of_jobs_with_one_dedupe_key_in_several_batches_one_is_requeued() -> None:
    finished_job(dedupe_key="one")
    for _ in range(BATCH):
        finished_job()
    finished_job(dedupe_key="one")

    assert Job.objects.requeue(now=LATER) == BATCH + 1
    assert Job.objects.finished().get().dedupe_key == "one"


def test_a_rival_that_is_enqueued_in_this_very_moment_costs_only_its_own_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beaten, free = finished_job(dedupe_key="one"), finished_job(dedupe_key="other")
    monkeypatch.setattr(type(Job.objects.all()), "unrivalled", lambda jobs: jobs)
    stored_job(dedupe_key="one")

    assert Job.objects.requeue(now=LATER) == 1
    assert Job.objects.finished().get() == beaten
    assert free in Job.objects.ready()


@pytest.mark.django_db(transaction=True)
def test_requeueing_wakes_the_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr("forge_jobs.wake.send", woken.append)
    finished_job(queue="default")
    finished_job(queue="other")
    finished_job(queue="images", dedupe_key="one")
    stored_job(queue="images", dedupe_key="one")
    Job.objects.requeue(now=LATER)

    assert sorted(woken) == ["default", "other"]
