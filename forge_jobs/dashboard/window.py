"""A stretch of time to look at, cut into as many steps as a chart has room for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final, Self

from forge_jobs.db.observed import Grid
from forge_jobs.metrics.tally import SPANS
from forge_jobs.services.thinner import DETAILED

WINDOWS: Final[Mapping[str, timedelta]] = {
    "5m": timedelta(minutes=5),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "3h": timedelta(hours=3),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
}
STEPS: Final = (10, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
MOST_POINTS: Final = 180
GAUGES_A_STEP: Final = 6


@dataclass(frozen=True)
class Window:
    """From the first to the last of the whole steps that have begun; moments are since 1970."""

    first: int
    step: int
    points: int

    @classmethod
    def last(cls, name: str, *, now: datetime) -> Self:
        """One of `WINDOWS` that ends now; raises `KeyError` for any other name."""
        return cls.between(now - WINDOWS[name], now, now=now)

    @classmethod
    def between(cls, start: datetime, end: datetime, *, now: datetime) -> Self:
        """Any window; what is left of it before the next step begins is left out.

        Raises `ValueError` if it ends before it begins.
        """
        if start >= end:
            raise ValueError("A window must begin before it ends.")
        seconds = (end - start).total_seconds()
        shortest = STEPS[0] if start >= now - DETAILED else STEPS[1]
        fitting = (step for step in STEPS if step >= shortest and seconds <= step * MOST_POINTS)
        step = next(fitting, ceil(seconds / MOST_POINTS / STEPS[-1]) * STEPS[-1])
        first = ceil(start.timestamp() / step) * step
        return cls(first, step, max(1, ceil((end.timestamp() - first) / step)))

    @property
    def moments(self) -> list[int]:
        """When each step begins, in seconds since 1970."""
        return [self.first + place * self.step for place in range(self.points)]

    @property
    def start(self) -> datetime:
        return datetime.fromtimestamp(self.first, tz=UTC)

    @property
    def end(self) -> datetime:
        return datetime.fromtimestamp(self.first + self.points * self.step, tz=UTC)

    @property
    def grid(self) -> Grid:
        return Grid(self.start, self.end, self.first, self.step)

    @property
    def span(self) -> int:
        """The longest buckets that fit into the steps."""
        return next(span for span in reversed(SPANS) if self.step % span == 0)

    @property
    def gauge_span(self) -> int:
        """The span of gauges of which about six fall into a step."""
        fitting = (span for span in reversed(SPANS) if span * GAUGES_A_STEP <= self.step)
        return next(fitting, SPANS[0])

    def place(self, moment: datetime) -> int:
        """In which step a moment is."""
        return min(self.points - 1, int(moment.timestamp() - self.first) // self.step)
