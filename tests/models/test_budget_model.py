"""The token bucket against a simple model, whatever is done to it in whatever order."""

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from forge_jobs.models import RateLimitBudget
from tests.conftest import NOON

UNITS = 10_000
"""Of a token: with rates in tenths and moments in milliseconds, all that flows in is whole."""
TENTH = UNITS // 10
LONG_AGO_MS = 10_000_000
TOLERANCE_MS = 5_000
"""A bucket whose last moment lies further ahead was filled by a clock that was set back since."""


class BucketMachine(RuleBasedStateMachine):
    """Holds the level of the bucket in whole units, and what was used up lately.

    `used` falls as tokens flow in and rises as they are granted. Were it ever above the capacity,
    then there would be a window in which more were granted than capacity and refill allow.
    """

    @initialize(capacity=st.integers(10, 200), rate=st.integers(1, 200))
    def fill(self, capacity: int, rate: int) -> None:
        RateLimitBudget.objects.all().delete()
        RateLimitBudget.objects.create(
            name="slack",
            capacity=capacity / 10,
            refill_per_second=rate / 10,
            tokens=capacity / 10,
            refilled_at=NOON,
        )
        self.capacity, self.rate = capacity * TENTH, rate
        self.level, self.used, self.granted = self.capacity, 0, 0
        self.ms = self.filled_ms = 0
        self.drained_ms = -LONG_AGO_MS

    @rule(ms=st.integers(1, 4_000))
    def let_time_pass(self, ms: int) -> None:
        self.ms += ms
        self.used = max(0, self.used - self.rate * ms)

    @rule(ms=st.integers(1, 20_000))
    def set_the_clock_back(self, ms: int) -> None:
        self.ms -= ms

    @rule(at_least=st.integers(1, 60), more=st.integers(0, 60))
    def take(self, at_least: int, more: int) -> None:
        expected = self.grant(at_least * TENTH, (at_least + more) * TENTH)
        granted = RateLimitBudget.objects.take(
            "slack", at_least=at_least / 10, at_most=(at_least + more) / 10, now=self.moment
        )
        assert granted * UNITS == pytest.approx(expected, abs=1)
        self.used += expected
        self.granted += expected
        assert self.used <= self.capacity

    @precondition(lambda self: self.granted >= TENTH)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        tenths = data.draw(st.integers(1, self.granted // TENTH))
        RateLimitBudget.objects.give_back("slack", tokens=tenths / 10)
        self.level = min(self.capacity, self.level + tenths * TENTH)
        self.used = max(0, self.used - tenths * TENTH)
        self.granted -= tenths * TENTH

    @rule(pause_ms=st.integers(0, 8_000))
    def drain(self, pause_ms: int) -> None:
        pause = timedelta(milliseconds=pause_ms)
        RateLimitBudget.objects.drain("slack", pause=pause, now=self.moment)
        self.level = 0
        self.filled_ms = max(self.filled_ms, self.ms + pause_ms)
        self.drained_ms = max(self.drained_ms, self.ms + pause_ms)

    @invariant()
    def the_level_is_the_model_s(self) -> None:
        level = RateLimitBudget.objects.level("slack", now=self.moment)

        assert level is not None
        assert level.tokens <= level.capacity
        assert level.tokens * UNITS == pytest.approx(self.present_level(), abs=1)
        pause = max(0, self.drained_ms - self.ms)
        assert level.paused_seconds * 1000 == pytest.approx(pause, abs=0.5)

    @property
    def moment(self) -> datetime:
        return NOON + timedelta(milliseconds=self.ms)

    def present_level(self) -> int:
        flowed_in = self.rate * max(0, self.ms - self.filled_ms)
        return min(self.capacity, self.level + flowed_in)

    def grant(self, at_least: int, at_most: int) -> int:
        """What the model grants: whole tokens, unless it is asked for less or no less."""
        if self.drained_ms > self.ms:
            return 0
        level, is_set_back = self.present_level(), self.filled_ms > self.ms + TOLERANCE_MS
        if level < at_least and not is_set_back:
            return 0
        whole = level // UNITS * UNITS
        granted = min(at_most, max(at_least, whole)) if level >= at_least else 0
        self.level = level - granted
        self.filled_ms = self.ms if is_set_back else max(self.filled_ms, self.ms)
        return granted


@pytest.mark.django_db
def test_the_bucket_does_what_the_model_does() -> None:
    run_state_machine_as_test(
        BucketMachine,
        settings=settings(max_examples=100, stateful_step_count=30),
    )
