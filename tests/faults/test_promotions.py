"""A server that lets nobody write any more, and a standby that has become the primary."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from tests.faults.elsewhere import LONG, Elsewhere
from tests.faults.servers import LOCALHOST, Host, Server
from tests.running import eventually

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(400),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no standby"),
]

NEIGHBOUR = Host("127.0.0.2", listen="127.0.0.2")
FEW = 8


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with Server.started() as primary, primary.standby(host=NEIGHBOUR) as standby:
        yield primary, standby


def test_workers_leave_a_primary_that_lets_nobody_write_for_the_one_that_does(
    servers: tuple[Server, Server],
) -> None:
    primary, standby = servers
    hosts = f"host={LOCALHOST},{NEIGHBOUR.address}&port={primary.port},{standby.port}"
    project = Elsewhere(
        f"postgresql:///postgres?user={primary.user}&{hosts}&target_session_attrs=read-write",
        PGTARGETSESSIONATTRS="read-write",
    )
    with project.runjobs("--threads", "4") as runjobs:
        project.enqueue_effects(FEW, seconds=1.0)
        eventually(lambda: project.count("state = 'running'") > 0)

        forbid_writing(primary)
        standby.promote()
        project.enqueue_effects(FEW, seconds=0.0)

        eventually(lambda: project.count("state = 'succeeded'") == 2 * FEW, patience=LONG)
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
    assert "read-only transaction" in output
    assert project.ask("SELECT max(attempt) FROM forge_jobs_job") == [(1,)], output
    assert project.ask("SELECT host(inet_server_addr())") == [(NEIGHBOUR.address,)]


def forbid_writing(server: Server) -> None:
    """Its sessions stay open, as those of an old primary that nobody has shut."""
    with psycopg.connect(server.url, autocommit=True) as session:
        session.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        session.execute("SELECT pg_reload_conf()")
