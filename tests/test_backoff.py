"""Retry policies: how long each of them waits, and the bounds that chance leaves."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_jobs.backoff import DecorrelatedJitter, Exponential, Fixed, Polynomial, RetryPolicy

EPSILON = timedelta(microseconds=1)

durations = st.timedeltas(timedelta(milliseconds=1), timedelta(days=30))
attempts = st.integers(1, 1_000_000)
jitters = st.floats(0, 1)
exponentials = st.builds(
    Exponential, base=durations, factor=st.floats(1, 100), cap=durations, jitter=jitters
)
polynomials = st.builds(
    Polynomial, base=durations, exponent=st.floats(0, 100), cap=durations, jitter=jitters
)
chance = st.random_module()


def seconds(policy: RetryPolicy, *, attempts: int) -> list[float]:
    return [policy(attempt).total_seconds() for attempt in range(1, attempts + 1)]


def test_a_fixed_delay_is_the_same_after_every_failure() -> None:
    assert seconds(Fixed(delay=timedelta(seconds=7)), attempts=4) == [7, 7, 7, 7]


def test_an_exponential_delay_grows_by_its_factor_up_to_its_cap() -> None:
    policy = Exponential(base=timedelta(seconds=10), factor=3, cap=timedelta(minutes=2), jitter=0)

    assert seconds(policy, attempts=5) == [10, 30, 90, 120, 120]


def test_a_polynomial_delay_grows_with_a_power_of_the_attempt_up_to_its_cap() -> None:
    policy = Polynomial(base=timedelta(seconds=2), exponent=2, cap=timedelta(seconds=30), jitter=0)

    assert seconds(policy, attempts=5) == [2, 8, 18, 30, 30]


def test_exponential_starts_at_10_s_doubles_and_ends_at_30_min_with_a_fifth_of_jitter() -> None:
    assert Exponential() == Exponential(
        base=timedelta(seconds=10), factor=2, cap=timedelta(minutes=30), jitter=0.2
    )


@given(exponentials | polynomials, attempts, chance)
def test_a_delay_stays_within_its_jitter(
    policy: Exponential | Polynomial, attempt: int, chance: object
) -> None:
    steady = replace(policy, jitter=0)(attempt)

    assert steady * (1 - policy.jitter) - EPSILON <= policy(attempt)
    assert policy(attempt) <= steady * (1 + policy.jitter) + EPSILON


@given(exponentials | polynomials, attempts, chance)
def test_a_delay_never_exceeds_its_cap(
    policy: Exponential | Polynomial, attempt: int, chance: object
) -> None:
    assert timedelta(0) <= policy(attempt) <= policy.cap + EPSILON


@pytest.mark.parametrize("policy", [Exponential(), Polynomial()])
def test_those_who_wait_for_the_cap_do_not_come_back_in_step(
    policy: Exponential | Polynomial,
) -> None:
    random.seed(1)
    waits = {policy(100) for _ in range(100)}

    assert len(waits) == 100
    assert policy.cap * (1 - policy.jitter) <= min(waits) <= max(waits) <= policy.cap


@given(durations, jitters, attempts, chance)
def test_a_fixed_delay_may_have_jitter_too(
    delay: timedelta, jitter: float, attempt: int, chance: object
) -> None:
    waited = Fixed(delay=delay, jitter=jitter)(attempt)

    assert delay * (1 - jitter) - EPSILON <= waited <= delay * (1 + jitter) + EPSILON


@given(durations, st.floats(1, 1_000), st.integers(1, 10), chance)
def test_decorrelated_jitter_lies_between_its_base_and_the_base_tripled_each_time_or_the_cap(
    base: timedelta, room: float, attempt: int, chance: object
) -> None:
    policy = DecorrelatedJitter(base=base, cap=base * room)

    assert base - EPSILON <= policy(attempt) <= min(policy.cap, base * 3**attempt) + EPSILON


@pytest.mark.parametrize(("attempt", "longest"), [(1, 3), (2, 9), (3, 27), (4, 60), (9, 60)])
def test_decorrelated_jitter_uses_all_of_its_room_evenly(attempt: int, longest: int) -> None:
    random.seed(1)
    policy = DecorrelatedJitter(base=timedelta(seconds=1), cap=timedelta(minutes=1))

    quarter = timedelta(seconds=longest - 1) / 4
    drawn = Counter((policy(attempt) - policy.base) // quarter for _ in range(4_000))
    assert all(900 < drawn[number] < 1_100 for number in range(4))


@pytest.mark.parametrize("attempt", [10_000, 1_000_000_000, 10**400])
@pytest.mark.parametrize(
    "policy",
    [
        Exponential(cap=timedelta(hours=1), jitter=0),
        Polynomial(cap=timedelta(hours=1), jitter=0),
        DecorrelatedJitter(base=timedelta(hours=1), cap=timedelta(hours=1)),
    ],
    ids=lambda policy: type(policy).__name__,
)
def test_a_huge_attempt_waits_for_the_cap(policy: RetryPolicy, attempt: int) -> None:
    assert policy(attempt) == timedelta(hours=1)


@pytest.mark.parametrize("policy", [Exponential, Polynomial])
def test_a_base_above_the_cap_is_held_to_the_cap(policy: type[Exponential | Polynomial]) -> None:
    held = policy(base=timedelta(hours=2), cap=timedelta(hours=1), jitter=0)

    assert held(1) == timedelta(hours=1)


def test_policies_are_values() -> None:
    assert Fixed(delay=timedelta(seconds=7)) == Fixed(delay=timedelta(seconds=7))
    assert len({Exponential(), Exponential(), DecorrelatedJitter(), DecorrelatedJitter()}) == 2


@pytest.mark.parametrize("policy", [Exponential, Polynomial])
def test_a_cap_of_all_the_time_there_is_can_be_grown_to(
    policy: type[Exponential | Polynomial],
) -> None:
    endless = policy(cap=timedelta.max, jitter=0.2)
    assert timedelta(0) < endless(10_000) <= timedelta.max
