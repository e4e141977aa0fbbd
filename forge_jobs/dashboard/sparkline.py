"""A line so small that it needs no axes, drawn by the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 120
HEIGHT: Final = 28
MARGIN: Final = 1.5


@dataclass(frozen=True)
class Sparkline:
    values: Sequence[float]

    width = WIDTH
    height = HEIGHT

    def __bool__(self) -> bool:
        return len(self.values) > 1 and max(self.values) > 0

    @property
    def points(self) -> str:
        """For an SVG polyline: zero lies at the bottom, the highest value at the top."""
        step = WIDTH / (len(self.values) - 1)
        scale = (HEIGHT - 2 * MARGIN) / max(self.values)
        return " ".join(
            f"{place * step:.1f},{HEIGHT - MARGIN - value * scale:.1f}"
            for place, value in enumerate(self.values)
        )

    @property
    def highest(self) -> float:
        return max(self.values)

    @property
    def total(self) -> float:
        return sum(self.values)
