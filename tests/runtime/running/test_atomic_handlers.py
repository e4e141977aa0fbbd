"""`atomic=True`: the handler's writes and its outcome are one."""

from contextlib import suppress

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection, transaction

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


def test_what_is_left_until_the_commit_comes_after_it() -> None:
    seen: list[tuple[str, bool]] = []

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        Effect.objects.create(number=1)
        transaction.on_commit(
            lambda: seen.append((Job.objects.get().state, connection.in_atomic_block))
        )

    subject.enqueue()
    drain()

    assert seen == [(State.SUCCEEDED, False)]


def test_what_an_inner_block_rolls_back_goes_alone() -> None:
    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        with suppress(ValueError), transaction.atomic():
            Effect.objects.create(number=1)
            raise ValueError
        Effect.objects.create(number=2)

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert stored.state == State.SUCCEEDED
    assert [one.number for one in Effect.objects.all()] == [2]


def test_what_only_the_commit_refuses_has_not_succeeded() -> None:
    """As a foreign key, which Django lets be checked by then."""

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        Effect.objects.create(number=1)
        Permission.objects.create(name="of nothing", content_type_id=-1)

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, Effect.objects.count()) == (State.RETRYING, 0)
    assert "IntegrityError" in stored.last_error


@pytest.mark.parametrize("first", ["an error", "rows that come in parts", "another job", "nothing"])
def test_whatever_the_handler_asks_first_is_in_the_transaction(first: str) -> None:
    @job(kind="tests.other")
    def other() -> None: ...

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        if first == "an error":
            connection.cursor().execute("SELECT nothing FROM nowhere")
        elif first == "rows that come in parts":
            assert [one.number for one in Effect.objects.select_for_update().iterator()] == [1]
        elif first == "another job":
            other.enqueue()
        if first != "nothing":
            Effect.objects.update(number=2)
        raise Failed("no")

    Effect.objects.create(number=1)
    subject.enqueue()
    drain()

    assert [one.state for one in Job.objects.all()] == [State.RETRYING]
    assert Effect.objects.get().number == 1
