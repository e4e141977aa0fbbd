"""Sums of what came of jobs: the same in a process's memory, in samples, and in buckets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from forge_jobs.metrics.histogram import Histogram

COUNTS: Final = (
    "enqueued",
    "started",
    "succeeded",
    "retried",
    "dead",
    "cancelled",
    "throttled",
    "snoozed",
    "released",
)
DURATIONS: Final = ("run_time", "latency", "wait")
"""Seconds that a handler ran; from enqueue to end; from being due to the start."""

EMPTY: Final = Histogram().as_json()

SPANS: Final = (10, 60, 600, 3_600)
"""The lengths of buckets, in seconds; each is a multiple of the one before."""


class Work(NamedTuple):
    """Whose jobs are counted together."""

    queue: str
    kind: str


class Tally:
    """Counts and durations of the jobs of one queue and kind."""

    __slots__ = ("counts", "durations")

    def __init__(self) -> None:
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.durations: defaultdict[str, Histogram] = defaultdict(Histogram)

    def merge(self, other: Tally) -> None:
        for name, count in other.counts.items():
            self.counts[name] += count
        for name, histogram in other.durations.items():
            self.durations[name].merge(histogram)

    def merge_columns(self, columns: Mapping[str, Any]) -> None:
        """Add what a row says."""
        for name in COUNTS:
            if count := columns[name]:
                self.counts[name] += count
        for name in DURATIONS:
            if (stored := columns[name]) != EMPTY:
                self.durations[name].merge(Histogram.from_json(stored))

    def columns(self) -> dict[str, Any]:
        """As a row says it."""
        histograms = {name: one.as_json() for name, one in self.durations.items()}
        return dict(self.counts) | histograms


def tallied(rows: Iterable[Mapping[str, Any]]) -> dict[Work, Tally]:
    """What rows come to that say it as `columns()` does, by queue and kind."""
    sums: defaultdict[Work, Tally] = defaultdict(Tally)
    for row in rows:
        sums[Work(row["queue"], row["kind"])].merge_columns(row)
    return dict(sums)


def span_start(moment: datetime, seconds: int) -> datetime:
    """When the span began that a moment is in; spans are counted from 1970, in UTC."""
    epoch = int(moment.timestamp())
    return datetime.fromtimestamp(epoch - epoch % seconds, tz=UTC)


def longest_span_between(earlier: datetime | None, later: datetime) -> int:
    """The longest span that has begun since; the longest of all if there is no earlier moment."""
    for span in reversed(SPANS):
        if earlier is None or span_start(earlier, span) != span_start(later, span):
            return span
    return 0
