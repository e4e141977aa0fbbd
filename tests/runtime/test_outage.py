"""Riding out trouble with the database."""

from collections.abc import Iterator
from threading import Event

import pytest
from django.db import DataError, OperationalError, connection

from forge_jobs.runtime import outage
from forge_jobs.runtime.outage import Outage, Stopped, ride_out
from forge_jobs.signals import database_recovered

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(outage, "FIRST_DELAY", 0.01)
    yield
    connection.close()


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


def test_delays_grow_up_to_two_seconds_lest_a_failover_is_slept_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outage, "FIRST_DELAY", 0.1)
    troubled = Outage("testing")
    delays = [troubled.trouble(OperationalError()) for _ in range(12)]

    assert delays[0] == pytest.approx(0.1, rel=0.25)
    assert delays[3] == pytest.approx(0.8, rel=0.25)
    assert max(delays) <= 2 * 1.2
    assert delays[-1] == pytest.approx(2, rel=0.25)
