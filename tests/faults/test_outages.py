"""A PostgreSQL server that goes away under load, and a pooler in front of one."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.faults.elsewhere import Elsewhere
from tests.faults.pooler import is_missing, pooler
from tests.faults.servers import LOCALHOST, Server
from tests.running import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

JOBS = 3_000
LONG = 90.0
UNFINISHED = "state IN ('scheduled', 'ready', 'running', 'retrying')"


@pytest.fixture
def server() -> Iterator[Server]:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that could go away.")
    with Server.started() as started:
        yield started


@pytest.mark.full_size
def test_a_server_that_restarts_under_load_costs_no_job_an_attempt(server: Server) -> None:
    project = Elsewhere(server.url)
    project.enqueue_effects(JOBS, seconds=0.01)

    with project.runjobs("--processes", "2", "--threads", "4") as runjobs:
        for outage in range(1, 4):
            share = outage * JOBS // 5
            eventually(lambda share=share: project.count("state = 'succeeded'") > share)  # type: ignore[misc] # a lambda's default
            server.stop()
            server.start()
        eventually(lambda: project.count(UNFINISHED) == 0, patience=LONG)
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
    assert project.count("state = 'succeeded'") == JOBS
    assert project.ask("SELECT count(DISTINCT number) FROM app_effect") == [(JOBS,)]
    assert project.ask("SELECT max(attempt) FROM forge_jobs_job") == [(1,)], output
    assert project.count("last_error <> ''") == 0
    assert "database trouble" in output
    assert "the database is back" in output
    assert project.ask("SELECT count(*) FROM forge_jobs_process") == [(0,)]


def test_jobs_flow_through_a_pooler_that_shares_connections(server: Server) -> None:
    if reason := is_missing():
        pytest.skip(reason)
    Elsewhere(server.url)
    with pooler(LOCALHOST, server.port, server.user) as url:
        project = Elsewhere(url)
        with project.runjobs("--processes", "2", "--threads", "4") as runjobs:
            project.enqueue_effects(500, seconds=0.0)
            eventually(lambda: project.count("state = 'succeeded'") == 500)
            eventually(lambda: "polling" in runjobs.output)
            runjobs.terminate()
            code, output = runjobs.wait()

        listening = (
            "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^LISTEN' AND state = 'idle'"
        )
        assert project.ask(listening) == [(0,)]

    assert code == 0, output
    assert "database trouble" not in output
