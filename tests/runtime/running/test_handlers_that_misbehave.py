"""A handler may do what it likes; the next job finds a clean worker."""

import contextlib
import io
import sys
import time
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone, translation

from forge_jobs import job
from forge_jobs.models import Job, State
from tests.app.models import Effect
from tests.running import drain

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Connections that a handler leaves open are the collector's, who complains.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _connections_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between jobs too, so that one could leave its traces in them."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", None)


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


def moves_its_session_to_another_time_zone() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET TIME ZONE 'Asia/Kathmandu'")


def leaves_connections_open() -> None:
    for _ in range(5):
        connection.copy().ensure_connection()


def exits() -> None:
    sys.exit(3)


def is_interrupted() -> None:
    raise KeyboardInterrupt


def prints_to_a_closed_stream() -> None:
    stream = io.StringIO()
    stream.close()
    with contextlib.redirect_stdout(stream):
        print("nobody reads this")


def returns_what_is_not_json() -> object:
    return {"connection": connection}


@pytest.mark.parametrize(
    "misbehave",
    [
        opens_a_transaction,
        turns_autocommit_off,
        closes_the_connection,
        breaks_the_connection,
        moves_to_another_time_zone,
        moves_its_session_to_another_time_zone,
        leaves_connections_open,
        exits,
        is_interrupted,
        prints_to_a_closed_stream,
        returns_what_is_not_json,
    ],
)
def test_the_next_job_on_the_thread_is_not_touched(misbehave: Callable[[], object]) -> None:
    @job(kind="tests.misbehave", max_attempts=1)
    def first() -> object:
        return misbehave()

    @job(kind="tests.behave", max_attempts=1)
    def second() -> list[str]:
        with transaction.atomic():
            Effect.objects.create(number=2)
            if connection.vendor == "postgresql":
                assert connection.connection.info.parameter_status("TimeZone") == "UTC"
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
