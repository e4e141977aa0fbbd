"""One claim may be from many queues: all of one that can be had, then those of the next."""

from datetime import timedelta
from typing import Any

import pytest

from forge_jobs.models import Job, Queue, State
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = pytest.mark.django_db


def claimed_from(*queues: str, limit: int = 100) -> list[int]:
    """What a process that knows one kind gets, by priority."""
    claimed = Job.objects.claim_among(
        queues=queues, kinds=["app.noop"], limit=limit, process=process_named("here"), now=NOON
    )
    return [job.priority for job in claimed]


def store(queue: str, *priorities: int, **columns: Any) -> None:
    for priority in priorities:
        stored_job(queue=queue, priority=priority, **columns)


def test_the_queues_come_one_after_the_other_and_the_jobs_of_each_in_their_order() -> None:
    store("a", 1, 3, 2)
    store("b", 9, 8)
    store("c", 7)

    assert claimed_from("b", "empty", "a") == [9, 8, 3, 2, 1]
    assert Job.objects.filter(state=State.RUNNING, attempt=1).count() == 5


def test_no_more_than_the_limit_are_taken_of_all_together() -> None:
    store("a", 1, 2)
    store("b", 5, 4, 3)
    store("c", 9)

    assert claimed_from("a", "b", "c", limit=3) == [2, 1, 5]
    assert Job.objects.ready().count() == 3


def test_queues_that_are_paused_or_cool_down_are_passed_over() -> None:
    for queue, priority in {"a": 1, "paused": 2, "cooling": 3, "b": 4}.items():
        store(queue, priority)
    Queue.objects.create(name="paused", is_paused=True)
    Queue.objects.create(name="cooling", throttled_until=NOON + timedelta(seconds=1))
    Queue.objects.create(name="b", throttled_until=NOON - timedelta(seconds=1))

    assert claimed_from("paused", "a", "cooling", "b") == [1, 4]


def test_of_other_kinds_and_states_nothing_is_taken() -> None:
    store("a", 1, kind="app.effect")
    store("a", 2, state=State.SCHEDULED)
    store("b", 3)

    assert claimed_from("a", "b") == [3]


def test_it_can_be_told_which_of_many_queues_have_jobs_of_a_kind() -> None:
    store("a", 1, kind="app.effect")
    store("b", 1)
    store("c", 1, state=State.SCHEDULED)

    noop, both = ("app.noop",), ("app.noop", "app.effect")
    asked = {noop: ["a", "b", "c", "d"], both: ["a", "c"]}
    assert Job.objects.ready_among(asked) == {(noop, "b"), (both, "a")}


def test_it_can_be_told_of_the_first_jobs_of_each_queue_alone() -> None:
    store("a", 2)
    store("a", 1, kind="app.effect")
    store("b", 3, kind="app.effect")

    effect = ("app.effect",)
    assert Job.objects.ready_among({effect: ["a", "b"]}, depth=1) == {(effect, "b")}
    assert Job.objects.ready_among({effect: ["a", "b"]}, depth=2) == {(effect, "a"), (effect, "b")}


@pytest.mark.parametrize("kind", ['with "quotes"', "with, commas", r"with \ and }", " blank "])
def test_whatever_a_kind_is_called_it_can_be_asked_for(kind: str) -> None:
    store("a", 1, kind=kind)

    assert Job.objects.ready_among({(kind, "app.noop"): ["a", "b"]}) == {((kind, "app.noop"), "a")}
