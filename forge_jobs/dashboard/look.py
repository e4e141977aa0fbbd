"""How far a request looks for what no index finds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from forge_jobs.dashboard.order import Place, Step


class Look:
    """Goes along until it has found what is wanted, has seen enough, or is at the end."""

    def __init__(self, walk: Iterator[Step], *, wanted: int, bound: int) -> None:
        self.found: list[Place] = []
        self.last: Place | None = None
        self.is_over = True
        for step in islice(walk, bound):
            self.last = step.place
            if step.fits:
                self.found.append(step.place)
            if len(self.found) == wanted:
                self.is_over = False
                return
        self.is_over = next(walk, None) is None
