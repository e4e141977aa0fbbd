"""The clock: it follows the database's, and stands still in tests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from forge_jobs import clock
from forge_jobs.clock import ManualClock
from tests.conftest import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
def _offset() -> Iterator[None]:
    yield
    clock.set_offset(timedelta(0))


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().tzinfo is UTC


@pytest.mark.usefixtures("_offset")
def test_now_is_ahead_of_this_machine_by_the_measured_offset() -> None:
    clock.set_offset(HOUR)

    assert HOUR <= clock.now() - datetime.now(UTC) + timedelta(seconds=1) < 2 * HOUR


def test_a_manual_clock_stands_still(manual_clock: ManualClock) -> None:
    assert clock.now() == clock.now() == NOON


def test_a_manual_clock_is_advanced(manual_clock: ManualClock) -> None:
    assert manual_clock.advance(HOUR) == clock.now() == NOON + HOUR


@pytest.mark.usefixtures("_offset", "manual_clock")
def test_a_manual_clock_knows_no_offset() -> None:
    clock.set_offset(HOUR)

    assert clock.now() == NOON


def test_an_installed_clock_gives_way_to_the_one_before_it(manual_clock: ManualClock) -> None:
    with clock.installed(ManualClock(NOON + HOUR)):
        assert clock.now() == NOON + HOUR

    assert clock.now() == NOON


def test_an_installed_clock_gives_way_after_an_error_too(manual_clock: ManualClock) -> None:
    with pytest.raises(LookupError), clock.installed(ManualClock(NOON + HOUR)):
        raise LookupError

    assert clock.now() == NOON
