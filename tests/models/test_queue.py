"""Queue rows: what settings declare and operators change, and how long throttles last."""

from datetime import timedelta

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import connection

from forge_jobs import db
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


def test_a_verb_tells_whether_it_changed_anything() -> None:
    sow()

    assert [Queue.objects.pause("mail"), Queue.objects.pause("mail")] == [True, False]
    assert [Queue.objects.resume("mail"), Queue.objects.resume("mail")] == [True, False]
    assert [Queue.objects.pause("nobody's"), Queue.objects.resume("nobody's")] == [False, False]


def test_a_cooling_is_ended_with_all_that_led_to_it() -> None:
    sow()
    throttled(after=0)
    throttled(after=6)

    assert Queue.objects.cool_off("mail", now=NOON + 7 * SECOND)
    assert (Queue.objects.get().throttled_until, Queue.objects.get().throttle_attempts) == (None, 0)
    assert not Queue.objects.cool_off("mail", now=NOON + 7 * SECOND)


def test_a_queue_is_retuned_in_the_named_columns_only() -> None:
    sow(budget="slack")
    Queue.objects.pause("mail")

    assert Queue.objects.retune("mail", max_workers=3, retain_failed_seconds=None)
    assert not Queue.objects.retune("mail", max_workers=3, retain_failed_seconds=None)
    assert Queue.objects.retune("mail", max_workers=None)
    queue = Queue.objects.get()
    assert (queue.max_workers, queue.retain_failed_seconds) == (None, None)
    assert (queue.is_paused, queue.budget) == (True, "slack")


def test_a_queue_can_not_be_retuned_in_what_is_no_column() -> None:
    sow()
    with pytest.raises(FieldDoesNotExist):
        Queue.objects.retune("mail", max_worker=3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_what_others_hold_is_seen_as_of_now_even_where_a_project_asks_for_one_snapshot() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_isolation TO 'repeatable read'")
        with db.read_committed():
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("read committed",)
        cursor.execute("RESET default_transaction_isolation")
