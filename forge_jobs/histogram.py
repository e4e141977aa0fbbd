"""Durations as counts in buckets that grow by a constant factor, so that any two can be merged.

Percentiles of parts say little about the whole: their average is no percentile. Counts add up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, log2
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

    __hash__ = None  # type: ignore[assignment]

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

    def merge_json(self, stored: Mapping[str, int]) -> None:
        """The same for one that comes from the database."""
        counts = self.counts
        for key, count in stored.items():
            index = int(key)
            counts[index] = counts.get(index, 0) + count

    def percentile(self, percent: float) -> float | None:
        """The seconds within which so many percent stayed, give or take 9 %; None without any."""
        rank = max(1, ceil(len(self) * percent / 100))
        for seconds, count in self:
            rank -= count
            if rank <= 0:
                return seconds
        return None

    def as_json(self) -> dict[str, int]:
        return {str(index): self.counts[index] for index in sorted(self.counts)}

    @classmethod
    def from_json(cls, stored: Mapping[str, int]) -> Self:
        histogram = cls()
        histogram.merge_json(stored)
        return histogram


def middle(index: int) -> float:
    """The geometric middle of a bucket, in seconds."""
    return float(SHORTEST * 2 ** ((index + 0.5) / A_DOUBLING))
