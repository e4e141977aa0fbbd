"""Rate-limit budgets: never above the capacity, never over-granted, and exact about the wait."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from forge_jobs import Throttled
from forge_jobs.budgets import Budget
from forge_jobs.exceptions import UnknownBudget
from forge_jobs.models import RateLimitBudget
from tests.conftest import NOON
from tests.running import PATIENCE

SECOND = timedelta(seconds=1)


def bucket(*, capacity: float = 10, rate: float = 2, tokens: float | None = None) -> None:
    RateLimitBudget.objects.create(
        name="slack",
        capacity=capacity,
        refill_per_second=rate,
        tokens=capacity if tokens is None else tokens,
        refilled_at=NOON,
    )


def take(cost: float = 1, *, after: float = 0, at_most: float | None = None) -> float:
    """Take at so many seconds after NOON."""
    return RateLimitBudget.objects.take(
        "slack", at_least=cost, at_most=at_most or cost, now=NOON + after * SECOND
    )


@pytest.mark.django_db
class TestBucket:
    def test_a_token_is_granted_while_there_are_any(self) -> None:
        bucket(capacity=2)

        assert [take(), take(), take()] == [1, 1, 0]

    def test_tokens_flow_in_by_fractions(self) -> None:
        bucket(tokens=0, rate=2)

        assert [take(after=0.4), take(after=0.5), take(after=0.9), take(after=1.0)] == [0, 1, 0, 1]

    def test_there_are_never_more_than_the_capacity(self) -> None:
        bucket(capacity=3)

        assert take(at_most=100, after=3600) == 3

    def test_as_many_whole_tokens_are_granted_as_there_are(self) -> None:
        bucket(tokens=0, rate=2)

        assert take(at_most=100, after=1.8) == 3
        assert take(after=1.9) == 0
        assert take(after=2.0) == 1

    def test_a_clock_that_steps_back_grants_nothing_and_blocks_nobody(self) -> None:
        bucket(tokens=0, rate=1)
        assert take(after=3600) == 1

        assert take(after=0, at_most=100) == 9
        assert take(after=0) == 0
        assert take(after=1) == 1

    def test_a_drained_bucket_grants_nothing_until_its_pause_is_over(self) -> None:
        bucket(rate=1)
        RateLimitBudget.objects.drain("slack", pause=60 * SECOND, now=NOON)

        assert take(after=59) == 0
        assert take(after=60) == 0
        assert take(after=61) == 1

    def test_what_is_given_back_can_be_taken_again_but_never_overflows(self) -> None:
        bucket(capacity=2)
        take()
        RateLimitBudget.objects.give_back("slack", tokens=5)

        assert take(at_most=100) == 2

    def test_the_wait_is_exact(self) -> None:
        bucket(tokens=0.5, rate=2)
        level = RateLimitBudget.objects.level("slack", now=NOON)

        assert level is not None
        assert level.seconds_until(1) == pytest.approx(0.25)
        assert level.seconds_until(3) == pytest.approx(1.25)


class TestModel(TestCase):
    """Against the simplest model there is: a number that grows with time."""

    @settings(max_examples=60)
    @given(
        capacity=st.integers(1, 20),
        rate=st.integers(1, 20),
        steps=st.lists(
            st.tuples(st.integers(0, 3_000), st.integers(1, 5), st.integers(0, 5)), max_size=25
        ),
    )
    def test_grants_are_those_of_the_model(
        self, capacity: int, rate: int, steps: list[tuple[int, int, int]]
    ) -> None:
        bucket(capacity=capacity, rate=rate)
        level, milliseconds, last, granted = float(capacity), 0, 0, 0.0
        for wait, at_least, more in steps:
            milliseconds += wait
            level = min(capacity, level + rate * (milliseconds - last) / 1000)
            last = milliseconds
            expected = min(at_least + more, int(level + 1e-4)) if level + 1e-4 >= at_least else 0
            taken = take(at_least, at_most=at_least + more, after=milliseconds / 1000)
            if abs(level - round(level)) > 1e-3:
                assert taken == expected
            level -= taken
            granted += taken
            assert granted <= capacity + rate * milliseconds / 1000 + 1e-3


@pytest.fixture
def _declared(settings: pytest.FixtureRequest, db: None) -> None:
    settings.FORGE_JOBS = {  # type: ignore[attr-defined] # Django's settings
        **settings.FORGE_JOBS,  # type: ignore[attr-defined] # Django's settings
        "BUDGETS": {"slack": {"capacity": 2, "refill_per_second": 0.001}},
    }


@pytest.mark.usefixtures("_declared")
def test_a_budget_that_settings_declare_is_there_when_it_is_first_asked_for() -> None:
    budget = Budget("slack")

    assert [budget.try_acquire(), budget.try_acquire(), budget.try_acquire()] == [True, True, False]


@pytest.mark.usefixtures("_declared")
def test_a_job_that_gets_no_token_waits_alone() -> None:
    Budget("slack").drain()
    with pytest.raises(Throttled) as caught:
        Budget("slack").acquire()

    assert caught.value.scope == "job"
    assert caught.value.retry_after == pytest.approx(1000 * SECOND, abs=SECOND)


@pytest.mark.usefixtures("_declared")
def test_an_unknown_budget_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(UnknownBudget, match="no budget 'slak', only slack"):
        Budget("slak").acquire()


@pytest.mark.usefixtures("_declared")
@pytest.mark.parametrize(
    ("cost", "refusal"),
    [(3, "more than budget"), (0, "more than 0"), (float("nan"), "more than 0"), ("1", "a number")],
)
def test_a_cost_that_can_never_be_paid_is_refused(cost: Any, refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        Budget("slack").acquire(cost)


@pytest.mark.django_db
def test_waiting_ends_with_a_token_or_with_the_time() -> None:
    RateLimitBudget.objects.create(name="slow", capacity=1, refill_per_second=0.1, tokens=0.99)

    assert Budget("slow").wait(20)
    assert not Budget("slow").wait(0)


@pytest.mark.django_db(transaction=True)
def test_takers_that_wait_at_once_all_get_their_share_and_none_too_many() -> None:
    RateLimitBudget.objects.create(name="fast", capacity=5, refill_per_second=50, tokens=5)
    start = threading.Barrier(8)
    spans: list[tuple[float, float]] = []

    def take_turns() -> None:
        start.wait(PATIENCE)
        for _ in range(10):
            began = time.monotonic()
            if Budget("fast").wait(PATIENCE):
                spans.append((began, time.monotonic()))
        connections.close_all()

    threads = [threading.Thread(target=take_turns) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert len(spans) == 80
    for begin, _ in spans:
        within = sorted(end for began, end in spans if began >= begin)
        for place, end in enumerate(within, start=1):
            assert place <= 5 + 50 * (end - begin) + 0.1


@pytest.mark.django_db(transaction=True)
def test_many_that_take_at_once_are_granted_no_more_than_there_is() -> None:
    bucket(capacity=50, rate=0.0001)
    start = threading.Barrier(8)
    granted: list[float] = []

    def grasp() -> None:
        start.wait(PATIENCE)
        granted.extend(take() for _ in range(20))
        connections.close_all()

    threads = [threading.Thread(target=grasp) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert sum(granted) == 50
