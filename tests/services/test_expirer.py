"""What has not begun by the time it expires is cancelled, and nothing else is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from forge_jobs.clock import ManualClock
from forge_jobs.models import Event, Job, JobEvent, Process, State
from forge_jobs.services import expirer
from forge_jobs.services.expirer import Expirer
from forge_jobs.services.promoter import Promoter
from forge_jobs.states import TERMINAL
from forge_jobs.testing.inline import inline
from tests.app.jobs import noop
from tests.app.models import Effect
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, finished_job, stored_job

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
REASON = "Expired at 2026-03-02 12:00:00 UTC"


@pytest.mark.parametrize(
    "state", [State.SCHEDULED, State.READY, State.BLOCKED, State.HELD, State.RETRYING], ids=str
)
def test_what_waits_is_cancelled_with_the_reason(state: State) -> None:
    late = stored_job(state=state, expires_at=NOON)
    others = [stored_job(expires_at=NOON + SECOND), stored_job()]

    assert Expirer().run_once(now=NOON) == 1

    late.refresh_from_db()
    assert (late.state, late.finished_at, late.cancel_reason) == (State.CANCELLED, NOON, REASON)
    assert [*Job.objects.unfinished().order_by("pk")] == others
    event = JobEvent.objects.get(job_id=late.pk)
    assert (event.event, event.at, event.detail, event.by) == (Event.CANCELLED, NOON, REASON, "")


@pytest.mark.parametrize("state", TERMINAL, ids=str)
def test_what_has_ended_stays_as_it_is(state: State) -> None:
    finished_job(state, expires_at=NOON - SECOND)

    assert Expirer().run_once(now=NOON) == 0
    assert Job.objects.get().cancel_reason == ""


def test_what_is_claimed_is_left_to_its_worker() -> None:
    stored_job(expires_at=NOON)
    claim(process_named("here"))

    assert Expirer().run_once(now=NOON) == 0
    assert Job.objects.get().state == State.RUNNING


def test_it_goes_in_slices_and_comes_back_at_once_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expirer, "BATCH", 2)
    monkeypatch.setattr(expirer, "LARGEST_PASS", 4)
    for second in range(5):
        stored_job(expires_at=NOON - second * SECOND)
    subject = Expirer()

    assert subject.run_once(now=NOON) == 4
    assert Job.objects.ready().get().expires_at == NOON
    assert subject.rest(now=NOON) == timedelta(0)
    assert subject.run_once(now=NOON) == 1
    assert subject.rest(now=NOON) == subject.interval


def test_a_key_that_it_sets_free_is_passed_on(manual_clock: ManualClock) -> None:
    keyed: dict[str, Any] = {"concurrency_key": "one", "concurrency_limit": 1}
    late = stored_job(concurrency_slot=1, expires_at=NOON, **keyed)
    waiting = stored_job(state=State.BLOCKED, **keyed)

    Expirer().run_once(now=NOON)
    Promoter().run_once(now=NOON)  # as the commit does

    assert Job.objects.ready().get() == waiting
    late.refresh_from_db()
    assert late.concurrency_slot is None


def test_a_job_that_expires_while_it_is_held_by_a_process_does_not_begin(
    manual_clock: ManualClock,
) -> None:
    stored = noop.using(expires_in=5).enqueue()
    with inline() as jobs:
        claimed = jobs._claim()
        assert claimed
        manual_clock.advance(5 * SECOND)
        ran = jobs._run(claimed)

    assert ran.state == State.CANCELLED
    stored.refresh_from_db()
    assert (stored.state, stored.attempt, stored.started_at) == (State.CANCELLED, 0, None)
    assert stored.cancel_reason == "Expired at 2026-03-02 12:00:05 UTC"
    assert stored.process_id is None
    assert [event.event for event in JobEvent.objects.all()] == [Event.CANCELLED]


def test_a_job_that_has_begun_in_time_does_not_expire_any_more(manual_clock: ManualClock) -> None:
    from forge_jobs import Snoozed, job

    begun: list[int] = []

    @job(kind="tests.patient", expires_in=5)
    def patient() -> Snoozed | None:
        begun.append(1)
        return Snoozed(delay=60) if len(begun) == 1 else None

    stored = patient.enqueue()
    with inline() as jobs:
        [*jobs.run_all()]
        manual_clock.advance(60 * SECOND)
        [*jobs.run_all()]

    stored.refresh_from_db()
    assert (stored.state, stored.expires_at, len(begun)) == (State.SUCCEEDED, None, 2)


def test_a_lost_process_s_job_that_had_not_begun_still_expires(process: Process) -> None:
    from forge_jobs.services.reaper import reclaim

    stored_job(expires_at=NOON)
    claim(process)
    reclaim(process, now=NOON)
    assert (Job.objects.get().state, Job.objects.get().attempt) == (State.READY, 0)

    assert Expirer().run_once(now=NOON) == 1


def test_a_lost_process_s_job_that_had_begun_has_spent_its_attempt(process: Process) -> None:
    from forge_jobs.services.reaper import reclaim

    stored_job(expires_at=NOON)
    (claimed,) = claim(process, now=NOON - SECOND)
    assert Job.objects.begin(claimed, process=process, now=NOON - SECOND)
    reclaim(process, now=NOON)

    assert (Job.objects.get().state, Job.objects.get().attempt) == (State.READY, 1)
    assert Expirer().run_once(now=NOON) == 0


@pytest.fixture
def process() -> Process:
    return process_named("here")


def test_a_claim_that_was_lost_lets_nobody_expire_the_job(process: Process) -> None:
    stored_job(expires_at=NOON)
    (claimed,) = claim(process, now=NOON - SECOND)
    other = claimed._replace(claimed_at=(NOON - 2 * SECOND).isoformat())

    assert not Job.objects.expire_claimed(other, process=process, now=NOON)
    assert not Job.objects.begin(claimed, process=process, now=NOON)
    assert Job.objects.expire_claimed(claimed, process=process, now=NOON)


def test_that_a_job_begins_may_be_put_on_record_twice(process: Process) -> None:
    stored_job(expires_at=NOON)
    (claimed,) = claim(process, now=NOON - SECOND)

    assert Job.objects.begin(claimed, process=process, now=NOON - SECOND)
    assert Job.objects.begin(claimed, process=process, now=NOON + SECOND)


def test_a_requeued_job_expires_no_more() -> None:
    stored_job(expires_at=NOON)
    Expirer().run_once(now=NOON)

    assert Job.objects.requeue(now=NOON + SECOND) == 1
    assert Expirer().run_once(now=NOON + SECOND) == 0
    assert Job.objects.get().expires_at is None


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_has_locked_keeps_nobody_waiting() -> None:
    from threading import Event as Moment
    from threading import Thread

    from django.db import connections

    from tests.running import PATIENCE

    locked, done = Moment(), Moment()
    one, other = stored_job(expires_at=NOON), stored_job(expires_at=NOON)

    def hold() -> None:
        try:
            with transaction.atomic():
                Job.objects.select_for_update().get(pk=one.pk)
                locked.set()
                done.wait(PATIENCE)
        finally:
            connections.close_all()

    holder = Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(PATIENCE)
        assert Expirer().run_once(now=NOON) == 1
    finally:
        done.set()
        holder.join(PATIENCE)
    other.refresh_from_db()
    assert other.state == State.CANCELLED
    assert not Effect.objects.exists()
