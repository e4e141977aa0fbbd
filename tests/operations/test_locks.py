"""A lock that is held for too long is told of, with the session that holds it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from forge_jobs import clock, db
from forge_jobs.dashboard.diagnosis import diagnose
from forge_jobs.dashboard.facts import read_facts
from forge_jobs.dashboard.verdict import Verdict
from forge_jobs.models import Queue
from forge_jobs.operations import locks
from forge_jobs.operations.ailments import ailments
from forge_jobs.operations.locks import held_locks, lock_on, write_lock
from forge_jobs.services.lookout import Lookout
from forge_jobs.signals import locks_held
from tests.app.jobs import effect
from tests.factories import process_named

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's alone")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's alone")


@pytest.fixture
def stranger() -> Iterator[Any]:
    """A cursor of another session, in a transaction."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE" if other.vendor == "sqlite" else "BEGIN")
        yield cursor
        cursor.execute("ROLLBACK")
    other.close()


@pytest.fixture
def locked(stranger: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """A queue's row is locked, from within a savepoint; the pid of who locked it."""
    monkeypatch.setattr(locks, "LONG_SECONDS", 0.0)
    Queue.objects.create(name="default", max_workers=1)
    stranger.execute("SET LOCAL application_name = 'psql'")
    stranger.execute("SAVEPOINT inner_one")
    stranger.execute("SELECT pg_backend_pid() FROM forge_jobs_queue FOR UPDATE")
    return int(stranger.fetchone()[0])


@on_postgresql
def test_who_has_locked_a_queue_s_row_is_named(locked: int) -> None:
    (lock,) = held_locks()

    assert (lock.queue, lock.pid, lock.application_name) == ("default", locked, "psql")
    assert lock.state == "idle in transaction"
    assert f"SELECT pg_terminate_backend({locked})" in str(lock)


@on_postgresql
def test_the_health_check_and_the_page_and_the_log_tell_of_it(locked: int) -> None:
    heard: list[int] = []

    def hear(*, locks: list[Any], **kwargs: object) -> None:
        heard.extend(lock.pid for lock in locks)

    process_named("here", queues=["default"], kinds=[], heartbeat_at=clock.now())
    now = clock.now()
    locks_held.connect(hear)
    try:
        assert Lookout().run_once(now=now) == 1
    finally:
        locks_held.disconnect(hear)

    assert heard == [locked]
    assert any(str(locked) in one for one in ailments(now=now, max_lag=timedelta(minutes=1)))
    assert any(str(locked) in one for one in Verdict.read(now=now).ailments)


@on_postgresql
def test_a_job_of_that_queue_is_told_to_wait_for_it(locked: int) -> None:
    job = effect.enqueue(number=1)
    process_named("here", queues=["default"], kinds=[job.kind], threads=1, heartbeat_at=clock.now())

    diagnosis = diagnose(read_facts(job, now=clock.now()))

    assert diagnosis is not None
    assert f"session {locked}" in diagnosis.text
    assert lock_on("other") is None


@on_postgresql
def test_a_lock_that_was_just_taken_is_nobody_s_business(
    locked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LONG_SECONDS", 10.0)

    assert held_locks() == []


@on_postgresql
def test_our_own_locked_statements_end_when_their_host_vanishes() -> None:
    with db.read_committed(), connection.cursor() as cursor:
        for name in ("idle_in_transaction_session_timeout", "lock_timeout"):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == ("10s",)
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)

    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@on_sqlite
@pytest.mark.usefixtures("stranger")
def test_a_write_lock_that_is_not_to_be_had_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WRITE_LOCKED_SECONDS", 0.1)

    assert "SQLite" in write_lock()


def test_a_write_lock_that_is_free_is_not_told_of() -> None:
    assert write_lock() == ""
    assert held_locks() == []
