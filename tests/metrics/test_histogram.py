"""Histograms: what they say of durations, alone and merged."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_jobs.metrics.histogram import LAST, Histogram, middle

WITHIN = 0.1

durations = st.floats(min_value=2e-4, max_value=1e6)
lists = st.lists(durations, max_size=50)
histograms = st.dictionaries(st.integers(0, LAST), st.integers(1, 10**9)).map(Histogram)


def of(values: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


def merged(*parts: Histogram) -> Histogram:
    whole = Histogram()
    for part in parts:
        whole.merge(part)
    return whole


@given(durations)
def test_a_bucket_s_middle_is_within_ten_percent_of_whatever_is_in_it(seconds: float) -> None:
    assert of([seconds]).percentile(50) == pytest.approx(seconds, rel=WITHIN)


@given(st.lists(lists, min_size=1, max_size=5), st.sampled_from([0, 50, 95, 99, 100]))
def test_a_percentile_of_what_was_merged_is_that_of_all_values(
    parts: list[list[float]], percent: int
) -> None:
    values = sorted(value for part in parts for value in part)
    found = merged(*map(of, parts)).percentile(percent)

    if not values:
        assert found is None
    else:
        rank = max(1, ceil(len(values) * percent / 100))
        assert found == pytest.approx(values[rank - 1], rel=WITHIN)


@given(histograms, histograms, histograms)
def test_it_does_not_matter_in_which_order_is_merged(
    one: Histogram, two: Histogram, three: Histogram
) -> None:
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    assert merged(one, two) == merged(two, one)
    assert merged(one, Histogram()) == one


@given(histograms)
def test_json_keeps_everything(histogram: Histogram) -> None:
    assert Histogram.from_json(histogram.as_json()) == histogram


@given(st.lists(histograms, max_size=4))
def test_stored_ones_with_commas_between_are_their_sum(several: list[Histogram]) -> None:
    assert Histogram.from_json(",".join(one.as_json() for one in several)) == merged(*several)


def test_a_duration_may_count_many_times() -> None:
    histogram = Histogram()
    histogram.add(1.0, times=99)
    histogram.add(60.0)

    assert len(histogram) == 100
    assert histogram.percentile(99) == pytest.approx(1.0, rel=WITHIN)
    assert histogram.percentile(99.5) == pytest.approx(60.0, rel=WITHIN)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e-9])
def test_no_time_at_all_falls_into_the_first_bucket(seconds: float) -> None:
    assert of([seconds]).counts == {0: 1}


def test_a_lifetime_falls_into_the_last_bucket() -> None:
    assert of([1e12]).counts == {LAST: 1}
    assert middle(LAST) > 3 * 365 * 86_400


def test_buckets_are_read_in_rising_order() -> None:
    histogram = of([60.0, 0.001, 1.0, 1.0])

    assert [count for _, count in histogram] == [1, 2, 1]
    assert [seconds for seconds, _ in histogram] == sorted(seconds for seconds, _ in histogram)
