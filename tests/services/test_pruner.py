"""The pruner: finished jobs go when their queue has kept them for long enough."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forge_jobs.models import Job, Queue, State
from forge_jobs.services import pruner as module
from forge_jobs.services.pruner import Pruner
from tests.conftest import NOON
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _queue() -> None:
    Queue.objects.sow({"default": {}})


def finished(state: State, *, days_ago: float) -> Job:
    return stored_job(state=state, finished_at=NOON - days_ago * DAY)


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
