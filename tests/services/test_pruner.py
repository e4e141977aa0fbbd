"""The pruner: finished jobs go when their queue has kept them for long enough."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forge_jobs.models import Batch, Job, Queue, State
from forge_jobs.services import pruner as module
from forge_jobs.services.pruner import Pruner
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _queue() -> None:
    Queue.objects.sow({"default": {}})


def finished(state: State, *, days_ago: float, **columns: object) -> Job:
    return stored_job(state=state, finished_at=NOON - days_ago * DAY, **columns)


def in_time(moments: Iterable[float]) -> Pruner:
    """A pruner for which these are the seconds, one by one, whenever it asks."""
    return Pruner(timer=iter(moments).__next__)


def left() -> set[int]:
    return set(Job.objects.values_list("pk", flat=True))


def test_successes_are_kept_for_a_week_and_the_others_for_a_month() -> None:
    kept = {
        finished(State.SUCCEEDED, days_ago=6.9).pk,
        finished(State.DEAD, days_ago=29.9).pk,
        finished(State.CANCELLED, days_ago=29.9).pk,
    }
    finished(State.SUCCEEDED, days_ago=7.1)
    finished(State.DEAD, days_ago=30.1)
    finished(State.CANCELLED, days_ago=30.1)

    assert Pruner().run_once(now=NOON) == 3
    assert left() == kept


def test_a_queue_that_keeps_its_jobs_for_ever_is_left_alone() -> None:
    Queue.objects.update(retain_succeeded_seconds=None, retain_failed_seconds=None)
    finished(State.SUCCEEDED, days_ago=1_000)
    finished(State.DEAD, days_ago=1_000)

    assert Pruner().run_once(now=NOON) == 0


def test_unfinished_jobs_are_never_pruned() -> None:
    Queue.objects.update(retain_succeeded_seconds=1)
    stored_job(run_at=NOON - 1_000 * DAY)

    assert Pruner().run_once(now=NOON) == 0


def test_a_pass_is_bounded_and_the_next_one_follows_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LARGEST_PASS", 3)
    for number in range(5):
        finished(State.SUCCEEDED, days_ago=10 + number)
    pruner = Pruner()

    assert pruner.run_once(now=NOON) == 3
    assert pruner.rest(now=NOON) == timedelta(0)
    assert pruner.run_once(now=NOON) == 2
    assert pruner.rest(now=NOON) == pruner.interval


def test_however_many_queues_there_are_it_asks_once_which_have_anything_to_prune() -> None:
    finished(State.SUCCEEDED, days_ago=1)
    with CaptureQueriesContext(connection) as few:
        assert Pruner().run_once(now=NOON) == 0
    Queue.objects.sow({f"queue-{number}": {} for number in range(20)})
    with CaptureQueriesContext(connection) as many:
        assert Pruner().run_once(now=NOON) == 0

    assert len(many) == len(few)


def test_each_queue_keeps_its_jobs_for_its_own_time() -> None:
    Queue.objects.sow({"brief": {"retain_succeeded_seconds": 3600.0}})
    kept = finished(State.SUCCEEDED, days_ago=1)
    stored_job(queue="brief", state=State.SUCCEEDED, finished_at=NOON - DAY)

    assert Pruner().run_once(now=NOON) == 1
    assert left() == {kept.pk}


def test_jobs_that_must_stay_do_not_keep_those_behind_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE", 2)
    unended = Batch.objects.create(name="unended")
    kept = {finished(State.DEAD, days_ago=40, batch=unended).pk for _ in range(5)}
    finished(State.DEAD, days_ago=40)
    finished(State.DEAD, days_ago=39)

    assert Pruner().run_once(now=NOON) == 2
    assert left() == kept


def test_all_that_ended_in_one_moment_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE", 2)
    for _ in range(7):
        finished(State.CANCELLED, days_ago=40)

    assert Pruner().run_once(now=NOON) == 7


@pytest.mark.parametrize("longer", [None, 365 * DAY.total_seconds()])
def test_what_may_be_kept_for_longer_from_now_on_is_kept(
    longer: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_PASS", 3)
    for _ in range(5):
        finished(State.DEAD, days_ago=40)
    pruner = Pruner()
    assert pruner.run_once(now=NOON) == 3
    Queue.objects.update(retain_failed_seconds=longer)

    assert pruner.run_once(now=NOON) == 0
    assert pruner.rest(now=NOON) == pruner.interval
    assert len(left()) == 2


@pytest.mark.parametrize("state", [State.READY, State.RUNNING])
def test_beside_jobs_a_pass_is_short_and_a_rest_follows(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE", 640)
    monkeypatch.setattr(module, "LARGEST_PASS", 6_000)
    busy = process_named("busy") if state is State.RUNNING else None
    stored_job(state=state, process=busy)
    Job.objects.bulk_create(
        Job(
            queue="default",
            kind="app.noop",
            payload={},
            run_at=NOON,
            state=State.SUCCEEDED,
            finished_at=NOON - 10 * DAY,
        )
        for _ in range(2_020)
    )
    pruner = in_time([0, 0.02, 1, 1.06, 2, 2.5, 3])

    assert [pruner.run_once(now=NOON), pruner.rest(now=NOON)] == [640, timedelta(seconds=0.08)]
    assert [pruner.run_once(now=NOON), pruner.rest(now=NOON)] == [640, timedelta(seconds=0.06)]
    assert [pruner.run_once(now=NOON), pruner.rest(now=NOON)] == [640, timedelta(seconds=0.5)]
    assert [pruner.run_once(now=NOON), pruner.rest(now=NOON)] == [100, pruner.interval]


def test_jobs_that_are_still_to_come_are_none_to_give_way_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SLICE", 1)
    stored_job(state=State.SCHEDULED, run_at=NOON + DAY)
    for _ in range(3):
        finished(State.SUCCEEDED, days_ago=10)

    assert Pruner().run_once(now=NOON) == 3
