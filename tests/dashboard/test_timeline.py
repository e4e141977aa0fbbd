"""The life of a job: its events, and what its row tells beside them, in order."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from forge_jobs.dashboard.errors import read_errors
from forge_jobs.dashboard.timeline import Moment, timeline
from forge_jobs.models import Event, Job, JobEvent, State
from tests.conftest import NOON
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
ERROR = {"at": NOON.isoformat(), "attempt": 1, "message": "no\nluck", "traceback": ""}


def told(job: Job, *, now: datetime) -> list[Moment]:
    return timeline(job, read_errors(job.errors, otherwise=NOON), now=now)


def titles(job: Job) -> list[str]:
    return [str(moment.title) for moment in told(job, now=NOON + 9 * SECOND)]


def event(job: Job, event: Event, **columns: Any) -> None:
    JobEvent.objects.create(job_id=job.pk, event=event, **{"at": NOON, **columns})


def test_it_begins_with_the_enqueueing_and_goes_by_time() -> None:
    job = stored_job(enqueued_at=NOON)
    other = stored_job()
    JobEvent.objects.note([job.pk, other.pk], Event.CANCELLED, at=NOON + 2 * SECOND, by="ann")
    JobEvent.objects.note([job.pk], Event.RUN_NOW, at=NOON + SECOND)

    assert titles(job) == ["Enqueued", "Made due", "Cancelled"]
    assert told(job, now=NOON)[-1].detail == "by ann"


def test_a_row_tells_its_life_where_no_event_does() -> None:
    job = finished_job(
        State.DEAD, enqueued_at=NOON - SECOND, run_at=NOON - SECOND, attempt=2, errors=[ERROR]
    )

    assert titles(job) == ["Enqueued", "Attempt 1 failed", "Attempt 2 began", "Dead"]


def test_until_when_a_job_may_begin_is_told_while_it_has_not() -> None:
    job = stored_job(enqueued_at=NOON, expires_at=NOON + SECOND)
    assert titles(job) == ["Enqueued", "Expires"]
    assert told(job, now=NOON)[-1].is_to_come

    Job.objects.all().expire(now=NOON + SECOND, limit=1)
    job.refresh_from_db()

    assert titles(job) == ["Enqueued", "Cancelled"]
    assert told(job, now=NOON)[-1].detail == "Expired at 2026-03-02 12:00:01 UTC"


def test_nothing_is_told_twice() -> None:
    job = finished_job(
        State.DEAD, enqueued_at=NOON - SECOND, run_at=NOON - SECOND, attempt=1, errors=[ERROR]
    )
    event(job, Event.STARTED, attempt=1)
    event(job, Event.DEAD, attempt=1, at=NOON + SECOND, seconds=1.0, process_name="web.1")

    assert titles(job) == ["Enqueued", "Attempt 1 began", "Dead"]
    assert told(job, now=NOON)[-1].detail == "after 1 s in web.1"


def test_what_is_to_come_is_last_and_told_as_such() -> None:
    job = stored_job(state=State.SCHEDULED, enqueued_at=NOON, run_at=NOON + 60 * SECOND)

    assert titles(job) == ["Enqueued", "Due"]
    assert told(job, now=NOON)[-1].is_to_come


def test_that_a_waiting_job_was_cancelled_is_told_once() -> None:
    job = stored_job(enqueued_at=NOON)
    job.cancel("no use", by="ann")

    assert titles(job) == ["Enqueued", "Cancelled"]
    JobEvent.objects.all().delete()  # as after its retention
    assert titles(job) == ["Enqueued", "Cancelled"]
    assert told(job, now=NOON)[-1].detail == "by ann: no use"


def test_of_a_run_that_was_cancelled_the_wish_and_the_end_are_told() -> None:
    job = finished_job(
        State.CANCELLED,
        enqueued_at=NOON - SECOND,
        attempt=1,
        started_at=NOON - SECOND,
        cancel_requested_at=NOON,
        cancelled_by="ann",
        finished_at=NOON + SECOND,
    )

    assert titles(job)[-2:] == ["Asked to stop", "Cancelled"]
