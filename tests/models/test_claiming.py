"""Claiming and giving back: which jobs a process gets, and in which order."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from forge_jobs.db.rows import ClaimedJob, Position
from forge_jobs.models import Job, Process, Queue, State
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, stored_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def process() -> Process:
    return process_named("here")


def after(job: ClaimedJob) -> Position:
    return Position(job.priority, job.run_at, job.id)


def ids(jobs: list[ClaimedJob]) -> list[int]:
    return [job.id for job in jobs]


def test_a_claimed_job_is_running_in_its_process_with_one_more_attempt(process: Process) -> None:
    stored_job(attempt=2)
    (claimed,) = claim(process)

    job = Job.objects.get()
    assert (job.state, job.process, job.started_at) == (State.RUNNING, process, NOON)
    assert job.attempt == claimed.attempt == 3


def test_a_job_of_more_attempts_than_can_be_counted_keeps_nobody_from_a_claim(
    process: Process,
) -> None:
    stored_job(attempt=2**31 - 1)
    stored_job()

    assert [job.attempt for job in claim(process)] == [2**31 - 1, 1]


def test_a_claim_tells_all_that_a_run_needs(process: Process) -> None:
    job = stored_job(
        queue="other", kind="app.effect", payload={"a": "ü"}, context={"b": 1}, priority=3,
        max_attempts=7, timeout_seconds=1.5,
    )  # fmt: skip
    (claimed,) = claim(process, queue="other", kinds=["app.effect"])

    plain = claimed._replace(payload="", context="", claimed_at="", run_at=None, enqueued_at=0.0)
    assert plain == ClaimedJob(job.pk, "other", "app.effect", "", "", 3, None, 1, 7, 1.5)
    job.refresh_from_db()
    assert claimed.enqueued_at == pytest.approx(job.enqueued_at.timestamp(), abs=0.001)
    assert claimed.payload.replace(" ", "") in ('{"a":"ü"}', '{"a":"\\u00fc"}')
    assert claimed.context.replace(" ", "") == '{"b":1}'


def test_jobs_are_claimed_by_priority_then_due_time_then_age(process: Process) -> None:
    last = stored_job(priority=-1, run_at=NOON - 9 * MINUTE)
    newer = stored_job(run_at=NOON)
    newest = stored_job(run_at=NOON)
    older = stored_job(run_at=NOON - MINUTE)
    first = stored_job(priority=1, run_at=NOON)

    expected = [job.pk for job in (first, older, newer, newest, last)]
    assert ids(claim(process)) == expected


def test_a_claim_takes_the_first_up_to_its_limit(process: Process) -> None:
    last = stored_job(priority=-1, run_at=NOON - 9 * MINUTE)
    newer = stored_job(run_at=NOON)
    newest = stored_job(run_at=NOON)
    older = stored_job(run_at=NOON - MINUTE)
    first = stored_job(priority=1, run_at=NOON)

    claimed = [ids(claim(process, limit=limit)) for limit in (1, 1, 1, 5, 5)]
    assert claimed == [[first.pk], [older.pk], [newer.pk], [newest.pk, last.pk], []]


def test_a_claim_keeps_to_its_limit_where_the_planner_takes_the_table_to_be_tiny(
    process: Process,
) -> None:
    stored_job()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE forge_jobs_job")
    for state in (State.READY, State.SCHEDULED) * 5:
        stored_job(state=state)

    assert [len(claim(process, limit=1)), len(claim(process, limit=2))] == [1, 2]
    assert len(Job.objects.stage(now=NOON, limit=2)) == 2
    assert Job.objects.running().count() == 3


@pytest.mark.parametrize(
    "moments",
    [
        (NOON, NOON + timedelta(microseconds=1), NOON + timedelta(microseconds=1_000)),
        (NOON, NOON + timedelta(milliseconds=999.999), NOON + timedelta(seconds=1)),
    ],
    ids=["microseconds", "seconds"],
)
def test_moments_are_ordered_to_the_microsecond(
    process: Process, moments: tuple[datetime, ...]
) -> None:
    jobs = [stored_job(run_at=moment) for moment in reversed(moments)]

    assert ids(claim(process)) == [job.pk for job in reversed(jobs)]


def test_only_the_given_queue_is_claimed_from(process: Process) -> None:
    stored_job(queue="other")
    stored_job(queue="Default")

    assert claim(process, queue="default") == []


def test_only_known_kinds_are_claimed(process: Process) -> None:
    unknown = stored_job(kind="app.gone", priority=100)
    known = [stored_job(kind=kind).pk for kind in ("app.noop", "app.effect")]

    assert ids(claim(process, kinds=["app.noop", "app.effect", "app.other"])) == known
    assert Job.objects.ready().get() == unknown


def test_a_process_that_knows_no_kind_claims_nothing(process: Process) -> None:
    stored_job()

    assert claim(process, kinds=[]) == []


@pytest.mark.parametrize("state", [state for state in State if state != State.READY])
def test_only_ready_jobs_are_claimed(process: Process, state: State) -> None:
    stored_job(state=state, process=process_named("there") if state == State.RUNNING else None)

    assert claim(process) == []


def test_nothing_of_a_paused_queue_is_claimed_until_it_is_resumed(process: Process) -> None:
    Queue.objects.sow({"default": {}})
    stored_job()
    Queue.objects.pause("default")
    assert claim(process) == []
    Queue.objects.resume("default")

    assert len(claim(process)) == 1


def test_nothing_of_a_cooling_queue_is_claimed_until_the_end(process: Process) -> None:
    Queue.objects.sow({"default": {"throttle_base_seconds": 5.0}})
    stored_job()
    minute = timedelta(minutes=1)
    Queue.objects.throttle("default", retry_after=minute, now=NOON)
    assert claim(process, now=NOON + minute - timedelta(milliseconds=1)) == []

    assert len(claim(process, now=NOON + minute)) == 1


def test_a_claimed_job_is_not_claimed_again(process: Process) -> None:
    stored_job()

    assert len(claim(process)) == 1
    assert claim(process_named("there")) == []


def test_a_claim_may_go_on_where_the_last_one_stopped(process: Process) -> None:
    jobs = [stored_job(run_at=NOON + number * MINUTE) for number in range(4)]
    stopped = after(claim(process, limit=2)[-1])

    assert ids(claim(process, limit=5, after=stopped)) == [jobs[2].pk, jobs[3].pk]


def test_a_claim_goes_on_among_jobs_that_are_due_at_the_same_moment(process: Process) -> None:
    jobs = [stored_job() for _ in range(4)]
    stopped = after(claim(process, limit=1)[-1])

    assert ids(claim(process, limit=2, after=stopped)) == [jobs[1].pk, jobs[2].pk]


def test_a_claim_that_goes_on_sees_nothing_before_its_place_and_no_other_priority(
    process: Process,
) -> None:
    stored_job(run_at=NOON)
    stopped = after(claim(process)[-1])

    stored_job(run_at=NOON - MINUTE)
    stored_job(run_at=NOON + MINUTE, priority=1)
    stored_job(run_at=NOON + MINUTE, priority=-1)
    behind = stored_job(run_at=NOON + MINUTE)
    assert ids(claim(process, after=stopped)) == [behind.pk]


def test_released_jobs_are_ready_again_with_their_attempts(process: Process) -> None:
    job = stored_job(attempt=2)
    claim(process)

    assert Job.objects.claimed_by(process).release(now=NOON) == 1
    job.refresh_from_db()
    assert (job.state, job.attempt, job.process, job.started_at) == (State.READY, 2, None, None)


@pytest.mark.parametrize("state", [state for state in State if state != State.RUNNING])
def test_only_running_jobs_are_released(state: State) -> None:
    stored_job(state=state, attempt=1)

    assert Job.objects.all().release(now=NOON) == 0
    assert (Job.objects.get().state, Job.objects.get().attempt) == (state, 1)


def test_a_released_job_keeps_its_place(process: Process) -> None:
    first, second = stored_job(), stored_job()
    claim(process, limit=1)
    Job.objects.claimed_by(process).release(now=NOON)

    assert ids(claim(process)) == [first.pk, second.pk]
