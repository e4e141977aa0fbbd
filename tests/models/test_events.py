"""What people do to jobs is written down with it: what, when, by whom, and why."""

from datetime import timedelta
from typing import Any

import pytest

from forge_jobs.models import Event, Job, JobEvent, Process, State
from forge_jobs.models.in_batches import BATCH
from forge_jobs.services.reaper import reclaim
from tests.conftest import NOON
from tests.factories import process_named
from tests.measured import counted
from tests.rows import claim, finished_job, rolled_back, stored_job

pytestmark = pytest.mark.django_db

BEFORE = {"cancel": State.READY, "requeue": State.DEAD, "run_now": State.RETRYING}
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def process() -> Process:
    return process_named("here")


def events() -> list[tuple[int, str, str, str]]:
    rows = JobEvent.objects.order_by("job_id", "id")
    return list(rows.values_list("job_id", "event", "by", "detail"))


def test_a_job_that_is_cancelled_while_it_waits() -> None:
    job = stored_job()
    Job.objects.cancel("not needed", by="ann", now=LATER)

    assert events() == [(job.pk, Event.CANCELLED, "ann", "not needed")]
    assert JobEvent.objects.get().at == LATER


def test_a_job_that_is_asked_to_stop_and_then_killed(process: Process) -> None:
    job = stored_job()
    claim(process)
    Job.objects.cancel("not needed", by="ann", now=LATER)
    Job.objects.kill("I said so", by="bob", now=LATER + timedelta(minutes=1))

    assert events() == [
        (job.pk, Event.CANCEL_REQUESTED, "ann", "not needed"),
        (job.pk, Event.KILL_REQUESTED, "bob", "I said so"),
    ]


def test_a_job_that_is_requeued() -> None:
    job = finished_job()
    assert job.requeue(by="ann")

    assert events() == [(job.pk, Event.REQUEUED, "ann", "")]


def test_a_job_that_is_made_to_run_now() -> None:
    job = stored_job(state=State.SCHEDULED, run_at=LATER)
    assert job.run_now(by="ann")

    assert events() == [(job.pk, Event.RUN_NOW, "ann", "")]


def test_nothing_is_written_of_a_wish_that_came_to_nothing() -> None:
    job = finished_job(State.SUCCEEDED)

    assert [act(by="ann") for act in (job.cancel, job.kill, job.run_now)] == [False] * 3
    assert events() == []


def test_a_deed_that_is_rolled_back_leaves_no_event() -> None:
    job = finished_job()
    with rolled_back():
        job.requeue(by="ann")

    assert events() == []


@pytest.mark.parametrize("verb", BEFORE)
def test_each_of_very_many_has_an_event(verb: str) -> None:
    columns: dict[str, Any] = {"state": BEFORE[verb]}
    usual: dict[str, Any] = {"queue": "default", "kind": "app.noop", "payload": {}, "run_at": NOON}
    Job.objects.bulk_create(Job(**usual | columns) for _ in range(BATCH + 1))

    assert getattr(Job.objects, verb)(by="ann", now=LATER) == BATCH + 1
    assert len({job_id for job_id, *_ in events()}) == BATCH + 1


def test_a_job_of_a_lost_process_says_so(process: Process) -> None:
    job = stored_job()
    claim(process)
    reclaim(process, now=LATER)

    message = "Process here (pid 1 on tests) was lost."
    assert events() == [(job.pk, Event.LOST, "", message)]
    assert JobEvent.objects.get().process_name == "here"
    assert counted() == {"released": 1}


def test_jobs_that_die_with_their_process_are_counted_as_dead(process: Process) -> None:
    stored_job(max_attempts=1)
    (claimed,) = claim(process)
    Job.objects.begin(claimed, process=process, now=NOON)
    reclaim(process, now=LATER)

    assert [event for _, event, *_ in events()] == [Event.DEAD]
    assert counted() == {"dead": 1}


def test_a_job_that_was_to_stop_when_its_process_was_lost_is_cancelled(process: Process) -> None:
    job = stored_job()
    claim(process)
    job.cancel("not needed")
    reclaim(process, now=LATER)

    assert [event for _, event, *_ in events()] == [Event.CANCEL_REQUESTED, Event.CANCELLED]
    assert counted() == {"cancelled": 1}
