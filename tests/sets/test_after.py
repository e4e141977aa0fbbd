"""A job comes after others: it is held until they have ended, and given up if they fail."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from forge_jobs import JobContext, JobHandler, batch, clock, enqueue_many, job
from forge_jobs.exceptions import InvalidOption
from forge_jobs.models import Gate, Job, Queue, State, gate
from forge_jobs.services.gatekeeper import Gatekeeper
from forge_jobs.states import GateState
from forge_jobs.testing import drain
from tests.sets.conftest import mend, state_of

pytestmark = pytest.mark.django_db


def test_a_job_is_held_until_those_before_it_have_succeeded(
    write: JobHandler, log: list[str]
) -> None:
    first = write.enqueue(name="first")
    second = write.using(priority=9, after=first).enqueue(name="second")
    third = write.using(priority=10, after=[first, second]).enqueue(name="third")

    assert second.state == third.state == State.HELD
    drain()

    assert log == ["first", "second", "third"]
    assert {state_of(one) for one in (first, second, third)} == {State.SUCCEEDED}


def test_it_is_told_what_they_returned_in_the_order_in_which_they_were_given(
    write: JobHandler,
) -> None:
    seen: list[Any] = []

    @job(kind="tests.collect", takes_context=True)
    def collect(ctx: JobContext) -> None:
        seen.extend(ctx.results)

    a, b = write.enqueue(name="a"), write.enqueue(name="b")
    collect.using(after=[b, a]).enqueue()
    drain()

    assert seen == ["B", "A"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_it_is_told_a_list_of_however_many_it_comes_after(write: JobHandler, count: int) -> None:
    seen: list[Any] = []

    @job(kind="tests.collect", takes_context=True)
    def collect(ctx: JobContext) -> None:
        seen.append(ctx.results)

    collect.using(after=[write.enqueue(name="a") for _ in range(count)]).enqueue()
    drain()

    assert seen == [["A"] * count]


def test_what_comes_after_a_dead_job_is_cancelled_with_all_that_follows_and_says_why(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    failing = fall.enqueue()
    second = write.using(after=failing).enqueue(name="second")
    third = write.using(after=second).enqueue(name="third")
    drain()

    assert log == []
    assert state_of(second) == state_of(third) == State.CANCELLED
    reason = f"It comes after tests.fall #{failing.pk}, which is dead."
    assert second.cancel_reason == third.cancel_reason == reason


def test_what_was_given_up_goes_on_once_the_dead_job_has_succeeded(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    failing = fall.enqueue()
    second = write.using(after=failing).enqueue(name="second")
    third = write.using(after=second).enqueue(name="third")
    drain()
    mend(failing)
    drain()

    assert log == ["second", "third"]
    assert state_of(second) == state_of(third) == State.SUCCEEDED
    assert second.cancel_reason == ""


def test_what_was_given_up_is_not_run_by_a_requeue_of_its_own(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    failing = fall.enqueue()
    second = write.using(after=failing).enqueue(name="second")
    drain()

    assert second.requeue()
    assert second.state == State.HELD
    drain()

    assert log == []
    assert state_of(second) == State.CANCELLED


def test_what_a_person_cancelled_stays_so(
    write: JobHandler, fall: JobHandler, log: list[str]
) -> None:
    failing = fall.enqueue()
    second = write.using(after=failing).enqueue(name="second")
    assert second.cancel("enough")
    drain()
    mend(failing)
    drain()

    assert log == []
    assert state_of(second) == State.CANCELLED


@pytest.mark.parametrize("is_mended", [True, False])
def test_after_end_does_not_ask_how_they_ended(
    write: JobHandler, fall: JobHandler, log: list[str], *, is_mended: bool
) -> None:
    failing = fall.using(context={"is_mended": is_mended}).enqueue()
    write.using(after_end=failing).enqueue(name="last")
    drain()

    assert log == ["last"]


@pytest.mark.parametrize(("is_mended", "ran"), [(True, []), (False, ["last"])])
def test_after_failure_wants_one(
    write: JobHandler, fall: JobHandler, log: list[str], *, is_mended: bool, ran: list[str]
) -> None:
    failing = fall.using(context={"is_mended": is_mended}).enqueue()
    last = write.using(after_failure=failing).enqueue(name="last")
    drain()

    assert log == ran
    assert state_of(last) == (State.SUCCEEDED if ran else State.CANCELLED)


def test_one_that_comes_after_what_has_ended_already_is_ready(
    write: JobHandler, log: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    first = write.enqueue(name="first")
    drain()
    with django_capture_on_commit_callbacks(execute=True):
        second = write.using(after=first).enqueue(name="second")

    assert state_of(second) == State.READY


def test_many_share_one_gate(write: JobHandler, log: list[str]) -> None:
    first = write.enqueue(name="first")
    write.using(after=first).enqueue_many([{"name": str(number)} for number in range(50)])

    assert Gate.objects.count() == 1
    drain()
    assert log == ["first", *map(str, range(50))]


def test_what_more_gates_are_behind_than_a_statement_takes_can_be_requeued(
    write: JobHandler, fall: JobHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "SLICE", 20)
    failed = fall.enqueue()
    others = write.enqueue_many([{"name": "before"}] * 100)
    enqueue_many(write.using(after=[failed, other]).new(name="after") for other in others.ids)
    drain()
    assert Gate.objects.filter(state=GateState.BROKEN).count() == 100

    with at_most_variables(90):
        assert failed.requeue()

    assert Gate.objects.closed().count() == 100


@contextmanager
def at_most_variables(number: int) -> Iterator[None]:
    """SQLite takes some 32,000 in a statement, if whoever built it has not said otherwise."""
    if connection.vendor != "sqlite":
        yield
        return
    session: sqlite3.Connection = connection.connection
    before = session.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, number)
    try:
        yield
    finally:
        session.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


def test_its_own_time_and_key_hold_as_well(write: JobHandler) -> None:
    first = write.enqueue(name="first")
    later = write.using(after=first, delay=3600).enqueue(name="later")
    keyed = write.using(after=first, concurrency_key="k").enqueue(name="keyed")
    assert later.state == keyed.state == State.HELD
    drain(until=lambda: True)
    Gatekeeper().run_once(now=clock.now())

    assert state_of(later) == State.SCHEDULED
    assert state_of(keyed) in (State.BLOCKED, State.READY)


def test_a_held_job_is_not_run_now_and_not_claimed(write: JobHandler, log: list[str]) -> None:
    first = write.using(delay=3600).enqueue(name="first")
    second = write.using(after=first).enqueue(name="second")

    assert not second.run_now()
    drain()
    assert log == []


def test_what_is_followed_is_kept(write: JobHandler) -> None:
    first = write.enqueue(name="first")
    second = write.enqueue(name="second")
    later = write.using(after=[first], delay=3600).enqueue(name="later")
    drain()

    assert Job.objects.all().purge() == 1
    assert not Job.objects.filter(pk=second.pk).exists()
    later.cancel()
    assert Job.objects.all().purge() == 2


@pytest.mark.parametrize("option", ["after", "after_end", "after_failure"])
@pytest.mark.parametrize("given", ["1", {"a": 1}, 1.5, [None], True, [["x"]]])
def test_what_is_no_job_is_refused(write: JobHandler, option: str, given: Any) -> None:
    with pytest.raises(InvalidOption) as refusal:
        write.using(**{option: given}).enqueue(name="x")

    assert refusal.value.field == option
    assert not Job.objects.exists()


def test_one_that_is_not_there_is_refused_and_the_transaction_goes_on(write: JobHandler) -> None:
    first = write.enqueue(name="first")
    with transaction.atomic():
        with pytest.raises(InvalidOption, match=f"the job {first.pk + 1} does not exist"):
            write.using(after=[first, first.pk + 1]).enqueue(name="x")
        write.using(after=[first, first.pk]).enqueue(name="y")

    assert Job.objects.count() == 2
    assert Gate.objects.count() == 1


def test_a_success_that_nobody_wants_kept_is_kept_as_long_as_it_is_followed(
    write: JobHandler,
) -> None:
    Queue.objects.create(name="default", retain_succeeded_seconds=0)
    single = write.enqueue(name="single")
    first = write.enqueue(name="first")
    write.using(after=first, delay=3600).enqueue(name="later")
    with batch("kept") as b:
        member = write.using(batch=b).enqueue(name="member")
    drain()

    assert not Job.objects.filter(pk=single.pk).exists()
    assert state_of(first) == state_of(member) == State.SUCCEEDED
    assert first.result == "FIRST"


def test_a_success_that_is_gone_was_no_failure(write: JobHandler, log: list[str]) -> None:
    """Where successes are not kept, it may go while what comes after it is being enqueued."""
    first = write.enqueue(name="first")
    with transaction.atomic():
        second = write.using(after_failure=first).enqueue(name="second")
        Job.objects.filter(pk=first.pk).delete()
    drain()

    assert log == []
    assert state_of(second) == State.CANCELLED
    assert second.cancel_reason == f"It comes after a failure of #{first.pk}, which is gone."
