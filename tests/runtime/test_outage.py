"""Trouble with the database: when it, and not the job, is to blame for a failure."""

import time
from collections.abc import Iterator
from threading import Event

import pytest
from django.db import DataError, OperationalError, connection

from forge_jobs import job
from forge_jobs.models import State
from forge_jobs.runtime import outage
from forge_jobs.runtime.outage import Outage, Stopped, is_to_blame, ride_out
from forge_jobs.signals import database_recovered
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no server that could go away"
)


@pytest.fixture(autouse=True)
def _no_trouble_so_far(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(outage, "_last_trouble_at", float("-inf"))
    monkeypatch.setattr(outage, "FIRST_DELAY", 0.01)
    yield
    connection.close()


def lost_connection() -> OperationalError:
    """What Django raises when a server has gone away."""
    error = OperationalError("server closed the connection unexpectedly")
    error.__cause__ = ConnectionError()
    return error


def test_a_step_is_repeated_until_the_database_lets_it_through() -> None:
    failures = [OperationalError(), OperationalError()]

    def step() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert ride_out(step, doing="testing", stopping=Event()) == "done"


def test_what_no_repetition_mends_is_raised_at_once() -> None:
    def step() -> None:
        raise DataError

    with pytest.raises(DataError):
        ride_out(step, doing="testing", stopping=Event(), unless=(DataError,))


def test_a_step_that_asks_nothing_of_the_database_is_no_recovery() -> None:
    recoveries: list[str] = []

    def remember(*, doing: str, **kwargs: object) -> None:
        recoveries.append(doing)

    database_recovered.connect(remember)
    try:
        troubled = Outage("testing")
        troubled.trouble(OperationalError())
        troubled.over()
        assert not recoveries
        connection.ensure_connection()
        troubled.over()
    finally:
        database_recovered.disconnect(remember)

    assert recoveries == ["testing"]


def test_a_stop_ends_the_waiting() -> None:
    stopping = Event()

    def step() -> None:
        stopping.set()
        raise OperationalError

    with pytest.raises(Stopped):
        ride_out(step, doing="testing", stopping=stopping)


def test_delays_grow_up_to_30_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "FIRST_DELAY", 0.1)
    troubled = Outage("testing")
    delays = [troubled.trouble(OperationalError()) for _ in range(12)]

    assert delays[0] == pytest.approx(0.1, rel=0.25)
    assert delays[3] == pytest.approx(0.8, rel=0.25)
    assert max(delays) <= 30 * 1.2
    assert delays[-1] == pytest.approx(30, rel=0.25)


@on_postgresql
def test_a_lost_connection_alone_is_the_handler_s_own_fault() -> None:
    assert not is_to_blame(lost_connection(), since=time.monotonic() - 1)


@on_postgresql
def test_a_lost_connection_is_excused_if_others_had_trouble_too() -> None:
    began = time.monotonic()
    Outage("testing").trouble(OperationalError())

    assert is_to_blame(lost_connection(), since=began)
    assert not is_to_blame(lost_connection(), since=time.monotonic() + 1)


@on_postgresql
def test_a_lost_connection_is_excused_if_the_server_was_started_since() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - pg_postmaster_start_time())")
        (seconds_up,) = cursor.fetchone()

    assert is_to_blame(lost_connection(), since=time.monotonic() - float(seconds_up) - 60)


@on_postgresql
def test_a_lost_connection_is_excused_if_the_server_can_not_be_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    connection.close()
    monkeypatch.setattr(connection, "connect", refuse)

    assert is_to_blame(lost_connection(), since=time.monotonic())


@on_postgresql
def test_a_lost_connection_is_recognised_behind_the_error_that_it_led_to() -> None:
    began = time.monotonic()
    Outage("testing").trouble(OperationalError())
    wrapped = RuntimeError("could not save")
    wrapped.__cause__ = lost_connection()

    assert is_to_blame(wrapped, since=began)


def test_other_errors_are_never_excused() -> None:
    began = time.monotonic()
    Outage("testing").trouble(OperationalError())

    assert not is_to_blame(ZeroDivisionError(), since=began)
    assert not is_to_blame(DataError(), since=began)


@on_postgresql
def test_a_handler_that_kills_its_own_connection_spends_an_attempt() -> None:
    @job(kind="tests.subject", max_attempts=1)
    def subject() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, stored.attempt) == (State.DEAD, 1)
