"""A queue's `max_workers` holds across processes, whenever one looks."""

from datetime import timedelta
from itertools import accumulate
from typing import Any

import pytest
from django.db.models import Count

from forge_jobs import clock
from forge_jobs.models import Job, Queue, Share
from tests.app.jobs import effect, spanned
from tests.running import Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def most_begun() -> int:
    """The most handlers that ran at once so far; there are always more jobs to run."""
    if Job.objects.unfinished().count() < 60:
        spanned.enqueue_many([{"seconds": 0.1}] * 60)
    return most_inside(list(Job.objects.finished().values_list("result", flat=True)))


def assert_used_and_kept(limit: int) -> None:
    """As many handlers as may run at once do, and no more while fifty others end."""
    eventually(lambda: most_begun() >= limit)
    enough = Job.objects.finished().count() + 50
    eventually(lambda: most_begun() != limit or Job.objects.finished().count() >= enough)
    assert most_begun() == limit


@pytest.mark.full_size
def test_three_workers_are_three_over_four_processes_of_eight_threads() -> None:
    Queue.objects.sow({"default": {}})
    Queue.objects.update(max_workers=3)

    arguments = ["--processes", "4", "--threads", "8"]
    with Runjobs(*arguments, FORGE_JOBS_TEST_PROCESS_TIMEOUT="3") as runjobs:
        assert_used_and_kept(3)
        Queue.objects.update(max_workers=6)
        assert_used_and_kept(6)
        Queue.objects.update(max_workers=None)
        eventually(lambda: most_begun() > 6)
        runjobs.terminate()
        assert runjobs.wait()[0] == 0


def test_short_jobs_are_claimed_ahead_and_no_more_begin_than_may() -> None:
    Queue.objects.sow({"default": {"max_workers": 4}})
    spanned.enqueue_many([{"seconds": 0.002 * (number % 5)} for number in range(1_500)])

    with (
        Runjobs("--threads", "8", FORGE_JOBS_TEST_PROCESS_TIMEOUT="3") as killed,
        Runjobs("--processes", "2", "--threads", "8", FORGE_JOBS_TEST_PROCESS_TIMEOUT="3"),
    ):
        eventually(lambda: Share.objects.filter(slots__gt=0).count() == 3)
        eventually(lambda: Job.objects.finished().count() > 300)
        killed.kill()
        eventually(lambda: not Job.objects.unfinished().exists())

    assert most_inside(list(Job.objects.values_list("result", flat=True))) == 4


def most_inside(spans: list[Any]) -> int:
    """The most handlers that ran at once, by when each began and ended."""
    steps = sorted([(end, -1) for _, end in spans] + [(began, 1) for began, _ in spans])
    return max(accumulate((step for _, step in steps), initial=0))


def test_a_process_that_joins_gets_its_share_of_a_long_backlog() -> None:
    Queue.objects.sow({"default": {"max_workers": 4}})
    effect.enqueue_many([{"number": number, "seconds": 0.3} for number in range(1_000)])
    Job.objects.update(run_at=clock.now() - timedelta(hours=1))
    impatient = {"FORGE_JOBS_TEST_PROCESS_TIMEOUT": "3"}

    with Runjobs("--threads", "8", **impatient):
        eventually(lambda: shares() == [4])
        with Runjobs("--threads", "8", **impatient):
            eventually(lambda: shares() == [2, 2])


def shares() -> list[int]:
    """How many jobs each process runs."""
    running = Job.objects.running().values_list("process_id").annotate(count=Count("pk"))
    return [count for _, count in running.order_by("process_id")]
