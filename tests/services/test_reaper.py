"""The reaper: what a lost process was running is given back, and the process forgotten."""

from datetime import timedelta

import pytest

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, Process, State
from forge_jobs.services.reaper import Reaper, reclaim
from tests.conftest import NOON
from tests.factories import process_named
from tests.listening import Listener
from tests.rows import claim, columns, stored_job, transition

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def process() -> Process:
    return process_named("gone")


def test_a_job_of_a_lost_process_is_ready_again_with_its_attempt_spent(process: Process) -> None:
    job = stored_job()
    claim(process)

    assert reclaim(process, now=LATER).given_back == 1
    job.refresh_from_db()
    assert (job.state, job.attempt, job.process_id) == (State.READY, 1, None)
    assert (job.run_at, job.finished_at) == (NOON, None)


def test_the_loss_is_among_the_job_s_errors(process: Process) -> None:
    stored_job()
    claim(process)
    reclaim(process, now=LATER)

    job = Job.objects.get()
    assert job.last_error == "Process gone (pid 1 on tests) was lost."
    assert job.errors == [
        {
            "at": LATER.isoformat(),
            "attempt": 1,
            "message": job.last_error,
            "exception": "forge_jobs.exceptions.ProcessLost",
            "traceback": "",
            "started_at": NOON.isoformat(),
            "process": "gone",
        }
    ]


def begin(process: Process) -> ClaimedJob:
    """Claim the one job there is, and let its handler be called."""
    (job,) = claim(process)
    assert Job.objects.begin(job, process=process, now=NOON)
    return job


def test_a_job_whose_attempts_are_spent_is_dead(process: Process) -> None:
    stored_job(attempt=4, max_attempts=5)
    begin(process)

    assert reclaim(process, now=LATER).given_back == 1
    job = Job.objects.get()
    assert (job.state, job.attempt, job.finished_at) == (State.DEAD, 5, LATER)


def test_a_job_without_a_limit_is_always_given_back(process: Process) -> None:
    stored_job(attempt=1_000, max_attempts=None)
    begin(process)
    reclaim(process, now=LATER)

    assert Job.objects.get().state == State.READY


def test_a_job_that_kills_every_process_ends_dead() -> None:
    stored_job(max_attempts=3)
    for name in ("first", "second", "third"):
        begin(doomed := process_named(name))
        reclaim(doomed, now=LATER)

    assert Job.objects.get().state == State.DEAD
    assert len(Job.objects.get().errors) == 3


@pytest.mark.parametrize(("attempt", "max_attempts"), [(0, 1), (1, 5), (4, 5)])
def test_a_job_that_waited_for_a_worker_pays_nothing_for_its_neighbour(
    process: Process, attempt: int, max_attempts: int
) -> None:
    stored_job(attempt=attempt, max_attempts=max_attempts)
    claim(process)

    assert reclaim(process, now=LATER).given_back == 1
    job = Job.objects.get()
    assert (job.state, job.attempt, job.errors) == (State.READY, attempt, [])


def test_an_attempt_that_began_does_not_count_for_the_next(process: Process) -> None:
    stored_job(attempt=1)
    begin(process)
    reclaim(process, now=LATER)
    claim(following := process_named("following"))

    assert reclaim(following, now=LATER).given_back == 1
    assert Job.objects.get().attempt == 2


def test_a_job_that_was_asked_to_stop_is_cancelled(process: Process) -> None:
    stored_job()
    claim(process)
    Job.objects.cancel("not needed", now=LATER)

    assert reclaim(process, now=LATER).given_back == 1
    assert Job.objects.get().state == State.CANCELLED


def test_a_lost_process_is_forgotten(process: Process) -> None:
    assert reclaim(process, now=LATER).given_back == 0
    assert not Process.objects.exists()


def test_the_jobs_of_other_processes_go_on(process: Process) -> None:
    stored_job()
    claim(alive := process_named("alive"))
    stored_job()
    claim(process)

    assert reclaim(process, now=LATER).given_back == 1
    assert Job.objects.claimed_by(alive).count() == 1
    assert Process.objects.get() == alive


def test_finished_jobs_are_left_alone(process: Process) -> None:
    stored_job()
    Job.objects.finalize([transition(job) for job in claim(process)], process=process)
    before = columns(Job.objects.get())

    assert reclaim(process, now=LATER).given_back == 0
    assert columns(Job.objects.get()) == before


def test_many_jobs_are_given_back_at_once(process: Process) -> None:
    Job.objects.bulk_create(
        Job(queue="default", kind="app.noop", payload={}, state=State.READY, run_at=NOON)
        for _ in range(2_000)
    )
    claim(process, limit=2_000)

    assert reclaim(process, now=LATER).given_back == 2_000
    assert Job.objects.ready().count() == 2_000


def test_a_process_that_was_lost_in_error_can_not_finalize(process: Process) -> None:
    stored_job()
    (job,) = claim(process)
    pk = process.pk
    reclaim(process, now=LATER)

    assert not Job.objects.finalize([transition(job)], process=Process(pk=pk))
    assert Job.objects.get().state == State.READY


def test_what_was_given_back_is_claimed_in_its_old_place(process: Process) -> None:
    first = stored_job()
    claim(process)
    second = stored_job()
    reclaim(process, now=LATER)

    assert [job.id for job in claim(process_named("next"))] == [first.pk, second.pk]


def reaper(*, heard_for: float = 60) -> Reaper:
    """Of a process that has listened for so many seconds."""
    return Reaper(Listener().listen_until(heard_for))


def test_a_process_that_is_silent_for_too_long_is_lost(process: Process) -> None:
    stored_job()
    claim(process)

    assert reaper().run_once(now=LATER) == 1
    assert Job.objects.get().state == State.READY
    assert not Process.objects.exists()


@pytest.mark.parametrize("ahead", [timedelta(minutes=59), timedelta(days=365)])
def test_a_process_that_died_with_a_heartbeat_from_the_future_is_lost(ahead: timedelta) -> None:
    stored_job()
    claim(process_named("ahead", heartbeat_at=LATER + ahead))

    assert reaper().run_once(now=LATER) == 1
    assert not Process.objects.exists()


def test_a_process_that_beats_is_left_alone(process: Process) -> None:
    stored_job()
    claim(process)
    listener = Listener()
    listener.listen_until(55)
    Process.objects.beat(process, now=LATER)

    assert Reaper(listener.listen_until(60)).run_once(now=LATER + timedelta(hours=1)) == 0
    assert Process.objects.get() == process


def test_after_an_outage_everybody_has_time_to_beat_again(process: Process) -> None:
    stored_job()
    claim(process)

    assert reaper(heard_for=29).run_once(now=LATER) == 0
    assert reaper(heard_for=31).run_once(now=LATER) == 1


def test_a_process_that_beats_at_the_last_moment_is_not_lost(process: Process) -> None:
    stored_job()
    claim(process)
    Process.objects.beat(process, now=LATER)

    assert reclaim(process, now=LATER).given_back == 0
    assert Job.objects.get().state == State.RUNNING


def test_jobs_of_a_process_that_is_forgotten_are_given_back(process: Process) -> None:
    stored_job()
    claim(process)
    Process.objects.all().delete()

    assert reaper().run_once(now=LATER) == 1
    job = Job.objects.get()
    assert (job.state, job.attempt) == (State.READY, 1)
    assert "never came back" in job.last_error


def test_a_process_that_is_forgotten_has_time_to_come_back_to_what_it_claims(
    process: Process,
) -> None:
    stored_job()
    claim(process)
    Process.objects.all().delete()

    assert reaper().run_once(now=NOON + timedelta(seconds=29)) == 0
    assert Job.objects.get().state == State.RUNNING
    assert reaper().run_once(now=NOON + timedelta(seconds=31)) == 1


def test_what_a_forgotten_process_claims_by_a_clock_that_is_ahead_is_given_back(
    process: Process,
) -> None:
    stored_job()
    claim(process)
    Process.objects.all().delete()

    assert reaper().run_once(now=NOON - timedelta(hours=1)) == 1
