"""The balancer: a queue's workers, shared out fairly among the processes that serve it."""

from datetime import timedelta

import pytest

from forge_jobs.models import Process, ProcessState, Queue, SlotAssignment
from forge_jobs.services.balancer import Balancer, split
from tests.conftest import NOON
from tests.factories import process_named

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("slots", "processes", "shares"),
    [
        (10, [1, 2, 3], [4, 3, 3]),
        (3, [1, 2, 3, 4], [1, 1, 1, 0]),
        (0, [1, 2], [0, 0]),
        (5, [], []),
    ],
)
def test_what_is_left_over_goes_to_the_first(
    slots: int, processes: list[int], shares: list[int]
) -> None:
    assert list(split(slots, processes).values()) == shares


def serving(*names: str, queue: str = "mail", **columns: object) -> list[Process]:
    return [process_named(name, queues=[queue], **columns) for name in names]


def shares() -> dict[str, int]:
    return dict(SlotAssignment.objects.values_list("process__name", "slots"))


def limit(max_workers: int | None) -> None:
    Queue.objects.update_or_create(name="mail", defaults={"max_workers": max_workers})


def test_only_live_processes_that_serve_the_queue_and_claim_get_a_share() -> None:
    limit(10)
    serving("a", "b")
    serving("elsewhere", queue="other")
    serving("silent", heartbeat_at=NOON - timedelta(minutes=1))
    serving("quiet", state=ProcessState.QUIET)
    Balancer().run_once(now=NOON)

    assert shares() == {"a": 5, "b": 5}


def test_a_process_that_leaves_gives_back_its_share() -> None:
    limit(10)
    first, *_ = serving("a", "b", "c")
    Balancer().run_once(now=NOON)
    first.delete()
    assert Balancer().run_once(now=NOON) == 3

    assert shares() == {"b": 5, "c": 5}


def test_a_limit_that_is_lifted_leaves_no_shares() -> None:
    limit(10)
    serving("a")
    Balancer().run_once(now=NOON)
    limit(None)
    Balancer().run_once(now=NOON)

    assert shares() == {}


def test_nothing_is_written_when_nothing_changes() -> None:
    limit(10)
    serving("a", "b")
    Balancer().run_once(now=NOON)

    assert Balancer().run_once(now=NOON) == 0
