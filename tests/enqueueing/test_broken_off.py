"""PostgreSQL: what breaks off or stands beside an enqueue at once leaves a session that works."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from forge_jobs.exceptions import JobKilled
from forge_jobs.models import Job
from tests.app.jobs import noop
from tests.wake.test_bursts import Heard

if connection.vendor != "postgresql":
    pytest.skip("SQLite tells nobody", allow_module_level=True)

from forge_jobs.db.postgresql import prepared
from forge_jobs.db.postgresql.pipeline import Pipeline
from forge_jobs.exceptions import KeyUnavailable
from forge_jobs.wake import postgresql

pytestmark = pytest.mark.django_db(transaction=True)

NONE_IS_STORED = """
CREATE FUNCTION left_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER left_out BEFORE INSERT ON forge_jobs_job FOR EACH ROW EXECUTE FUNCTION left_out()
"""

THE_SESSION_IS_ENDED = """
CREATE FUNCTION ended() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(30); END';
CREATE TRIGGER ended BEFORE INSERT ON forge_jobs_job FOR EACH ROW EXECUTE FUNCTION ended()
"""


@pytest.fixture(autouse=True)
def _no_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "BURST_SECONDS", 0.0)
    monkeypatch.setattr(postgresql, "AGAIN_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def _session() -> Iterator[None]:
    """One that has enqueued often enough."""
    renew_session()
    yield
    connection.close()


def renew_session() -> None:
    connection.close()
    for _ in range(prepared.MANY):
        noop.enqueue()


def ask(question: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(question)


class Strike:
    """Kills the job of this thread at one of the places where that can be, the `at`th.

    They lie before and after all that a `Pipeline` asks of the driver's connection.
    """

    def __init__(self, *, at: int, patched: pytest.MonkeyPatch) -> None:
        self._left = at
        self._patched = patched

    def __enter__(self) -> "Strike":
        begin = Pipeline.__init__

        def struck(pipeline: Pipeline, *arguments: Any) -> None:
            begin(pipeline, *arguments)
            pipeline._pgconn = Struck(pipeline._pgconn, self)

        self._patched.setattr(Pipeline, "__init__", struck)
        return self

    def __exit__(self, error: type[BaseException] | None, *exc_info: object) -> bool:
        return error is JobKilled

    @property
    def is_over(self) -> bool:
        return self._left > 0

    def reach_place(self) -> None:
        self._left -= 1
        if not self._left:
            raise JobKilled


class Struck:
    """Stands before the driver's connection."""

    def __init__(self, pgconn: Any, strike: Strike) -> None:
        self._pgconn = pgconn
        self._strike = strike

    def __getattr__(self, name: str) -> Any:
        self._strike.reach_place()
        found = getattr(self._pgconn, name)
        if not callable(found):
            return found

        def called(*arguments: Any) -> Any:
            answer = found(*arguments)
            self._strike.reach_place()
            return answer

        return called


@pytest.mark.parametrize("burst", [0.0, 3600.0])
def test_wherever_a_job_is_killed_its_session_goes_on(
    burst: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "BURST_SECONDS", burst)
    monkeypatch.setattr(postgresql, "AGAIN_SECONDS", burst / 2)
    place, strike = 0, None
    while strike is None or not strike.is_over:
        place += 1
        assert place < 1_000, "there is no end of places"
        with pytest.MonkeyPatch.context() as patched, Strike(at=place, patched=patched) as strike:
            noop.enqueue()
        assert noop.enqueue().pk == Job.objects.latest("pk").pk, place
        if not prepared.is_used(connection.connection):
            renew_session()
    assert place > 20


@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_who_waits_no_longer_than_so_long_waits_once(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noop.enqueue()
    monkeypatch.setattr("forge_jobs.db.LOCKED_DELAYS", ())
    monkeypatch.setattr("forge_jobs.enqueueing.insertion._stored", None)
    session, other = connection.connection, connection.copy()
    ask(f"SET {limit} = '100ms'")
    with other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE forge_jobs_job IN EXCLUSIVE MODE")
        try:
            with pytest.raises(OperationalError, match=limit.replace("_", " ")):
                noop.enqueue()
        finally:
            other.close()

    assert noop.enqueue().pk == Job.objects.latest("pk").pk
    assert connection.connection is session


def test_who_loses_the_session_while_a_job_is_stored_hears_why() -> None:
    ask(THE_SESSION_IS_ENDED)
    try:
        with pytest.raises(OperationalError, match="terminating") as lost:
            noop.enqueue()
    finally:
        connection.close()
        ask("DROP FUNCTION ended CASCADE")

    assert isinstance(lost.value.__cause__, psycopg.errors.AdminShutdown)


def test_a_session_whose_wake_was_refused_once_wakes_others_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(postgresql.KEPT, 1, ("forge_jobs_notify", "SELECT nowhere WHERE $1 = ''"))
        noop.enqueue()

    with Heard() as heard:
        noop.enqueue()
        assert heard.all() == ["default"]


def test_a_session_that_listens_is_told_what_came_along() -> None:
    heard: list[str] = []
    connection.connection.add_notify_handler(lambda note: heard.append(note.payload))
    ask("LISTEN forge_jobs")

    noop.enqueue()

    assert heard == ["default"]


def test_what_a_trigger_leaves_out_is_told_to_nobody_and_brings_no_notice() -> None:
    notices: list[str | None] = []
    connection.connection.add_notice_handler(lambda said: notices.append(said.message_primary))
    ask(NONE_IS_STORED)
    try:
        with Heard() as heard:
            with pytest.raises(KeyUnavailable):
                noop.enqueue()
            assert heard.all() == []
    finally:
        ask("DROP FUNCTION left_out CASCADE")
    assert "out of range" not in str(notices)


def test_a_wrapper_whose_cursors_are_others_is_asked_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "cursor", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        noop.enqueue()


class Traced:
    """What stands for a session where somebody wants to see what it is asked."""

    def __init__(self, session: psycopg.Connection) -> None:
        vars(self).update(session=session, cursors=0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.session, name, value)

    def __eq__(self, other: object) -> bool:
        return bool(self.session == other)

    def __hash__(self) -> int:
        return hash(self.session)

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        vars(self)["cursors"] += 1
        return self.session.cursor(*args, **kwargs)


def test_who_stands_before_a_session_sees_both() -> None:
    traced = Traced(connection.connection)
    connection.connection = traced

    noop.enqueue()

    assert traced.cursors == 2
