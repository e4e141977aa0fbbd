"""A queue's `max_workers` holds across processes, whenever one looks."""

import time

import pytest

from forge_jobs.models import Job, Queue
from tests.app.jobs import effect
from tests.running import PATIENCE, Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def most_at_once(*, until_left: int) -> int:
    """The most jobs that ran at once, looking again and again until only so many are left."""
    most, deadline = 0, time.monotonic() + PATIENCE
    while (left := Job.objects.unfinished().count()) > until_left:
        assert time.monotonic() < deadline, f"{left} jobs are left"
        most = max(most, Job.objects.running().count())
    return most


@pytest.mark.full_size
def test_three_workers_are_three_over_four_processes_of_eight_threads() -> None:
    Queue.objects.sow({"default": {}})
    Queue.objects.update(max_workers=3)
    effect.enqueue_many([{"number": number, "seconds": 0.1} for number in range(250)])

    arguments = ["--processes", "4", "--threads", "8"]
    with Runjobs(*arguments, FORGE_JOBS_TEST_PROCESS_TIMEOUT="3") as runjobs:
        eventually(lambda: Job.objects.running().count() == 3)
        assert most_at_once(until_left=200) == 3
        Queue.objects.update(max_workers=6)
        eventually(lambda: Job.objects.running().count() > 3)
        assert most_at_once(until_left=100) <= 6
        Queue.objects.update(max_workers=None)
        assert most_at_once(until_left=0) > 6
        runjobs.terminate()
        assert runjobs.wait()[0] == 0
