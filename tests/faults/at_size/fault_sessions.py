"""Sessions that are ended again and again, and sessions that nobody is at the other end of."""

import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.faults.at_size.conftest import Prepare
from tests.faults.at_size.network import is_missing, network
from tests.faults.at_size.trial import PROCESSES
from tests.faults.elsewhere import LONG, Elsewhere
from tests.faults.servers import Server
from tests.running import eventually

pytestmark = pytest.mark.timeout(900)

needs_network = pytest.mark.skipif(is_missing() != "", reason=is_missing())

TIMES = 15

EVERYBODY = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""

LOCK = "SELECT FROM forge_jobs_queue WHERE name = 'limited' FOR UPDATE"


def test_all_sessions_may_be_ended_each_second(prepare: Prepare) -> None:
    with Server.started() as server:
        trial = prepare(server.url)
        trial.enqueue()
        with trial.project.runjobs(*PROCESSES) as runjobs:
            with trial.enqueuing(seconds=TIMES, within=(), url=server.url):
                trial.until_busy()
                for _ in range(TIMES):
                    trial.project.ask(EVERYBODY)
                    time.sleep(1)
                trial.resumes()
            trial.enqueue()
            trial.ends(runjobs)


@needs_network
def test_a_host_that_vanishes_inside_its_claim_holds_its_queue_up_for_a_while_only(
    prepare: Prepare, tmp_path: Path
) -> None:
    locked = tmp_path / "locked"
    with network(2) as (database, far), Server.started(host=database) as server:
        trial = prepare(server.local_url)
        trial.enqueue()
        url = {"FORGE_JOBS_TEST_DATABASE_URL": server.url}
        hold = {"FORGE_JOBS_FAULTS_HOLD_AT": str(locked)}
        with trial.project.runjobs(within=far.within, **url, **hold) as doomed:
            eventually(locked.exists, patience=LONG)
            with trial.project.runjobs(*PROCESSES) as runjobs:
                trial.until_busy()
                far.unplug()
                doomed.kill()
                trial.enqueue()
                trial.resumes(queue="limited")
                trial.enqueue()
                trial.ends(runjobs)


def test_health_names_the_session_that_holds_a_queue_up(prepare: Prepare) -> None:
    with Server.started() as server:
        trial = prepare(server.url)
        trial.enqueue()
        holding = closing(psycopg.connect(server.url))
        with trial.project.runjobs(*PROCESSES) as runjobs, holding as holder:
            trial.until_busy()
            holder.execute(LOCK)
            pid = holder.info.backend_pid
            trial.enqueue()
            eventually(lambda: is_named_by_health(pid, trial.project), patience=LONG)
            trial.project.ask(f"SELECT pg_terminate_backend({pid})")
            trial.resumes(queue="limited")
            trial.enqueue()
            trial.ends(runjobs)


def is_named_by_health(pid: int, project: Elsewhere) -> bool:
    code, printed = project.attempt("-m", "django", "jobs", "health", "--max-lag", "5s")
    return code == 1 and f" {pid}" in printed
