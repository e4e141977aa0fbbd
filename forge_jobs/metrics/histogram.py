"""Durations as counts in buckets that grow by a constant factor, so that any two can be merged.

Percentiles of parts say little about the whole: their average is no percentile. Counts add up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import log2
from typing import Final, Self

SHORTEST: Final = 1e-4
"""Seconds; what is shorter counts as being as short as that."""

A_DOUBLING: Final = 4
"""Buckets; so a bucket's geometric middle is off by 9 % at most."""

LAST: Final = 159
"""The bucket of whatever takes longer than three years."""


class Histogram:
    """How many durations fell into each bucket, by its index."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: dict[int, int] = dict(counts or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.counts == other.counts

    def __repr__(self) -> str:
        return f"Histogram({self.counts})"

    __hash__ = None  # type: ignore[assignment] # it changes

    def __len__(self) -> int:
        """How many durations there are."""
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[tuple[float, int]]:
        """The middle of each bucket in seconds, with its count, in rising order."""
        return ((middle(index), self.counts[index]) for index in sorted(self.counts))

    def add(self, seconds: float, times: int = 1) -> None:
        index = 0 if seconds <= SHORTEST else min(LAST, int(log2(seconds / SHORTEST) * A_DOUBLING))
        self.counts[index] = self.counts.get(index, 0) + times

    def merge(self, other: Self) -> None:
        """Count in all of `other`."""
        counts = self.counts
        for index, count in other.counts.items():
            counts[index] = counts.get(index, 0) + count

    def total(self) -> float:
        """The sum of all durations in seconds, give or take 9 %; it never falls as others come."""
        return sum((seconds * count for seconds, count in self), 0.0)

    def percentile(self, percent: float) -> float | None:
        """The seconds within which so many percent stayed, give or take 9 %; None without any."""
        return self.percentiles([percent])[0]

    def percentiles(self, percents: Sequence[float]) -> list[float | None]:
        """The same for several, in rising order."""
        total, passed, found = len(self), 0, list[float | None]()
        for seconds, count in self:
            passed += count
            while len(found) < len(percents) and passed >= total * percents[len(found)] / 100:
                found.append(seconds)
        return found or [None] * len(percents)

    def as_json(self) -> str:
        """A JSON text, such as {"12":3,"40":1}."""
        return json.dumps(self.counts, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The sum of one such text or of many, with commas between."""
        sums: dict[str, int] = {}
        for one in json.loads(f"[{text}]"):
            for key, count in one.items():
                sums[key] = sums.get(key, 0) + count
        return cls({int(key): count for key, count in sums.items()})


def middle(index: int) -> float:
    """The geometric middle of a bucket, in seconds."""
    return float(SHORTEST * 2 ** ((index + 0.5) / A_DOUBLING))
