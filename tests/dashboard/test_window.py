"""Windows: cut into whole steps, as many as a chart has room for."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_jobs.dashboard.window import MOST_POINTS, WINDOWS, Window
from forge_jobs.metrics.tally import SPANS
from tests.conftest import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "step", "points", "span"),
    [
        ("5m", 10, 30, 10),
        ("30m", 10, 180, 10),
        ("1h", 60, 60, 60),
        ("3h", 60, 180, 60),
        ("6h", 120, 180, 60),
        ("24h", 600, 144, 600),
        ("7d", 3_600, 168, 3_600),
    ],
)
def test_each_window_that_is_offered_has_its_steps(
    name: str, step: int, points: int, span: int
) -> None:
    window = Window.last(name, now=NOON)

    assert (window.step, window.points, window.span) == (step, points, span)
    assert (window.start, window.end) == (NOON - WINDOWS[name], NOON)


def test_a_window_in_the_middle_of_a_step_ends_with_one_that_is_not_over() -> None:
    window = Window.last("1h", now=NOON + timedelta(seconds=30))

    assert (window.start, window.end) == (NOON - 59 * MINUTE, NOON + MINUTE)
    assert len(window.moments) == 60


def test_what_is_short_but_long_ago_is_seen_by_the_minute() -> None:
    assert Window.between(NOON - DAY, NOON - DAY + 5 * MINUTE, now=NOON).step == 60


@given(
    st.timedeltas(min_value=timedelta(microseconds=1), max_value=3_650 * DAY),
    st.timedeltas(min_value=timedelta(0), max_value=60 * DAY),
)
def test_any_window_has_room_in_a_chart(length: timedelta, ago: timedelta) -> None:
    end = NOON - ago
    window = Window.between(end - length, end, now=NOON)

    assert 1 <= window.points <= MOST_POINTS + 1
    assert window.start >= end - length
    assert window.end >= end
    assert window.step % window.span == 0
    assert window.span in SPANS
    assert window.gauge_span in SPANS
    assert window.moments[0] % window.step == 0


@pytest.mark.parametrize("length", [timedelta(0), -MINUTE])
def test_a_window_that_ends_before_it_begins_is_refused(length: timedelta) -> None:
    with pytest.raises(ValueError, match="before it ends"):
        Window.between(NOON, NOON + length, now=NOON)


def test_a_window_that_is_not_offered_is_refused() -> None:
    with pytest.raises(KeyError):
        Window.last("2 moons", now=NOON)
