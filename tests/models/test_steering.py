"""What people do to jobs: cancel and purge, and many at once; see `test_requeueing`."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forge_jobs import db
from forge_jobs.clock import ManualClock
from forge_jobs.models import Job, JobEvent, Process, State
from forge_jobs.models.in_batches import BATCH, LOOKED_UP
from forge_jobs.states import TERMINAL, UNFINISHED
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, columns, finished_job, stored_job, transition

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=5)
STANDING = [state for state in UNFINISHED if state != State.RUNNING]


@pytest.fixture
def process() -> Process:
    return process_named("here")


def many(count: int, **options: Any) -> None:
    usual = {"queue": "default", "kind": "app.noop", "payload": {}, "run_at": NOON}
    Job.objects.bulk_create(Job(**usual | options) for _ in range(count))


@pytest.mark.parametrize("state", STANDING)
def test_a_job_that_does_not_run_is_cancelled_at_once(state: State) -> None:
    job = stored_job(state=state, attempt=2)

    assert Job.objects.cancel("not needed", now=LATER) == 1
    assert columns(Job.objects.get()) == columns(job) | {
        "state": State.CANCELLED,
        "finished_at": LATER,
        "cancel_requested_at": LATER,
        "cancel_reason": "not needed",
    }


def test_a_running_job_is_asked_to_stop(process: Process) -> None:
    stored_job()
    claim(process)
    job = Job.objects.get()

    assert Job.objects.cancel("not needed", now=LATER) == 1
    assert columns(Job.objects.get()) == columns(job) | {
        "cancel_requested_at": LATER,
        "cancel_reason": "not needed",
    }


def test_who_asked_and_why_is_kept_as_far_as_it_can_be_stored() -> None:
    stored_job()

    assert Job.objects.cancel("not\0needed", by="somebody " * 30, now=LATER) == 1
    assert Job.objects.get().cancelled_by == ("somebody " * 30)[:200]
    assert Job.objects.get().cancel_reason == "not\N{SYMBOL FOR NULL}needed"


@pytest.mark.parametrize("state", TERMINAL)
def test_a_finished_job_can_not_be_cancelled(state: State) -> None:
    job = finished_job(state)

    assert Job.objects.cancel("too late", now=LATER) == 0
    assert columns(Job.objects.get()) == columns(job)


def test_who_asked_first_is_remembered(process: Process) -> None:
    stored_job()
    claim(process)
    Job.objects.cancel("first", now=NOON)

    assert Job.objects.cancel("second", now=LATER) == 0
    assert Job.objects.get().cancel_reason == "first"


def test_a_run_that_ends_well_though_it_was_asked_to_stop_is_a_success(process: Process) -> None:
    stored_job()
    (claimed,) = claim(process)
    Job.objects.cancel("too late", now=NOON)
    Job.objects.finalize([transition(claimed, finished_at=LATER)], process=process)

    assert Job.objects.get().state == State.SUCCEEDED


def test_a_run_that_fails_after_it_was_asked_to_stop_is_not_tried_again(process: Process) -> None:
    stored_job()
    (claimed,) = claim(process)
    Job.objects.cancel("enough", now=NOON)
    failed = transition(claimed, State.RETRYING, run_at=LATER)
    assert Job.objects.finalize([failed], process=process) == {claimed.id: State.CANCELLED}

    job = Job.objects.get()
    assert job.state == State.CANCELLED
    assert job.finished_at is not None


def test_cancelling_frees_the_dedupe_key() -> None:
    stored_job(dedupe_key="one")
    Job.objects.cancel("again, please", now=LATER)

    assert stored_job(dedupe_key="one").state == State.READY


@pytest.mark.parametrize("state", TERMINAL)
def test_finished_jobs_are_purged(state: State) -> None:
    finished_job(state)

    assert Job.objects.purge() == 1
    assert not Job.objects.exists()


def test_unfinished_jobs_are_not_purged(process: Process) -> None:
    stored_job()
    claim(process)
    for state in STANDING:
        stored_job(state=state)

    assert Job.objects.purge() == 0
    assert set(Job.objects.values_list("state", flat=True)) == set(UNFINISHED)


def test_a_job_that_was_requeued_in_the_meantime_is_not_purged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finished_job(State.SUCCEEDED)
    unless_locked = db.unless_locked

    def meddle(statement: Any) -> Any:
        Job.objects.update(state=State.READY, finished_at=None)
        return unless_locked(statement)

    monkeypatch.setattr(db, "unless_locked", meddle)

    assert Job.objects.purge() == 0
    assert Job.objects.get().state == State.READY


def test_purging_frees_the_idempotency_key() -> None:
    finished_job(idempotency_key="once")
    Job.objects.purge()

    assert stored_job(idempotency_key="once").pk


@pytest.mark.parametrize(
    ("state", "verb"),
    [
        (State.READY, "cancel"),
        (State.READY, "kill"),
        (State.SCHEDULED, "run_now"),
        (State.DEAD, "requeue"),
    ],
)
def test_a_verb_happens_at_the_database_s_present_moment(
    state: State, verb: str, manual_clock: ManualClock
) -> None:
    later = manual_clock.advance(timedelta(minutes=5))
    stored_job(state=state, run_at=NOON)

    assert getattr(Job.objects.filter(kind="app.noop"), verb)() == 1
    happened = Job.objects.get()
    assert later in (happened.run_at, happened.finished_at)


def test_a_verb_touches_its_own_row_set_only() -> None:
    ours, others = stored_job(queue="other"), stored_job()

    assert Job.objects.filter(queue="other").cancel("ours", now=LATER) == 1
    assert set(Job.objects.ready()) == {others}
    assert Job.objects.filter(queue="other").requeue(now=LATER) == 1
    assert set(Job.objects.ready()) == {ours, others}


@pytest.mark.parametrize(
    ("state", "verb", "left"),
    [
        (State.READY, lambda jobs: jobs.cancel("all", now=LATER), State.CANCELLED),
        (State.DEAD, lambda jobs: jobs.requeue(now=LATER), State.READY),
        (State.DEAD, lambda jobs: jobs.purge(), None),
    ],
    ids=["cancel", "requeue", "purge"],
)
def test_many_jobs_are_changed_in_batches(state: State, verb: Any, left: State | None) -> None:
    count = 2 * BATCH + 1
    many(count, state=state, finished_at=NOON if state in TERMINAL else None)
    with CaptureQueriesContext(connection) as queries:
        assert verb(Job.objects.order_by("-priority")) == count

    verbs = ('UPDATE "forge_jobs_job"', 'DELETE FROM "forge_jobs_job"')
    writes = [query for query in queries if query["sql"].startswith(verbs)]
    assert len(writes) == 3
    assert Job.objects.filter(state=left).count() == (count if left else 0)


@pytest.mark.parametrize("verb", ["cancel", "kill"])
@pytest.mark.parametrize("holder", [State.READY, State.RUNNING])
@pytest.mark.django_db(transaction=True)
def test_none_of_many_jobs_of_a_key_begins_when_all_are_stopped(
    holder: State, verb: str, process: Process
) -> None:
    held = stored_job(
        state=holder,
        concurrency_key="k",
        concurrency_slot=0,
        process=process if holder == State.RUNNING else None,
    )
    many(BATCH + 1, state=State.BLOCKED, concurrency_key="k")
    stop = getattr(Job.objects.filter(concurrency_key="k"), verb)

    assert stop(now=LATER) == BATCH + 2
    assert Job.objects.cancellable().count() == 0
    assert not Job.objects.ready().exists()
    newest = JobEvent.objects.latest("pk").job_id
    assert holder == State.READY or newest == held.pk


def test_more_jobs_than_are_looked_up_at_once_are_all_found() -> None:
    many(LOOKED_UP + 1, state=State.SUCCEEDED, finished_at=NOON)

    assert Job.objects.purge() == LOOKED_UP + 1
    assert not Job.objects.exists()
