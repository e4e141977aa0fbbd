"""PostgreSQL: what an atomic handler asks takes its transaction along, which costs no message."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from threading import Lock, Thread, get_ident
from types import FrameType

import pytest
from django.db import Error, ProgrammingError, connection, transaction

from forge_jobs import job
from forge_jobs.exceptions import JobTimedOut
from forge_jobs.models import Job, State
from forge_jobs.runtime.running.striking import take_back
from tests.app.models import Effect
from tests.running import PATIENCE, drain

if connection.vendor != "postgresql":
    pytest.skip("SQLite is sent no messages", allow_module_level=True)

from psycopg import IsolationLevel, pq

from forge_jobs.db.postgresql import beginning_late

pytestmark = pytest.mark.django_db(transaction=True)

MOST_STRIKES = 2_000
"""Of which a statement has a tenth."""

DIVIDING_AT_COMMIT = """
CREATE FUNCTION tests_divide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1 / 0; END';
CREATE CONSTRAINT TRIGGER tests_divide AFTER INSERT ON app_effect
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tests_divide()
"""


def questions(trace: Path) -> list[str]:
    """What was sent to the server, each by its first words."""
    return re.findall(r'\tQuery\t "\s*(.{12})', trace.read_text())


@contextmanager
def struck(at: int) -> Iterator[None]:
    """Be struck where, for so many times, a function has been entered or left within the block."""
    events = count()

    def strike(frame: FrameType, event: str, argument: object) -> None:
        if event in ("call", "return") and next(events) == at:
            raise JobTimedOut

    take_back(get_ident())  # else Python 3.11 gets no further while one pends in any thread
    sys.setprofile(strike)
    try:
        yield
    finally:
        sys.setprofile(None)


class Yielding:
    """The lock of a session, which another thread takes, asks something, and leaves before ours."""

    def __init__(self, lock: Lock, *, to: Callable[[], object]) -> None:
        self._lock = lock
        self._other = Thread(target=to)

    def __enter__(self) -> None:
        if self._other.ident is None:
            self._other.start()
            self._other.join(PATIENCE)
        self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()


def test_it_begins_with_the_first_and_ends_with_the_success(tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    @job(kind="tests.subject", atomic=True)
    def subject(file: int) -> None:
        pgconn = connection.connection.pgconn
        pgconn.trace(file)
        transaction.on_commit(pgconn.untrace)
        Effect.objects.get().save(update_fields=["number"])

    Effect.objects.create(number=1)
    with trace.open("w") as file:
        subject.enqueue(file=file.fileno())
        drain()

    assert Job.objects.get().state == State.SUCCEEDED
    assert questions(trace) == ["BEGIN;SELECT", 'UPDATE "app_', "WITH settled"]


def test_a_session_that_is_gone_by_the_end_costs_no_attempt() -> None:
    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        Effect.objects.create(number=1)
        with closing(connection.copy()) as other, other.cursor() as cursor:
            pid = connection.connection.info.backend_pid
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    subject.enqueue()
    drain()

    (stored,) = Job.objects.all()
    assert (stored.state, stored.attempt, Effect.objects.count()) == (State.RETRYING, 0, 0)
    assert "costs no attempt" in stored.last_error


def run_to_a_commit_that_divides() -> Job:
    """By zero, and so fails, though its handler does not."""

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        Effect.objects.create(number=1)

    subject.enqueue()
    connection.cursor().execute(DIVIDING_AT_COMMIT)
    try:
        drain()
    finally:
        connection.cursor().execute("DROP FUNCTION tests_divide CASCADE")
    (stored,) = Job.objects.all()
    return stored


def test_a_commit_that_divides_by_zero_is_no_lost_claim() -> None:
    """As a trigger may that is deferred to it: taken for one, the job would run again for ever."""

    stored = run_to_a_commit_that_divides()
    assert (stored.state, stored.attempt, Effect.objects.count()) == (State.RETRYING, 1, 0)
    assert "division by zero" in stored.last_error


@pytest.mark.skipif(
    pq.__impl__ == "python", reason="struck as it makes an answer, the driver cannot unmake that"
)
def test_wherever_its_first_statement_is_struck_nothing_is_written_without_it() -> None:
    """Not even by a handler that goes on to write, as one does that tells what became of it."""
    written = "INSERT INTO app_effect (number, pid, began, ended) VALUES (1, 0, 0, 0)"
    has_ended = False
    for at in range(MOST_STRIKES):
        with suppress(JobTimedOut, Error), transaction.atomic(), beginning_late(connection):
            cursor = connection.cursor()
            try:
                with struck(at):
                    cursor.execute(written)
                has_ended = True
            finally:
                cursor.execute(written)
                transaction.set_rollback(True)
        connection.close()
        assert not Effect.objects.exists(), f"struck at the {at}th"
        if has_ended:
            break
    assert has_ended


def test_a_thread_that_shares_the_session_and_asks_meanwhile_writes_nothing_without_it() -> None:
    """As it may where the handler lends it: the other is let in just before the first statement."""
    written = "INSERT INTO app_effect (number, pid, began, ended) VALUES (1, 0, 0, 0)"

    with transaction.atomic(), beginning_late(connection):
        cursor, session = connection.cursor(), connection.connection
        session.lock = Yielding(session.lock, to=partial(session.cursor().execute, written))
        cursor.execute(written)
        assert Effect.objects.count() == 2
        transaction.set_rollback(True)
    connection.close()

    assert not Effect.objects.exists()


def test_what_follows_is_within_it() -> None:
    with transaction.atomic(), beginning_late(connection), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id(), %s", [1])
        (first, number) = cursor.fetchone()
        assert (number, cursor.rowcount, cursor.nextset()) == (1, 1, None)
        cursor.execute("SELECT pg_current_xact_id()")
        assert cursor.fetchone() == (first,)


def test_of_several_statements_in_one_each_has_its_rows() -> None:
    with transaction.atomic(), beginning_late(connection), connection.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2")
        assert cursor.fetchall() == [(1,)]
        assert cursor.nextset()
        assert cursor.fetchall() == [(2,)]


def test_a_first_statement_that_is_not_even_asked_leaves_all_as_it_was() -> None:
    with transaction.atomic(), beginning_late(connection):
        with pytest.raises(ProgrammingError), connection.cursor() as cursor:
            cursor.execute("SELECT %s", [object()])  # type: ignore[list-item]
        Effect.objects.create(number=1)
        transaction.set_rollback(True)

    assert not Effect.objects.exists()


def test_a_session_with_an_isolation_of_its_own_begins_as_ever() -> None:
    try:
        with transaction.atomic(), beginning_late(connection), connection.cursor() as cursor:
            connection.connection.isolation_level = IsolationLevel.SERIALIZABLE
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("serializable",)
    finally:
        connection.close()


def test_its_isolation_can_be_what_is_said_first() -> None:
    with transaction.atomic(), beginning_late(connection), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("serializable",)


def test_afterwards_cursors_are_as_they_were() -> None:
    connection.ensure_connection()
    before = connection.connection.cursor_factory
    with transaction.atomic(), beginning_late(connection):
        Effect.objects.create(number=1)

    assert connection.connection.cursor_factory is before
    assert connection.connection.autocommit
