"""A queue's `max_workers` holds across processes, whenever one looks."""

import time
from datetime import timedelta

import pytest
from django.db.models import Count

from forge_jobs import clock
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


def test_a_process_that_joins_gets_its_share_of_a_long_backlog() -> None:
    Queue.objects.sow({"default": {"max_workers": 4}})
    effect.enqueue_many([{"number": number, "seconds": 0.3} for number in range(300)])
    Job.objects.update(run_at=clock.now() - timedelta(hours=1))
    impatient = {"FORGE_JOBS_TEST_PROCESS_TIMEOUT": "3"}

    with Runjobs("--threads", "8", **impatient):
        eventually(lambda: shares() == [4])
        with Runjobs("--threads", "8", **impatient):
            eventually(lambda: shares() == [2, 2], patience=15)


def shares() -> list[int]:
    """How many jobs each process runs."""
    running = Job.objects.running().values_list("process_id").annotate(count=Count("pk"))
    return [count for _, count in running.order_by("process_id")]
