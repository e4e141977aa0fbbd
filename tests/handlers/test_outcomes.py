"""Outcomes: what a handler may say of its run, and what is no outcome."""

from datetime import timedelta
from typing import Any

import pytest

from forge_jobs import Cancelled, Dead, Done, Failed, Outcome, Snoozed, Throttled
from tests.conftest import NOON

ALL = [
    Done({"pages": 3}),
    Failed("no answer"),
    Dead("no such page"),
    Throttled(30),
    Snoozed(delay=30),
    Cancelled("not needed any more"),
]


@pytest.mark.parametrize("outcome", ALL, ids=lambda outcome: type(outcome).__name__)
def test_an_outcome_can_be_raised(outcome: Outcome) -> None:
    with pytest.raises(Outcome) as raised:
        raise outcome

    assert raised.value is outcome


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (Done({"pages": 3}), Done({"pages": 3}), Done()),
        (Failed("no answer"), Failed("no answer", traceback="…"), Failed("no")),
        (Dead("no page"), Dead("no page", exception="LookupError"), Failed("no page")),
        (Throttled(30), Throttled(timedelta(seconds=30)), Throttled(30, scope="job")),
        (Snoozed(delay=30), Snoozed(delay=30.0), Snoozed(until=NOON)),
        (Cancelled("a"), Cancelled("a"), Cancelled("b")),
    ],
    ids=repr,
)
def test_outcomes_that_say_the_same_are_equal(one: Outcome, same: Outcome, other: Outcome) -> None:
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "an outcome"


def test_a_job_may_be_done_without_a_result() -> None:
    assert Done().result is None


def test_a_cancellation_needs_no_reason() -> None:
    assert Cancelled().reason == ""


@pytest.mark.parametrize("retry_after", [90, 90.0, timedelta(seconds=90)])
def test_throttled_takes_a_timedelta_or_seconds(retry_after: timedelta | float) -> None:
    assert Throttled(retry_after).retry_after == timedelta(seconds=90)


@pytest.mark.parametrize("retry_after", [-1, timedelta(days=-1), float("nan"), "90", None, True])
def test_throttled_refuses_what_is_no_duration(retry_after: Any) -> None:
    with pytest.raises(ValueError, match="retry_after must be a timedelta or a number of seconds"):
        Throttled(retry_after)


@pytest.mark.parametrize("delay", [90, timedelta(seconds=90)])
def test_a_snooze_lasts_for_its_delay(delay: timedelta | float) -> None:
    assert Snoozed(delay=delay).due(now=NOON) == NOON + timedelta(seconds=90)


def test_a_snooze_lasts_until_its_moment() -> None:
    tomorrow = NOON + timedelta(days=1)

    assert Snoozed(until=tomorrow).due(now=NOON) == tomorrow


def test_a_snooze_without_a_delay_is_due_at_once() -> None:
    assert Snoozed(delay=0).due(now=NOON) == NOON


@pytest.mark.parametrize("both_or_none", [{}, {"until": NOON, "delay": 5}])
def test_a_snooze_has_either_an_end_or_a_delay(both_or_none: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either until or delay"):
        Snoozed(**both_or_none)


@pytest.mark.parametrize(
    "until", [NOON.replace(tzinfo=None), NOON.date(), "2026-03-02", 12], ids=str
)
def test_a_snooze_refuses_what_is_no_aware_moment(until: Any) -> None:
    with pytest.raises(ValueError, match="until must be"):
        Snoozed(until=until)


@pytest.mark.parametrize("delay", [-1, timedelta(days=-1), float("inf"), "soon"])
def test_a_snooze_refuses_what_is_no_delay(delay: Any) -> None:
    with pytest.raises(ValueError, match="delay must be a timedelta or a number of seconds"):
        Snoozed(delay=delay)
