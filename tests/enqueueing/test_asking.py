"""PostgreSQL: a job is stored without cursors that only it would use, and nobody is to notice.

Neither who looks on, nor who is refused, nor whoever else is in the transaction.
"""

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import IntegrityError, InternalError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext
from psycopg import IsolationLevel
from psycopg.errors import CheckViolation, QueryCanceled

from forge_jobs import clock
from forge_jobs.models import Job
from forge_jobs.states import State
from tests.app.jobs import fork_and_come_back as spoken
from tests.app.jobs import noop
from tests.enqueueing.onlookers import executed
from tests.wake.test_bursts import Heard

if connection.vendor != "postgresql":
    pytest.skip("SQLite's driver is asked as ever", allow_module_level=True)

from forge_jobs.db.postgresql import asking
from forge_jobs.wake import postgresql

pytestmark = pytest.mark.django_db(transaction=True)

HARD = ["it's", "\\", "\\'; --", "100 % %s %(a)s", "ü €", "\n", "'", '"', "$1", "\ufeff"]


@pytest.fixture(autouse=True)
def _no_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "BURST_SECONDS", 0.0)
    monkeypatch.setattr(postgresql, "AGAIN_SECONDS", 0.0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that went to the server without a cursor that only they would use."""
    texts: list[str] = []
    make = asking._Asking.__init__

    def noted(cursor: Any, session: Any, statement: str, text: str) -> None:
        texts.extend([text] * ("INSERT" in text))
        make(cursor, session, statement, text)

    monkeypatch.setattr(asking._Asking, "__init__", noted)
    return texts


@pytest.fixture
def _refusing() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE forge_jobs_job ADD CONSTRAINT none CHECK (priority < 50)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE forge_jobs_job DROP CONSTRAINT none")


def columns(job: Job) -> dict[str, Any]:
    return {field.attname: getattr(job, field.attname) for field in Job._meta.concrete_fields}


@pytest.mark.parametrize("text", HARD)
def test_whatever_a_text_has_in_it_is_stored(text: str, asked: list[str]) -> None:
    with transaction.atomic():
        job = spoken.using(
            dedupe_key=text, idempotency_key=text, concurrency_key=text, context={text: text}
        ).enqueue(how=text)

    assert len(asked) == 1
    stored = Job.objects.get(pk=job.pk)
    assert (stored.payload, stored.context) == ({"how": text}, {text: text})
    assert {stored.dedupe_key, stored.idempotency_key, stored.concurrency_key} == {text}


def test_the_job_is_as_it_is_stored(asked: list[str]) -> None:
    with transaction.atomic():
        soon = spoken.using(priority=-3, max_attempts=None, timeout=1.5).enqueue(how="now")
        later = spoken.using(delay=3600, expires_in=timedelta(days=1)).enqueue(how="later")

    assert [text.startswith("BEGIN") for text in asked] == [True, False]
    for job in (soon, later):
        assert columns(job) == columns(Job.objects.get(pk=job.pk))
    assert later.run_at > clock.now()


def test_what_is_rolled_back_is_gone_though_the_job_began_the_transaction(
    asked: list[str],
) -> None:
    with Heard() as heard:
        with transaction.atomic():
            noop.enqueue()
            transaction.set_rollback(True)
        assert heard.all() == []

    assert (len(asked), Job.objects.exists()) == (1, False)


def test_a_savepoint_takes_back_only_its_own(asked: list[str]) -> None:
    with transaction.atomic():
        kept = noop.enqueue()
        with transaction.atomic():
            noop.enqueue()
            transaction.set_rollback(True)

    assert (len(asked), Job.objects.get()) == (2, kept)


def test_a_key_that_is_taken_gives_the_job_that_has_it(asked: list[str]) -> None:
    with transaction.atomic():
        first = noop.using(dedupe_key="a").enqueue()
        second = noop.using(dedupe_key="a").enqueue()

    assert (len(asked), second.pk, second.was_deduplicated) == (2, first.pk, True)


@pytest.mark.usefixtures("_refusing")
@pytest.mark.parametrize("before", [0, 1])
def test_who_is_refused_hears_why_and_can_go_back_to_a_savepoint(
    before: int, asked: list[str]
) -> None:
    with transaction.atomic():
        kept = [noop.enqueue() for _ in range(before)]
        with pytest.raises(IntegrityError, match="none") as refused, transaction.atomic():
            noop.using(priority=60).enqueue()
        kept.append(noop.enqueue())

    assert isinstance(refused.value.__cause__, CheckViolation)
    assert (len(asked), [*Job.objects.order_by("pk")]) == (before + 2, kept)


@pytest.mark.usefixtures("_refusing")
def test_a_transaction_that_was_refused_takes_nothing_more() -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError, match="none"):
            noop.using(priority=60).enqueue()
        with pytest.raises(InternalError, match="aborted"):
            noop.enqueue()
        transaction.set_rollback(True)

    assert noop.enqueue() == Job.objects.get()


@pytest.mark.parametrize("is_in_block", [True, False])
def test_a_session_that_somebody_closed_is_refused_as_by_any_cursor(is_in_block: bool) -> None:
    def enqueue() -> None:
        with transaction.atomic() if is_in_block else nullcontext():
            noop.enqueue()
            connection.connection.close()
            noop.enqueue()

    with pytest.raises(OperationalError, match="closed"):
        enqueue()
    connection.close()

    assert noop.enqueue().pk == Job.objects.latest("pk").pk


def test_who_waits_too_long_is_told_so_and_keeps_the_session(asked: list[str]) -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE forge_jobs_job")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 50")
    session = connection.connection
    with pytest.raises(OperationalError) as refused, transaction.atomic():
        noop.enqueue()
    other.close()

    assert isinstance(refused.value.__cause__, QueryCanceled)
    assert (len(asked), connection.connection) == (1, session)
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")
    assert noop.enqueue() == Job.objects.get()


def test_who_closed_the_session_hears_so_from_django(asked: list[str]) -> None:
    with transaction.atomic():
        connection.close()
        with pytest.raises(OperationalError, match="closed"):
            noop.enqueue()
    connection.ensure_connection()
    connection.connection.close()
    with pytest.raises(OperationalError, match="closed"):
        noop.enqueue()
    connection.close()

    assert asked == []


@pytest.mark.parametrize("value", ["\0", Decimal(1), State.READY, b"", [1]])
def test_what_only_the_driver_can_write_is_left_to_it(value: Any) -> None:
    with transaction.atomic():
        assert asking.asked(connection, "SELECT %s", [value]) is None


def test_who_wants_transactions_otherwise_gets_them_so(asked: list[str]) -> None:
    noop.enqueue()
    connection.connection.isolation_level = IsolationLevel.SERIALIZABLE
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            noop.enqueue()
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("serializable",)
    finally:
        connection.connection.isolation_level = None


def test_in_a_coroutine_it_is_refused_as_ever(asked: list[str]) -> None:
    async def enqueued() -> Job:
        return noop.enqueue()

    with pytest.raises(SynchronousOnlyOperation), transaction.atomic():
        asyncio.run(enqueued())
    assert asked == []


def test_who_counts_queries_counts_it(asked: list[str]) -> None:
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        noop.enqueue()

    assert "INSERT" in queries[1]["sql"]
    assert asked == []


def test_who_replaces_what_cursors_do_sees_it(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = executed(monkeypatch)
    with transaction.atomic():
        noop.enqueue()

    assert (len(asked), seen) == (1, [("INSERT", 16), ("SELECT", 1)])


def test_a_statement_that_somebody_changes_on_its_way_is_sent_as_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute, other = CursorWrapper.execute, connection.copy()

    def commented(cursor: CursorWrapper, sql: Any, params: Any = None) -> Any:
        return execute(cursor, sql.replace("RETURNING", "/* by request 7 */ RETURNING"), params)

    monkeypatch.setattr(CursorWrapper, "execute", commented)
    with transaction.atomic():
        job = noop.enqueue()
        session = connection.connection.info.backend_pid
        with other.cursor() as cursor:
            cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [session])
            (sent,) = cursor.fetchone()
    other.close()

    assert "/* by request 7 */" in sent
    assert Job.objects.get().pk == job.pk
