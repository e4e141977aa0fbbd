"""A process as a whole: what it takes, what it leaves, and how it stops."""

import threading
from threading import Event

import pytest

from forge_jobs import Cancelled, JobContext, job
from forge_jobs.exceptions import ProcessNameTaken
from forge_jobs.models import Job, Process, State
from tests.app.jobs import noop, wait_for_cancel
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


def states() -> list[str]:
    return list(Job.objects.order_by("id").values_list("state", flat=True))


def test_jobs_run_in_the_order_of_priority_and_age() -> None:
    order: list[int] = []

    @job(kind="tests.subject")
    def subject(*, number: int) -> None:
        order.append(number)

    for number, priority in enumerate([0, 10, 0, -10]):
        subject.using(priority=priority).enqueue(number=number)
    drain(threads=1)

    assert order == [1, 0, 2, 3]


def test_a_kind_that_is_unknown_here_is_left_alone() -> None:
    Job.objects.filter(pk=noop.enqueue().pk).update(kind="of.a.newer.release")
    noop.enqueue()
    drain()

    assert states() == [State.READY, State.SUCCEEDED]


def test_a_queue_that_is_not_served_here_is_left_alone() -> None:
    noop.using(queue="other").enqueue()
    noop.enqueue()
    drain(queues=("default",))

    assert states() == [State.READY, State.SUCCEEDED]


def test_queues_take_turns() -> None:
    order: list[str] = []

    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        order.append(ctx.queue)

    for queue in ("default", "other"):
        subject.using(queue=queue).enqueue_many([{}] * 1_000)
    drain(queues=("default", "other"), threads=1)

    assert "other" in order[:600]


def test_a_drain_tells_how_many_jobs_died() -> None:
    @job(kind="tests.subject", max_attempts=1)
    def subject() -> None:
        raise ValueError

    subject.enqueue_many([{}] * 3)

    assert drain().died == 3


def test_a_drain_leaves_what_is_not_due() -> None:
    noop.using(delay=3600).enqueue()
    drain()

    assert states() == [State.SCHEDULED]


def test_a_job_that_becomes_due_is_run() -> None:
    noop.using(delay=0.3).enqueue()

    with running(engine()):
        eventually(lambda: states() == [State.SUCCEEDED])


def test_an_enqueue_wakes_an_idle_process() -> None:
    with running(engine()):
        eventually(lambda: Process.objects.exists())
        noop.enqueue()
        eventually(lambda: states() == [State.SUCCEEDED])


def test_a_stopping_process_lets_running_jobs_finish_and_returns_the_rest() -> None:
    started, finish = Event(), Event()

    @job(kind="tests.subject")
    def subject() -> None:
        started.set()
        finish.wait(PATIENCE)

    subject.enqueue_many([{}] * 5)
    stopping = engine(threads=1)
    with running(stopping):
        started.wait(PATIENCE)
        stopping.lifecycle.request_stop("SIGTERM")
        eventually(lambda: not stopping.fetcher.is_alive() and len(stopping.buffer) <= 1)
        finish.set()

    assert states() == [State.SUCCEEDED, *[State.READY] * 4]
    assert set(Job.objects.filter(state=State.READY).values_list("attempt", flat=True)) == {0}
    assert not Process.objects.exists()


def test_a_job_that_heeds_the_shutdown_goes_back_with_its_attempt() -> None:
    wait_for_cancel.enqueue(seconds=PATIENCE)
    stopping = engine(threads=1, shutdown_timeout=0.1)
    with running(stopping):
        eventually(lambda: states() == [State.RUNNING] and bool(stopping.workers.runs()))

    stored = Job.objects.get()
    assert (stored.state, stored.attempt, stored.process_id) == (State.READY, 0, None)


def test_cancelled_returned_because_of_a_shutdown_does_not_cancel_the_job() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> Cancelled:
        ctx.cancelled.wait(PATIENCE)
        return Cancelled("I was asked to")

    subject.enqueue()
    stopping = engine(threads=1, shutdown_timeout=0.1)
    with running(stopping):
        eventually(lambda: bool(stopping.workers.runs()))

    assert states() == [State.READY]


def test_a_job_that_ignores_the_shutdown_goes_back_and_its_late_outcome_is_refused() -> None:
    release = Event()

    @job(kind="tests.subject")
    def subject() -> None:
        release.wait(PATIENCE)

    subject.enqueue()
    stopping = engine(threads=1, shutdown_timeout=0.1)
    with running(stopping):
        eventually(lambda: bool(stopping.workers.runs()))
    assert states() == [State.READY]
    assert stopping.is_stuck

    release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("forge_jobs-worker"):
            thread.join(PATIENCE)
    assert states() == [State.READY]


def test_a_second_request_to_stop_does_not_wait() -> None:
    wait_for_cancel.enqueue(seconds=PATIENCE)
    stopping = engine(threads=1, shutdown_timeout=3600)
    with running(stopping):
        eventually(lambda: bool(stopping.workers.runs()))
        stopping.lifecycle.request_stop("SIGTERM")

    assert states() == [State.READY]


def test_two_living_processes_of_one_host_cannot_have_the_same_name() -> None:
    with running(engine(name="twin")):
        eventually(lambda: Process.objects.exists())
        with pytest.raises(ProcessNameTaken, match="twin"):
            engine(name="twin")


def test_no_thread_outlives_an_orderly_stop() -> None:
    noop.enqueue_many([{}] * 50)
    before = {*threading.enumerate()}  # one that an earlier test has left stuck may be among them
    drain(threads=3)

    left = {*threading.enumerate()} - before
    assert [thread.name for thread in left if "forge_jobs" in thread.name] == []
