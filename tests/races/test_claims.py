"""Many claimers, one queue: no job is claimed twice."""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from pytest_django import Settings

from forge_jobs.models import Job, Process, State
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.factories import process_named
from tests.running import PATIENCE, ROOT
from tests.sizes import sized

pytestmark = pytest.mark.django_db(transaction=True)

CLAIMERS = 8
PROCESSES = sized(4, full=8)
JOBS = 2_000
QUEUES = [f"queue-{number}" for number in range(40)]


def claim_until_dry(process: Process) -> list[int]:
    """Claim small batches until there is nothing left; returns the ids."""
    claimed: list[int] = []
    try:
        while batch := Job.objects.claim(
            queue="default", kinds=["app.noop"], limit=7, process=process, now=NOON
        ):
            claimed += [job.id for job in batch]
    finally:
        connections.close_all()
    return claimed


def test_eight_threads_never_share_a_job() -> None:
    noop.enqueue_many([{}] * JOBS)
    processes = [process_named(f"claimer-{number}") for number in range(CLAIMERS)]

    with ThreadPoolExecutor(CLAIMERS) as pool:
        claimed = Counter(pk for ids in pool.map(claim_until_dry, processes) for pk in ids)

    assert len(claimed) == JOBS
    assert set(claimed.values()) == {1}


def claim_from_all_until_dry(process: Process, *, start: int) -> list[int]:
    """The same from many queues at once; each claimer begins with another one."""
    queues = [*QUEUES[start:], *QUEUES[:start]]
    claimed: list[int] = []
    try:
        while batch := Job.objects.claim_among(
            queues=queues, kinds=["app.noop"], limit=7, process=process, now=NOON
        ):
            claimed += [job.id for job in batch]
    finally:
        connections.close_all()
    return claimed


def test_eight_threads_that_claim_from_many_queues_never_share_a_job(settings: Settings) -> None:
    settings.FORGE_JOBS = settings.FORGE_JOBS | {"QUEUES": {queue: {} for queue in QUEUES}}
    for queue in QUEUES:
        noop.using(queue=queue).enqueue_many([{}] * 20)
    processes = [process_named(f"claimer-{number}") for number in range(CLAIMERS)]

    with ThreadPoolExecutor(CLAIMERS) as pool:
        runs = [
            pool.submit(claim_from_all_until_dry, process, start=5 * number)
            for number, process in enumerate(processes)
        ]
        claimed = Counter(pk for run in runs for pk in run.result(PATIENCE))

    assert len(claimed) == 20 * len(QUEUES)
    assert set(claimed.values()) == {1}


@pytest.mark.processes
@pytest.mark.full_size
def test_several_processes_never_share_a_job() -> None:
    noop.enqueue_many([{}] * JOBS)
    claimers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.races.claimer", f"claimer-{number}"],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "FORGE_JOBS_TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]

    outputs = [claimer.communicate(timeout=PATIENCE * 2)[0] for claimer in claimers]

    claimed = Counter(int(pk) for output in outputs for pk in output.split())
    assert len(claimed) == JOBS
    assert set(claimed.values()) == {1}
    assert Job.objects.filter(state=State.RUNNING, attempt=1).count() == JOBS
