"""How durations are read."""

import pytest

from forge_jobs.durations import spelled

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
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
