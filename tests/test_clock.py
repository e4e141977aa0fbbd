"""The clock: it follows the database's, and stands still in tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from forge_jobs import clock
from forge_jobs.clock import ManualClock, MeasuredClock, Reading, Verdict
from tests.conftest import NOON

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NOTHING = timedelta(0)


class Elapsed:
    """Time that passes when a test says so, whatever clocks are set to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def measured(elapsed: Elapsed) -> MeasuredClock:
    """It was NOON when it was measured."""
    subject = MeasuredClock(elapsed)
    subject.trust(NOON, at=elapsed())
    return subject


@pytest.fixture
def beat(measured: MeasuredClock, elapsed: Elapsed) -> Callable[[timedelta], Verdict]:
    """Five seconds later, measure a clock that is so far from what it should be."""

    def hear(off: timedelta) -> Verdict:
        elapsed.seconds += 5
        passed = timedelta(seconds=elapsed.seconds - 1_000)
        return measured.hear(NOON + passed + off, at=elapsed()).verdict

    return hear


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().tzinfo is UTC


def test_what_is_not_measured_is_this_machine_s_time() -> None:
    before, told, after = datetime.now(UTC), MeasuredClock()(), datetime.now(UTC)

    assert before <= told <= after


def test_from_one_measurement_to_the_next_it_goes_by_elapsed_time(
    measured: MeasuredClock, elapsed: Elapsed
) -> None:
    elapsed.seconds += 90

    assert measured() == NOON + timedelta(seconds=90)
    assert measured().tzinfo is UTC


def test_a_small_difference_is_taken_over_at_once(
    measured: MeasuredClock, elapsed: Elapsed
) -> None:
    reading = measured.hear(NOON + 0.9 * SECOND, at=elapsed())

    assert (reading, measured()) == (Reading(Verdict.RIGHT), NOON + 0.9 * SECOND)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 2 * SECOND, 365 * 24 * HOUR])
def test_a_jump_is_believed_once_it_has_lasted_for_two_beats(
    measured: MeasuredClock, beat: Callable[[timedelta], Verdict], jump: timedelta
) -> None:
    assert [beat(jump), beat(jump)] == [Verdict.JUMPED, Verdict.DOUBTFUL]
    assert measured.jump == jump
    assert measured() == NOON + 10 * SECOND

    assert beat(jump) == Verdict.CONFIRMED
    assert measured.jump is None
    assert measured() == NOON + 15 * SECOND + jump


def test_a_jump_that_is_put_right_has_changed_nothing(
    measured: MeasuredClock, beat: Callable[[timedelta], Verdict]
) -> None:
    verdicts = [beat(HOUR), beat(HOUR), beat(NOTHING), beat(NOTHING)]

    assert verdicts[2:] == [Verdict.WITHDRAWN, Verdict.RIGHT]
    assert (measured.jump, measured()) == (None, NOON + 20 * SECOND)


def test_a_clock_that_jumps_again_and_again_is_never_believed(
    measured: MeasuredClock, beat: Callable[[timedelta], Verdict]
) -> None:
    verdicts = [beat(number * HOUR) for number in (1, -1, 2, 3, 4, 5, 1)]

    assert set(verdicts) == {Verdict.JUMPED}
    assert measured() == NOON + 35 * SECOND


def test_a_reading_says_how_far_the_clock_had_jumped(
    measured: MeasuredClock, elapsed: Elapsed
) -> None:
    assert measured.hear(NOON - HOUR, at=elapsed()).jump == -HOUR
    assert measured.hear(NOON, at=elapsed()) == Reading(Verdict.WITHDRAWN, -HOUR)


def test_a_manual_clock_stands_still(manual_clock: ManualClock) -> None:
    assert clock.now() == clock.now() == NOON


def test_a_manual_clock_is_advanced(manual_clock: ManualClock) -> None:
    assert manual_clock.advance(HOUR) == clock.now() == NOON + HOUR


def test_an_installed_clock_gives_way_to_the_one_before_it(manual_clock: ManualClock) -> None:
    with clock.installed(ManualClock(NOON + HOUR)):
        assert clock.now() == NOON + HOUR

    assert clock.now() == NOON


def test_an_installed_clock_gives_way_after_an_error_too(manual_clock: ManualClock) -> None:
    with pytest.raises(LookupError), clock.installed(ManualClock(NOON + HOUR)):
        raise LookupError

    assert clock.now() == NOON
