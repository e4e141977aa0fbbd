"""Tallies: sums of counts and durations, and the spans that they are of."""

from datetime import timedelta
from itertools import pairwise

import pytest

from forge_jobs.metrics.tally import (
    COUNTS,
    DURATIONS,
    EMPTY,
    SPANS,
    Tally,
    longest_span_between,
    span_start,
)
from tests.conftest import NOON


def tally(*, succeeded: int, seconds: float) -> Tally:
    made = Tally()
    made.counts["succeeded"] = succeeded
    made.durations["run_time"].add(seconds, times=succeeded)
    return made


def stored(one: Tally) -> dict[str, object]:
    return dict.fromkeys(COUNTS, 0) | dict.fromkeys(DURATIONS, EMPTY) | one.columns()


def test_what_is_merged_adds_up_from_memory_as_from_rows() -> None:
    by_memory, by_rows = tally(succeeded=1, seconds=1.0), tally(succeeded=1, seconds=1.0)
    by_memory.merge(tally(succeeded=2, seconds=5.0))
    by_rows.merge_columns(stored(tally(succeeded=2, seconds=5.0)))

    assert by_memory.columns() == by_rows.columns()
    assert by_memory.counts["succeeded"] == len(by_memory.durations["run_time"]) == 3


@pytest.mark.parametrize("span", SPANS)
def test_a_span_begins_on_its_own_multiples(span: int) -> None:
    begin = span_start(NOON, span)

    assert begin == NOON
    assert span_start(NOON + timedelta(seconds=span - 0.001), span) == NOON
    assert span_start(NOON + timedelta(seconds=span), span) == NOON + timedelta(seconds=span)


def test_each_span_is_a_multiple_of_the_one_before() -> None:
    assert all(longer % span == 0 for span, longer in pairwise(SPANS))


@pytest.mark.parametrize(
    ("seconds", "span"), [(5, 0), (10, 10), (60, 60), (61, 60), (600, 600), (3_600, 3_600)]
)
def test_the_longest_span_that_has_begun_in_between(seconds: int, span: int) -> None:
    assert longest_span_between(NOON, NOON + timedelta(seconds=seconds)) == span


def test_with_nothing_before_every_span_has_begun() -> None:
    assert longest_span_between(None, NOON) == SPANS[-1]
