"""What an end sets free, beside a transaction that has not committed yet."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from forge_jobs import JobHandler, batch, clock, db, open_batch
from forge_jobs.models import Batch, BatchState, Gate, Job, State
from forge_jobs.models.following import Following
from forge_jobs.models.letting_go import release
from forge_jobs.services.gatekeeper import Gatekeeper
from forge_jobs.states import GateState
from forge_jobs.testing import drain
from tests.running import PATIENCE, eventually
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


def test_two_requeues_in_one_batch_do_not_wait_for_each_other(
    fall: JobHandler, write: JobHandler, at_once: None
) -> None:
    with batch("of both") as b:
        first = fall.using(batch=b).enqueue()
        second = write.using(batch=b, after=first).enqueue(name="second")
    drain()

    both_go_on_behind(b, first.requeue, second.requeue)

    assert [state_of(one) for one in (first, second)] == [State.READY, State.HELD]


def test_a_revival_and_a_requeue_in_one_batch_do_not_wait_for_each_other(
    fall: JobHandler, write: JobHandler, at_once: None
) -> None:
    failed = fall.enqueue()
    with batch("of both") as b:
        given_up = write.using(batch=b, after=failed).enqueue(name="given up")
        other = fall.using(batch=b).enqueue()
    write.using(after=[given_up, other]).enqueue(name="behind both")
    drain()
    assert state_of(given_up) == State.CANCELLED
    gate = given_up.gate_id
    assert gate
    Gate.objects.filter(pk=gate).update(state=GateState.OPEN, is_done=False)

    both_go_on_behind(b, other.requeue, lambda: release([gate]))

    assert [state_of(one) for one in (given_up, other)] == [State.READY, State.READY]


def test_a_batch_that_is_sealed_beside_a_requeue_waits_for_what_runs_again(
    fall: JobHandler,
) -> None:
    b = open_batch("open")
    failed = fall.using(batch=b).enqueue()
    end_as(failed, State.DEAD, context={"is_mended": True})
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert failed.requeue()
            sealing = pool.submit(in_a_session, b.seal)
            eventually(lambda: waiting() == 1)
        assert sealing.result(timeout=PATIENCE)
    assert Batch.objects.get().state == BatchState.SEALED
    drain()

    assert Batch.objects.get().state == BatchState.SUCCEEDED


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails because of a lock is not tried again."""
    monkeypatch.setattr(db, "LOCKED_DELAYS", ())


def both_go_on_behind(b: Batch, *acts: Callable[[], Any]) -> None:
    """Let both come as far as they can while the batch is locked, and then to their end."""
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Batch.objects.filter(pk=b.pk).lock()
            done = []
            for act in acts:
                done.append(pool.submit(in_a_session, act))
                eventually(lambda: waiting() == len(done))
        for one in done:
            assert one.result(timeout=PATIENCE)


def in_a_session(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connections.close_all()


def waiting() -> int:
    """How many sessions wait for a lock at this moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else it is that of the transaction
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])
