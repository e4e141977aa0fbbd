"""How far a request looks for what no index finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from forge_jobs.dashboard.order import Place, Step

SHARE: Final = 10
"""As many jobs that are passed over because of their kind cost as much as one that is looked at."""


class Look:
    """Goes along until it has found what is wanted, has seen enough, or is at the end."""

    def __init__(self, walk: Iterator[Step], *, wanted: int, bound: int) -> None:
        self.found: list[Place] = []
        self.last: Place | None = None
        self.looked = 0
        """How many jobs it has gone past."""
        self.is_over = True
        cost = 0.0
        for step in walk:
            self.last = step.place
            self.looked += step.passed
            cost += 1 + (step.passed - 1) / SHARE
            if step.fits:
                self.found.append(step.place)
            if len(self.found) == wanted:
                self.is_over = False
                return
            if cost >= bound:
                self.is_over = next(walk, None) is None
                return
