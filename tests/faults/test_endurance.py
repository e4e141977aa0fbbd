"""Hours in minutes: neither memory nor connections grow with the number of jobs."""

import psutil
import pytest
from django.db import connection, connections

from forge_jobs.models import Job, Watermark
from tests.app.jobs import noop
from tests.running import Runjobs, eventually
from tests.sizes import sized

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

THREADS = 4
BESIDE_THE_WORKERS = 8
"""Connections: of fetcher, finalizer, listener, pulse, watch, metering, services and upkeep."""

HALF = sized(20_000, full=100_000)
WARM_UP = 10_000
LONG = 120.0


def warm_up() -> None:
    """Let the leader count some jobs: on SQLite that fills the page cache of its connection."""
    eventually(Watermark.objects.exists)
    last = noop.enqueue_many([{}] * WARM_UP)[-1]
    eventually(lambda: Watermark.objects.counted_up_to() >= last.pk, patience=LONG)


def run_half(process: psutil.Process) -> int:
    """Let so many jobs run; returns the memory that the process uses afterwards."""
    for _ in range(HALF // 10_000):
        noop.enqueue_many([{}] * 10_000)
    eventually(lambda: not Job.objects.unfinished().exists(), patience=LONG)
    rss: int = process.memory_info().rss
    return rss


def open_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        (count,) = cursor.fetchone()
    return int(count)


@pytest.mark.full_size
@pytest.mark.timeout(500)
def test_a_process_is_after_the_second_half_of_many_jobs_as_it_was_after_the_first() -> None:
    with Runjobs("--threads", str(THREADS)) as runjobs:
        process = psutil.Process(runjobs.process.pid)
        warm_up()
        first = run_half(process)
        second = run_half(process)
        if connection.vendor == "postgresql":
            assert open_connections() <= THREADS + BESIDE_THE_WORKERS
        else:
            name = str(connections["default"].settings_dict["NAME"])
            files = [file.path for file in process.open_files() if file.path.startswith(name)]
            # Each connection has the database, its log and the index of that open.
            assert len(files) <= 3 * (THREADS + BESIDE_THE_WORKERS)
        runjobs.terminate()
        assert runjobs.wait()[0] == 0, runjobs.output

    assert second <= first * 1.05
