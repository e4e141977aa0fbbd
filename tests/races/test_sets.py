"""What an end sets free, beside a transaction that has not committed yet."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from forge_jobs import JobHandler, batch, clock, open_batch
from forge_jobs.models import Batch, BatchState, Job, State
from forge_jobs.models.following import Following
from forge_jobs.services.gatekeeper import Gatekeeper
from forge_jobs.testing import drain
from tests.running import PATIENCE
from tests.sets.conftest import fall, log, mend, state_of, write

__all__ = ["fall", "log", "write"]  # fixtures

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="It has one writer at a time."),
]


def aside(act: Callable[[], Any]) -> Any:
    """Do something in another session, which must not wait for this one's transaction."""

    def work() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '3s'")
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(timeout=PATIENCE)


def end_as(stored: Job, state: State, **columns: Any) -> None:
    """As if its process had died before it saw to what comes after."""
    Job.objects.filter(pk=stored.pk).update(state=state, finished_at=clock.now(), **columns)


def test_a_batch_does_not_end_beside_the_requeue_of_one_of_its_jobs(
    fall: JobHandler, write: JobHandler, log: list[str]
) -> None:
    with batch("one", on_success=write.new(name="on_success")) as b:
        failed = fall.using(batch=b).enqueue()
    end_as(failed, State.DEAD, context={"is_mended": True})
    with transaction.atomic():
        assert failed.requeue()
        aside(lambda: Following(batches=[b.pk]).finish(now=clock.now()))
    drain()

    assert Batch.objects.get().state == BatchState.SUCCEEDED
    assert log == ["on_success"]


def test_a_gate_does_not_break_beside_the_requeue_of_what_it_waits_for(
    fall: JobHandler, write: JobHandler, log: list[str]
) -> None:
    failed = fall.enqueue()
    write.using(after=failed).enqueue(name="after")
    end_as(failed, State.DEAD, context={"is_mended": True})
    with transaction.atomic():
        assert failed.requeue()
        aside(lambda: Following(jobs=[failed.pk]).finish(now=clock.now()))
    drain()

    assert log == ["after"]


def test_what_is_requeued_while_its_gate_opens_is_not_held_for_ever(
    write: JobHandler, log: list[str]
) -> None:
    first = write.enqueue(name="first")
    second = write.using(after=first).enqueue(name="second")
    assert second.cancel()
    end_as(first, State.SUCCEEDED)
    with transaction.atomic():
        assert second.requeue()
        aside(lambda: Following(jobs=[first.pk]).finish(now=clock.now()))
    drain()

    assert log == ["second"]


def test_giving_up_waits_for_nobody_who_has_locked_a_follower(
    fall: JobHandler, write: JobHandler
) -> None:
    failed = fall.enqueue()
    locked, other = (write.using(after=failed).enqueue(name="after") for _ in range(2))
    end_as(failed, State.DEAD)
    with transaction.atomic():
        Job.objects.filter(pk=locked.pk).update(priority=1)
        aside(lambda: Following(jobs=[failed.pk]).finish(now=clock.now()))
    assert state_of(other) == State.CANCELLED
    assert state_of(locked) == State.HELD

    Gatekeeper().run_once(now=clock.now())
    assert state_of(locked) == State.CANCELLED


def test_the_gatekeeper_waits_for_nobody_who_fills_a_forgotten_batch(write: JobHandler) -> None:
    outer = open_batch("outer", expires_in=1)
    inner = open_batch("inner", within=outer)
    later = clock.now() + timedelta(hours=1)
    with transaction.atomic():
        late = write.using(batch=inner).enqueue(name="late")
        aside(lambda: Gatekeeper().run_once(now=later))
    assert state_of(late) == State.READY

    Gatekeeper().run_once(now=later)
    assert state_of(late) == State.CANCELLED


def test_what_follows_what_was_given_up_goes_on_with_it_outside_of_any_transaction(
    fall: JobHandler, write: JobHandler, log: list[str]
) -> None:
    with batch("of the second", on_success=write.new(name="on_success")) as b:
        failed = fall.enqueue()
        second = write.using(after=failed, batch=b).enqueue(name="second")
    third = write.using(after=second).enqueue(name="third")
    fourth = write.using(after_end=third, after=b).enqueue(name="fourth")
    drain()
    assert [state_of(one) for one in (second, third, fourth)] == [State.CANCELLED] * 3

    mend(failed)
    drain()

    assert Batch.objects.get().state == BatchState.SUCCEEDED
    assert sorted(log) == ["fourth", "on_success", "second", "third"]
