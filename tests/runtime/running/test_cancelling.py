"""A wish to stop, stored by anybody, reaches the handler that runs."""

import pytest

from forge_jobs import JobContext, job
from forge_jobs.clock import now
from forge_jobs.conf import conf
from forge_jobs.context import LOST
from forge_jobs.models import Job, Process, State
from forge_jobs.services.reaper import reclaim
from tests.app.jobs import wait_for_cancel
from tests.running import PATIENCE, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


TIMEOUT = conf().process_timeout


def is_running() -> bool:
    return bool(Job.objects.running().exists())


def test_a_running_job_that_is_asked_to_stop_ends_cancelled_with_the_reason() -> None:
    stored = wait_for_cancel.enqueue(seconds=PATIENCE)
    with running(engine()):
        eventually(is_running)
        assert Job.objects.filter(pk=stored.pk).cancel("not needed", now=now()) == 1
        eventually(lambda: not is_running())

    stored.refresh_from_db()
    assert (stored.state, stored.last_error) == (State.CANCELLED, "not needed")


def test_a_run_that_ends_well_in_spite_of_it_stays_a_success() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> str:
        ctx.cancelled.wait(PATIENCE)
        return "done all the same"

    stored = subject.enqueue()
    with running(engine()):
        eventually(is_running)
        Job.objects.all().cancel("too late", now=now())
        eventually(lambda: not is_running())

    stored.refresh_from_db()
    assert (stored.state, stored.result) == (State.SUCCEEDED, "done all the same")


def test_a_run_that_fails_after_it_is_not_tried_again() -> None:
    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        ctx.cancelled.wait(PATIENCE)
        raise ConnectionError

    stored = subject.enqueue()
    with running(engine()):
        eventually(is_running)
        Job.objects.all().cancel("not needed", now=now())
        eventually(lambda: not is_running())

    stored.refresh_from_db()
    assert stored.state == State.CANCELLED
    assert stored.finished_at is not None


def test_a_handler_whose_process_was_given_up_is_told_to_stop() -> None:
    reasons: list[str] = []

    @job(kind="tests.subject", takes_context=True)
    def subject(ctx: JobContext) -> None:
        if ctx.attempt == 1:
            ctx.cancelled.wait(PATIENCE)
            reasons.append(ctx.cancelled.reason)

    stored = subject.enqueue()
    with running(engine()):
        eventually(is_running)
        # Again, should it beat between the look and the deed.
        eventually(lambda: reclaim(Process.objects.get(), now=now() + TIMEOUT).given_back == 1)
        eventually(lambda: Job.objects.get().state == State.SUCCEEDED)
        eventually(lambda: bool(reasons))

    stored.refresh_from_db()
    assert reasons == [LOST]
    assert stored.attempt == 2
