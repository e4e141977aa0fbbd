"""How a metric is written down: its name, what it says, and its labels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from forge_jobs.metrics.histogram import A_DOUBLING, SHORTEST, Histogram

PREFIX: Final = "forge_jobs_"
SECONDS: Final = "seconds"

DOUBLINGS: Final = (5, *range(7, 20), 21, 23, 25)
"""From 3.2 milliseconds to 56 minutes; more of them would make a scrape large and slow."""

EDGES: Final = [(A_DOUBLING * number, str(SHORTEST * 2**number)) for number in DOUBLINGS]
"""Up to which stored bucket, and up to how many seconds that is."""

Labels = tuple[str, ...]


class Said(NamedTuple):
    """What is said of a metric; one whose name ends so is in seconds."""

    name: str
    text: str
    labels: Labels = ()

    @property
    def unit(self) -> str:
        return SECONDS if self.name.endswith(SECONDS) else ""

    def gauge(self, values: Iterable[tuple[Labels, float]]) -> GaugeMetricFamily:
        name = PREFIX + self.name
        family = GaugeMetricFamily(name, self.text, labels=self.labels, unit=self.unit)
        for labels, value in values:
            family.add_metric(labels, value)
        return family

    def counter(self, values: Iterable[tuple[Labels, int]]) -> CounterMetricFamily:
        family = CounterMetricFamily(PREFIX + self.name, self.text, labels=self.labels)
        for labels, value in values:
            family.add_metric(labels, value)
        return family

    def histogram(self, values: Iterable[tuple[Labels, Histogram]]) -> HistogramMetricFamily:
        name = PREFIX + self.name
        family = HistogramMetricFamily(name, self.text, labels=self.labels, unit=self.unit)
        for labels, histogram in values:
            family.add_metric(labels, _buckets(histogram), sum_value=histogram.total())
        return family


def seconds_between(earlier: datetime | None, later: datetime | None) -> float:
    """None where there is nothing to wait for, and nothing before its time."""
    if earlier is None or later is None:
        return 0.0
    return max(0.0, (later - earlier).total_seconds())


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """How many durations lie below each edge: exactly, for each is one of the stored buckets'."""
    rest = sorted(histogram.counts.items(), reverse=True)
    buckets, passed = list[tuple[str, float]](), 0
    for index, edge in EDGES:
        while rest and rest[-1][0] < index:
            passed += rest.pop()[1]
        buckets.append((edge, passed))
    return [*buckets, ("+Inf", len(histogram))]
