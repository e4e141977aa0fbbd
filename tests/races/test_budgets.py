"""A queue's budget holds over processes, and is made use of."""

from bisect import bisect_right
from collections.abc import Sequence

import pytest

from forge_jobs.models import Job, Process, Queue, RateLimitBudget, State
from tests.app.jobs import strike
from tests.running import Runjobs, eventually
from tests.sizes import sized

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

JOBS = 400
CAPACITY = 20
RATE = 20
APART = 0.2
"""Seconds by which the clocks of busy processes, who say when a job began, may differ."""
MADE_USE_OF = sized(0.5, full=0.9)
"""Which share of the tokens at least; some are lost while nobody has a processor."""


@pytest.mark.full_size
def test_four_processes_start_no_more_than_the_budget_allows_and_nearly_as_many() -> None:
    RateLimitBudget.objects.create(
        name="partner", capacity=CAPACITY, refill_per_second=RATE, tokens=CAPACITY
    )
    Queue.objects.sow({"default": {"budget": "partner"}})
    with Runjobs("--processes", "4", "--threads", "4") as runjobs:
        eventually(lambda: Process.objects.count() == 4)
        strike.enqueue_many([{"number": number} for number in range(JOBS)])
        eventually(lambda: not Job.objects.unfinished().exists())
        runjobs.terminate()
        assert runjobs.wait()[0] == 0, runjobs.output

    assert Job.objects.filter(state=State.SUCCEEDED, attempt=1).count() == JOBS
    # A token is for a claim; how soon the handler begins then, the machine says.
    moments = Job.objects.values_list("started_at", flat=True)
    starts = sorted(moment.timestamp() for moment in moments if moment)
    allowed = CAPACITY + RATE * (starts[-1] - starts[0])
    assert most_beyond_the_rate(starts) <= CAPACITY + 1 + RATE * APART
    assert MADE_USE_OF * allowed <= JOBS


def most_beyond_the_rate(starts: Sequence[float]) -> float:
    """Over all windows between two starts: how many there were, less what flowed in meanwhile."""
    return max(
        bisect_right(starts, end) - first - RATE * (end - begin)
        for first, begin in enumerate(starts)
        for end in starts[first:]
    )
