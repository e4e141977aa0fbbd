"""What people ask of processes: to be quiet, to claim again, to stop."""

import pytest

from forge_jobs import JobContext, job
from forge_jobs.models import Job, Process, ProcessState, State
from forge_jobs.runtime.engine import Engine
from tests.app.jobs import noop
from tests.running import PATIENCE, Runjobs, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def told_state() -> str:
    state: str = Process.objects.values_list("state", flat=True).get()
    return state


def is_up(subject: Engine) -> bool:
    return subject.fetcher.is_alive()


def test_a_process_that_is_asked_to_be_quiet_takes_nothing_until_it_may_claim_again() -> None:
    with running(engine()) as subject:
        eventually(lambda: is_up(subject))
        assert Process.objects.all().make_quiet(by="ada") == 1
        eventually(lambda: told_state() == ProcessState.QUIET)
        stored = noop.enqueue()
        assert state_of(stored) == State.READY
        assert Process.objects.all().let_claim(by="ada") == 1
        eventually(lambda: state_of(stored) == State.SUCCEEDED)
        eventually(lambda: told_state() == ProcessState.RUNNING)


def test_a_process_that_is_quiet_finishes_what_it_runs() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        eventually(lambda: told_state() == ProcessState.QUIET)

    stored = subject.enqueue()
    with running(engine()) as working:
        eventually(lambda: bool(working.workers.runs()))
        Process.objects.all().make_quiet()
        eventually(lambda: state_of(stored) == State.SUCCEEDED)


def test_a_process_that_retires_does_not_claim_again() -> None:
    subject = engine()
    subject.lifecycle.retire("it is time")
    subject.lifecycle.claim_again()

    assert subject.lifecycle.is_quiet


def test_a_process_that_is_asked_to_stop_ends_in_order() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        eventually(lambda: told_state() == ProcessState.STOPPING)

    stored = subject.enqueue()
    working = engine()
    with running(working):
        eventually(lambda: bool(working.workers.runs()))
        assert Process.objects.all().stop(by="ada") == 1
        eventually(lambda: not Process.objects.exists())

    assert state_of(stored) == State.SUCCEEDED
    assert not working.failure


def test_each_order_is_given_once() -> None:
    with running(engine()) as subject:
        eventually(lambda: is_up(subject))
        processes = Process.objects.all()
        assert processes.let_claim() == 0
        assert [processes.make_quiet(), processes.make_quiet()] == [1, 0]
        assert [processes.stop(), processes.stop(), processes.make_quiet()] == [1, 0, 0]


@pytest.mark.processes
def test_a_single_process_that_is_asked_to_stop_exits_with_0_and_says_who_asked() -> None:
    with Runjobs("--threads", "1") as runjobs:
        eventually(lambda: Process.objects.count() == 1)
        Process.objects.all().stop(by="ada")
        code, output = runjobs.wait()

    assert code == 0
    assert "asked to by ada" in output
    assert not Process.objects.exists()


@pytest.mark.processes
def test_a_supervised_process_that_is_asked_to_stop_is_replaced_at_once() -> None:
    with Runjobs("--threads", "1", "--processes", "1", "--name", "tested") as runjobs:
        eventually(lambda: Process.objects.count() == 1)
        first = Process.objects.get()
        Process.objects.filter(pk=first.pk).stop(by="ada")
        eventually(lambda: Process.objects.exclude(pk=first.pk).exists(), patience=PATIENCE)
        eventually(lambda: not Process.objects.filter(pk=first.pk).exists())
        second = Process.objects.get()
        assert (second.name, second.requested_state) == (first.name, "")
        stored = noop.enqueue()
        eventually(lambda: state_of(stored) == State.SUCCEEDED)
        runjobs.terminate()
        assert runjobs.wait()[0] == 0
