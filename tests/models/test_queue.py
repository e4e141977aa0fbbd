"""Queue rows: what settings declare and operators change, and how long throttles last."""

from datetime import timedelta

import pytest

from forge_jobs.models import Queue
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def sow(**columns: object) -> Queue:
    Queue.objects.sow({"mail": columns})
    queue: Queue = Queue.objects.get(name="mail")
    return queue


def test_a_declared_queue_gets_a_row_with_what_is_declared() -> None:
    assert sow(throttle_base_seconds=7.0).throttle_base_seconds == 7


def test_an_operator_s_change_is_kept_when_processes_start_again() -> None:
    sow(throttle_base_seconds=7.0)
    Queue.objects.update(throttle_base_seconds=9)

    assert sow(throttle_base_seconds=7.0).throttle_base_seconds == 9


def test_a_declaration_that_changes_is_followed() -> None:
    sow(throttle_base_seconds=7.0, budget="slack")
    Queue.objects.update(budget="other")
    queue = sow(throttle_base_seconds=8.0, budget="slack")

    assert (queue.throttle_base_seconds, queue.budget) == (8, "other")


def throttled(*, after: float, retry_after: float = 0) -> Queue:
    now = NOON + after * SECOND
    Queue.objects.throttle("mail", retry_after=retry_after * SECOND, now=now)
    queue: Queue = Queue.objects.get(name="mail")
    return queue


def until(queue: Queue) -> float:
    assert queue.throttled_until
    return (queue.throttled_until - NOON).total_seconds()


def test_a_throttle_lasts_as_long_as_was_asked_or_as_the_curve_says() -> None:
    sow(throttle_base_seconds=5.0)

    assert until(throttled(after=0, retry_after=2)) == 5
    assert until(throttled(after=5, retry_after=60)) == 65


def test_each_window_is_twice_as_long_as_the_last_up_to_the_cap() -> None:
    sow(throttle_base_seconds=5.0, throttle_cap_seconds=18.0)
    ends = [until(throttled(after=start)) for start in (0, 10, 30, 60)]

    assert ends == [5, 20, 48, 78]


def test_only_the_first_throttle_of_a_window_counts() -> None:
    sow(throttle_base_seconds=5.0)
    throttled(after=0)
    queue = throttled(after=1, retry_after=30)

    assert (until(queue), queue.throttle_attempts) == (31, 1)


@pytest.mark.parametrize(("after", "attempts"), [(5 + 119, 1), (5 + 120, 0)])
def test_a_late_success_makes_the_next_window_short_again(after: float, attempts: int) -> None:
    sow(throttle_base_seconds=5.0)
    throttled(after=0)
    Queue.objects.calm("mail", now=NOON + after * SECOND)

    assert Queue.objects.get().throttle_attempts == attempts
