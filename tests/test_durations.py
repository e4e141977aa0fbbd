"""How durations and moments come in, and how durations are read."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from forge_jobs.durations import (
    LONGEST,
    as_moment,
    as_timedelta,
    clamped,
    nearest,
    of_seconds,
    spelled,
)
from tests.conftest import NOON

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (float("nan"), "nan s"),
        (float("inf"), "inf s"),
        (-1, "0 s"),
        (0.00001, "0 s"),
        (0.0004, "0.4 ms"),
        (0.001, "1 ms"),
        (0.00996, "10 ms"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.34, "1.3 s"),
        (30, "30 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (245.4, "4 min 5 s"),
        (HOUR - 0.4, "1 h 0 min"),
        (3 * HOUR + 20 * MINUTE, "3 h 20 min"),
        (DAY - 1, "23 h 59 min"),
        (DAY, "1 d 0 h"),
        (5 * DAY + 3 * HOUR, "5 d 3 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert spelled(seconds) == text


@pytest.mark.parametrize("value", [90, 90.0, timedelta(seconds=90)])
def test_a_duration_is_a_timedelta_or_a_number_of_seconds(value: timedelta | float) -> None:
    assert as_timedelta(value, field="delay") == timedelta(seconds=90)


def test_no_time_at_all_is_a_duration() -> None:
    assert as_timedelta(0, field="delay") == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [-1, -0.1, timedelta(seconds=-1), float("nan"), float("inf"), True, "90", None, NOON],
    ids=str,
)
def test_a_duration_that_is_none_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(ValueError, match="patience must be a timedelta or a number of seconds"):
        as_timedelta(value, field="patience")


@pytest.mark.parametrize("value", [1e10, 1e300, 10**400, timedelta.max], ids=repr)
def test_a_duration_of_more_than_a_century_is_refused_by_its_name_or_cut(value: Any) -> None:
    with pytest.raises(ValueError, match=r"patience .* the longest duration is 36,500 days"):
        as_timedelta(value, field="patience")

    assert clamped(value, field="patience") == LONGEST


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e300, 1e10])
def test_a_column_s_duration_is_never_longer_than_that(seconds: float) -> None:
    assert of_seconds(seconds) == LONGEST


@pytest.mark.parametrize("seconds", [-1.0, -1e300, 0.0])
def test_a_column_s_duration_is_never_negative(seconds: float) -> None:
    assert of_seconds(seconds) == timedelta(0)


WEST, EAST = timezone(timedelta(hours=-8)), timezone(timedelta(hours=8))


def test_a_moment_comes_in_as_utc() -> None:
    assert as_moment(NOON.astimezone(WEST), field="until", now=NOON).tzinfo is UTC


def test_a_moment_of_another_library_comes_in_as_python_s() -> None:
    class Moment(datetime):
        def __sub__(self, other: Any) -> Any:
            raise LookupError

    moment = Moment(2026, 1, 1, tzinfo=UTC)

    assert type(as_moment(moment, field="until", now=NOON)) is datetime


@pytest.mark.parametrize("zone", [WEST, EAST, UTC])
def test_a_moment_of_another_age_is_refused_by_its_name_or_brought_near(zone: timezone) -> None:
    moment = datetime.max.replace(tzinfo=zone)

    with pytest.raises(ValueError, match=r"until .* more than 36,500 days ahead"):
        as_moment(moment, field="until", now=NOON)

    assert nearest(moment, field="until", now=NOON) == NOON + LONGEST


@pytest.mark.parametrize("zone", [WEST, EAST, UTC])
def test_a_moment_of_long_ago_is_brought_near(zone: timezone) -> None:
    moment = datetime.min.replace(tzinfo=zone)

    assert as_moment(moment, field="until", now=NOON) == NOON - LONGEST


@pytest.mark.parametrize("value", [NOON.replace(tzinfo=None), NOON.date(), 12, None], ids=str)
def test_what_is_no_aware_moment_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(ValueError, match="until must be"):
        nearest(value, field="until", now=NOON)
