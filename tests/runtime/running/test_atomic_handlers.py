"""`atomic=True`: the handler's writes and its outcome are one."""

from contextlib import suppress

import pytest
from django.db import DatabaseError, connection

from forge_jobs import Cancelled, Failed, JobContext, job
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, State
from forge_jobs.signals import claim_lost, job_started
from tests.app.models import Effect
from tests.conftest import NOON
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


def test_writes_commit_with_the_success() -> None:
    @job(kind="tests.subject", atomic=True)
    def subject() -> str:
        Effect.objects.create(number=1)
        return "done"

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, stored.result, Effect.objects.count()) == (State.SUCCEEDED, "done", 1)


def test_what_is_raised_rolls_the_writes_back() -> None:
    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        Effect.objects.create(number=1)
        raise Failed("no")

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, Effect.objects.count()) == (State.RETRYING, 0)


def test_a_returned_failure_keeps_the_writes() -> None:
    @job(kind="tests.subject", atomic=True)
    def subject() -> Failed:
        Effect.objects.create(number=1)
        return Failed("no")

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, Effect.objects.count()) == (State.RETRYING, 1)


@pytest.mark.parametrize("by", ["the ORM", "SQL"])
def test_writes_that_go_with_an_error_that_was_passed_over_have_not_succeeded(by: str) -> None:
    """At the end of such a block Django rolls back, or PostgreSQL at its COMMIT, without a word."""

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        written = Effect.objects.create(number=1)
        with suppress(DatabaseError):
            if by == "SQL":
                connection.cursor().execute("SELECT nothing FROM nowhere")
            else:
                Effect.objects.create(pk=written.pk, number=1)

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state == State.SUCCEEDED) == Effect.objects.exists()
    assert stored.state == State.RETRYING or (by == "SQL" and connection.vendor == "sqlite")


def test_a_lost_claim_rolls_the_writes_back() -> None:
    lost: list[int] = []

    def lose_claim(*, job: ClaimedJob, **kwargs: object) -> None:
        Job.objects.filter(pk=job.id).update(started_at=NOON)

    def remember(*, job: ClaimedJob, **kwargs: object) -> None:
        lost.append(job.id)

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        Effect.objects.create(number=1)

    job_started.connect(lose_claim)
    claim_lost.connect(remember)
    stored = subject.enqueue()
    try:
        drain()
    finally:
        job_started.disconnect(lose_claim)
        claim_lost.disconnect(remember)

    assert Effect.objects.count() == 0
    assert lost == [stored.pk]


def test_a_shutdown_rolls_the_writes_back_and_the_job_will_run_again() -> None:
    @job(kind="tests.subject", atomic=True, takes_context=True)
    def subject(ctx: JobContext) -> Cancelled:
        Effect.objects.create(number=1)
        ctx.cancelled.wait(PATIENCE)
        return Cancelled("I was asked to")

    stored = subject.enqueue()
    stopping = engine(threads=1, shutdown_timeout=0.1)
    with running(stopping):
        eventually(lambda: bool(stopping.workers.runs()))

    stored.refresh_from_db()
    assert (stored.state, stored.attempt, Effect.objects.count()) == (State.READY, 0, 0)
