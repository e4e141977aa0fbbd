"""A handler may do what it likes; the next job finds a clean worker."""

import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone, translation

from forge_jobs import job
from forge_jobs.models import Job, State
from tests.app.models import Effect
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)


def opens_a_transaction() -> None:
    transaction.atomic().__enter__()
    Effect.objects.create(number=1)


def turns_autocommit_off() -> None:
    transaction.set_autocommit(False)
    Effect.objects.create(number=1)


def closes_the_connection() -> None:
    connection.close()


def breaks_the_connection() -> None:
    connection.ensure_connection()
    connection.connection.close()


def moves_to_another_time_zone() -> None:
    timezone.activate("Asia/Kathmandu")
    translation.activate("de")


@pytest.mark.parametrize(
    "misbehave",
    [
        opens_a_transaction,
        turns_autocommit_off,
        closes_the_connection,
        breaks_the_connection,
        moves_to_another_time_zone,
    ],
)
def test_the_next_job_on_the_thread_is_not_touched(misbehave: Callable[[], None]) -> None:
    @job(kind="tests.misbehave", max_attempts=1)
    def first() -> None:
        misbehave()

    @job(kind="tests.behave", max_attempts=1)
    def second() -> list[str]:
        with transaction.atomic():
            Effect.objects.create(number=2)
        return [timezone.get_current_timezone_name(), translation.get_language()]

    zone, language = timezone.get_current_timezone_name(), translation.get_language()
    first.enqueue()
    behaved = second.enqueue()
    drain(threads=1)

    behaved.refresh_from_db()
    assert (behaved.state, behaved.result) == (State.SUCCEEDED, [zone, language])
    assert list(Effect.objects.values_list("number", flat=True)) == [2]


def test_a_handler_past_its_timeout_is_ended() -> None:
    @job(kind="tests.spin", timeout=0.1, max_attempts=1)
    def spin() -> None:
        while True:
            try:
                time.sleep(0.001)
            except Exception:  # noqa: S112 - that is the point
                continue

    stored = spin.enqueue()
    drain()

    stored.refresh_from_db()
    assert stored.state == State.DEAD
    assert stored.last_error.startswith("Timed out after 0.1 s")


def test_a_timeout_spares_the_jobs_that_finish_in_time() -> None:
    @job(kind="tests.quick", timeout=30)
    def quick() -> None:
        pass

    quick.enqueue_many([{}] * 200)
    drain()

    assert Job.objects.filter(state=State.SUCCEEDED).count() == 200
