"""A run that lost its session by no fault of its own is forgiven, a few times in a row."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, connections

from forge_jobs import clock, job
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.outcomes import Interrupted, Released
from forge_jobs.handlers.settlement_texts import FORGIVEN
from forge_jobs.models import Job, State
from forge_jobs.runtime.running import interruption
from forge_jobs.runtime.running.interruption import MOST_IN_A_ROW, excuse
from tests.app.models import Effect
from tests.running import drain

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite has no server that could go away"
    ),
]


@pytest.fixture(autouse=True)
def _closed_at_the_end() -> Iterator[None]:
    connection.close()
    yield
    connection.close()


def lost(sqlstate: str | None = None) -> OperationalError:
    """What Django raises when a session has been lost."""
    cause = Exception("terminating connection")
    cause.sqlstate = sqlstate  # type: ignore[attr-defined] # as drivers do
    error = OperationalError("terminating connection")
    error.__cause__ = cause
    return error


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def claimed() -> ClaimedJob:
    @job(kind="tests.subject", max_attempts=1)
    def subject() -> None: ...

    stored = subject.enqueue()
    row = (stored.pk, "default", "tests.subject", "{}", "{}", 0, None, 1, 1, None)
    return ClaimedJob(*row, claimed_at="")


def test_what_the_server_did_to_a_session_is_forgiven(claimed: ClaimedJob) -> None:
    for code in ("57P01", "57P02", "57P03", "08006", None):
        assert isinstance(excuse(lost(code), claimed, stopping=Event()), Interrupted), code


def test_what_took_too_long_is_the_handler_s_own_failure(claimed: ClaimedJob) -> None:
    for code in ("57P05", "25P03", "25P04", "57014", "40001", "55P03"):
        assert excuse(lost(code), claimed, stopping=Event()) is None, code


def test_the_first_error_with_a_code_decides(claimed: ClaimedJob) -> None:
    after_the_end = lost()
    after_the_end.__context__ = lost("57P05")

    assert excuse(after_the_end, claimed, stopping=Event()) is None


def test_a_lost_session_is_recognised_behind_the_error_that_it_led_to(claimed: ClaimedJob) -> None:
    wrapped = RuntimeError("could not save")
    wrapped.__cause__ = lost("57P01")
    circle = RuntimeError("round and round")
    circle.__cause__ = RuntimeError()
    circle.__cause__.__cause__ = circle

    assert isinstance(excuse(wrapped, claimed, stopping=Event()), Interrupted)
    assert excuse(circle, claimed, stopping=Event()) is None


def test_other_errors_are_never_forgiven(claimed: ClaimedJob) -> None:
    for error in (ZeroDivisionError(), DataError(), IntegrityError()):
        assert excuse(error, claimed, stopping=Event()) is None


def test_trouble_with_another_database_is_the_handler_s_concern(
    claimed: ClaimedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings, "elsewhere", connections.settings["default"])
    connections["elsewhere"].errors_occurred = True
    try:
        assert excuse(lost(), claimed, stopping=Event()) is None
    finally:
        del connections["elsewhere"]


def test_it_is_waited_for_until_the_database_answers(
    claimed: ClaimedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [OperationalError("refused"), OperationalError("refused")]
    connect = connection.get_new_connection

    def refuse(parameters: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return connect(parameters)

    connection.close()
    monkeypatch.setattr(connections["default"], "get_new_connection", refuse)

    assert isinstance(excuse(lost(), claimed, stopping=Event()), Interrupted)
    assert not refusals


def test_a_process_that_stops_meanwhile_gives_the_job_back(
    claimed: ClaimedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(parameters: Any) -> None:
        raise OperationalError("refused")

    connection.close()
    monkeypatch.setattr(connections["default"], "get_new_connection", refuse)
    stopping = Event()
    stopping.set()

    assert isinstance(excuse(lost(), claimed, stopping=stopping), Released)


def test_delays_grow_up_to_a_minute(claimed: ClaimedJob) -> None:
    delays = []
    for _ in range(MOST_IN_A_ROW):
        outcome = excuse(lost("57P01"), claimed, stopping=Event())
        assert isinstance(outcome, Interrupted)
        delays.append(outcome.delay.total_seconds())
        errors = [*Job.objects.get().errors, {FORGIVEN: True, "message": outcome.message}]
        Job.objects.update(errors=errors)

    assert delays == [1, 3, 9, 27, 60]
    assert excuse(lost("57P01"), claimed, stopping=Event()) is None


def test_a_failure_in_between_begins_a_new_row(claimed: ClaimedJob) -> None:
    forgiven = [{FORGIVEN: True, "message": "lost"}] * MOST_IN_A_ROW
    Job.objects.update(errors=[*forgiven, {"message": "failed", "attempt": 1}])

    assert isinstance(excuse(lost(), claimed, stopping=Event()), Interrupted)


@pytest.fixture
def _no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain does not wait for what is due later."""
    monkeypatch.setattr(interruption, "LONGEST_DELAY", timedelta(0))


def drain_until_the_end(stored: Job) -> None:
    for _ in range(20):
        drain()
        stored.refresh_from_db()
        if stored.state in (State.DEAD, State.SUCCEEDED):
            return
        Job.objects.update(run_at=clock.now() - timedelta(seconds=1))


@pytest.mark.usefixtures("_no_delay")
def test_a_handler_that_ends_its_own_session_each_time_dies_in_the_end() -> None:
    runs = itertools.count()

    @job(kind="tests.subject", max_attempts=2)
    def subject() -> None:
        next(runs)
        execute("SELECT pg_terminate_backend(pg_backend_pid())")

    stored = subject.enqueue()
    drain_until_the_end(stored)

    assert (stored.state, stored.attempt) == (State.DEAD, 2)
    assert next(runs) == 2 * (MOST_IN_A_ROW + 1)
    assert len(stored.errors) == 2 * (MOST_IN_A_ROW + 1)
    assert stored.errors[0]["message"].startswith("Its session with the database was lost")


def idles_for_too_long() -> None:
    execute("SET idle_session_timeout = '50ms'")
    Event().wait(0.5)
    Effect.objects.create(number=1)


def asks_for_too_long() -> None:
    execute("SET statement_timeout = '20ms'")
    execute("SELECT pg_sleep(5)")


def forbids_itself_to_write() -> None:
    execute("SET default_transaction_read_only = on")
    Effect.objects.create(number=1)


@pytest.mark.parametrize("handle", [idles_for_too_long, asks_for_too_long, forbids_itself_to_write])
def test_what_a_handler_brings_upon_itself_spends_an_attempt(handle: Callable[[], None]) -> None:
    @job(kind="tests.subject", max_attempts=1)
    def subject() -> None:
        handle()

    stored = subject.enqueue()
    drain()

    stored.refresh_from_db()
    assert (stored.state, stored.attempt) == (State.DEAD, 1)


@pytest.mark.usefixtures("_no_delay")
def test_a_server_that_lets_nobody_write_costs_no_attempt() -> None:
    @job(kind="tests.subject", max_attempts=1)
    def subject(database: str) -> None:
        if Effect.objects.exists():
            return
        Effect.objects.create(number=1)
        execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
        connection.close()
        try:
            Effect.objects.create(number=2)
        finally:
            execute("SET default_transaction_read_only = off")
            execute(f'ALTER DATABASE "{database}" RESET default_transaction_read_only')
            execute("RESET default_transaction_read_only")

    stored = subject.enqueue(database=connection.settings_dict["NAME"])
    drain_until_the_end(stored)

    assert (stored.state, stored.attempt) == (State.SUCCEEDED, 1)
    assert "read-only" in json.dumps(stored.errors)
