"""Queues that wait for tokens go on when an operator helps, long before tokens would flow in."""

from collections.abc import Iterator

import pytest

from forge_jobs.models import Job, Queue, RateLimitBudget, State
from forge_jobs.runtime.engine import Engine
from tests.app.jobs import noop
from tests.running import engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def starved() -> Iterator[Job]:
    """A job whose queue spends an empty budget, and a process that has found it to be empty."""
    RateLimitBudget.objects.create(name="slack", capacity=5, refill_per_second=1e-6, tokens=0)
    Queue.objects.create(name="default", budget="slack")
    stored = noop.enqueue()
    with running(engine()) as subject:
        eventually(lambda: has_looked(subject))
        yield stored


def has_looked(subject: Engine) -> bool:
    return any(lane.opens_at for lane in subject.fetcher.lanes)


def has_succeeded(job: Job) -> bool:
    job.refresh_from_db()
    return job.state == State.SUCCEEDED


def test_a_queue_goes_on_when_its_budget_is_refilled(starved: Job) -> None:
    assert RateLimitBudget.objects.refill("slack")

    eventually(lambda: has_succeeded(starved))
    level = RateLimitBudget.objects.level("slack")
    assert level
    assert level.tokens == pytest.approx(4, abs=0.1)


def test_a_queue_goes_on_when_its_budget_fills_faster(starved: Job) -> None:
    assert RateLimitBudget.objects.resize("slack", refill_per_second=50.0)

    eventually(lambda: has_succeeded(starved))


def test_a_queue_goes_on_when_it_spends_no_budget_any_more(starved: Job) -> None:
    Queue.objects.update(budget="")

    eventually(lambda: has_succeeded(starved))


def test_a_budget_that_is_not_there_is_neither_refilled_nor_resized() -> None:
    assert not RateLimitBudget.objects.refill("gone")
    assert not RateLimitBudget.objects.resize("gone", capacity=1.0)
