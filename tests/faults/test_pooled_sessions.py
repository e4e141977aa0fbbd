"""Behind a pooler that shares sessions, nothing of ours stays in them."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.db import connection

from forge_jobs.db.postgresql import prepared
from forge_jobs.runtime import sessions
from forge_jobs.runtime.keeper import custody, this_thread
from forge_jobs.wake.postgresql import PostgreSQLListener, _backend, _is_shared
from tests.faults.pooler import is_missing, pooler
from tests.faults.servers import LOCALHOST, Server

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sessions to pool"),
    pytest.mark.skipif(is_missing() != "", reason=is_missing()),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.started() as started:
        yield started


@pytest.fixture
def pooled(server: Server) -> Iterator[Any]:
    """A wrapper that goes through a pooler."""
    with pooler(LOCALHOST, server.port, server.user) as url:
        wrapper = connection.copy()
        port = url.rpartition(":")[2].partition("/")[0]
        wrapper.settings_dict |= {"HOST": LOCALHOST, "PORT": port, "USER": server.user}
        wrapper.settings_dict["NAME"] = "postgres"
        yield wrapper
        wrapper.close()


def asked(wrapper: Any, question: str) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def test_that_sessions_are_shared_is_found_out(pooled: Any) -> None:
    other = pooled.copy()

    assert _is_shared(pooled, other)
    other.close()


def test_a_session_that_is_lent_is_not_asked_to_keep_statements(pooled: Any) -> None:
    backend = _backend(pooled)
    for _ in range(prepared.MANY):
        prepared.has_enqueued(pooled.connection, backend=backend)

    assert not prepared.is_used(pooled.connection)
    assert not prepared.may_be(pooled.connection)


def test_sessions_of_the_server_itself_are_not_shared() -> None:
    own, other = connection.copy(), connection.copy()

    assert not _is_shared(own, other)
    own.close()
    other.close()


def test_what_was_listened_to_in_vain_is_given_up(pooled: Any) -> None:
    backend = _backend(pooled, and_then="LISTEN forge_jobs")
    assert asked(pooled, "SELECT count(*) FROM pg_listening_channels()") == 1

    PostgreSQLListener()._unlisten(pooled, backend)

    assert _backend(pooled) == backend
    assert asked(pooled, "SELECT count(*) FROM pg_listening_channels()") == 0


def test_nothing_is_set_that_others_would_get(pooled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody, "is_ours", True)
    sessions.limit(lock_timeout="10s")
    try:
        assert asked(pooled, "SHOW lock_timeout") == "0"
        assert asked(pooled, "SHOW client_connection_check_interval") == "0"
    finally:
        del this_thread.limits


def test_notifications_that_nobody_asked_for_are_dropped(
    server: Server, pooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custody, "is_ours", True)
    sessions.limit()
    try:
        with pooled.cursor() as cursor:
            cursor.execute("LISTEN forge_jobs")
        with closing(psycopg.connect(server.url, autocommit=True)) as sender:
            for _ in range(50):
                sender.execute("NOTIFY forge_jobs")
        for _ in range(5):
            asked(pooled, "SELECT 1")
        assert not pooled.connection._notifies_backlog
    finally:
        del this_thread.limits
