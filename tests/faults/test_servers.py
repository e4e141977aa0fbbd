"""The servers that fault tests lean on do what those tests believe of them."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from django.db import connection

from tests.faults.pooler import is_missing, pooler
from tests.faults.servers import Server
from tests.running import PATIENCE

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no server to stop, nor to pool"
)
needs_pooler = pytest.mark.skipif(is_missing() != "", reason=is_missing())


def connected(url: str) -> "closing[psycopg.Connection]":
    return closing(psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=5))


def backend(client: psycopg.Connection) -> int:
    """The server's process that answers."""
    row = client.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.started() as started:
        yield started


@pytest.fixture
def pooled(server: Server) -> Iterator[str]:
    with pooler(str(server.folder), server.port, server.user) as url:
        yield url


def test_a_stop_breaks_connections_and_a_start_brings_the_committed_data_back() -> None:
    with Server.started() as server:
        with connected(server.url) as client:
            client.execute("CREATE TABLE kept AS SELECT 'committed' AS word")
            client.execute("BEGIN")
            client.execute("INSERT INTO kept VALUES ('not committed')")
            server.stop()
            with pytest.raises(psycopg.OperationalError):
                client.execute("COMMIT")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url)

        server.start()

        with connected(server.url) as client:
            assert client.execute("SELECT word FROM kept").fetchall() == [("committed",)]


@needs_pooler
def test_the_pooler_lends_its_connections_for_one_transaction(pooled: str) -> None:
    with connected(pooled) as one, connected(pooled) as other:
        assert backend(one) == backend(other)
        with one.transaction():
            lent = backend(one)
            assert backend(other) != lent
            assert backend(one) == lent


@needs_pooler
def test_the_pooler_delivers_no_notification(server: Server, pooled: str) -> None:
    with connected(pooled) as deaf, connected(server.url) as hearing:
        deaf.execute("LISTEN wake")
        hearing.execute("LISTEN wake")
        with connected(server.url) as sender:
            sender.execute("NOTIFY wake")

        assert len(list(hearing.notifies(timeout=PATIENCE, stop_after=1))) == 1
        assert list(deaf.notifies(timeout=0.2)) == []


@needs_pooler
def test_a_client_of_the_pooler_outlives_a_restart_of_the_server(
    server: Server, pooled: str
) -> None:
    with connected(pooled) as client:
        before = backend(client)
        server.stop()
        server.start()
        assert backend(client) != before
