"""Bells within this process: what its sleeping threads wait on, and how they are rung."""

import math
from collections import Counter
from queue import Empty, SimpleQueue
from typing import Final

ANY: Final = "*"
"""Rung where nobody can tell which queue has new work."""

STOP: Final = "!"
"""Rung when running jobs were asked to stop, or a queue was steered."""

DUE: Final = "?"
"""Rung where this process leads, when something else is due next than was known."""


NEVER: Final = float("-inf")


class Bell:
    """Ends one thread's sleep early and says for which queues; a ring is never lost.

    `only` is what it rings for, if not for everything. One that `can_wait` has a thread which has
    enough to do without new work. By the monotonic clock, `found_at` is when that last found some,
    and `sleeps_until` when it will come round even if nobody rings: never, as long as it is awake.
    """

    def __init__(self, *, only: str = "") -> None:
        self.only = only
        self.can_wait = False
        self.found_at = NEVER
        self.sleeps_until = math.inf
        self._rings: SimpleQueue[str] = SimpleQueue()

    def ring(self, queue: str) -> None:
        self._rings.put(queue)

    def wait(self, seconds: float) -> Counter[str]:
        """Sleep until rung, at most so long; returns what was rung how often, if anything was."""
        rung: Counter[str] = Counter()
        try:
            rung[self._rings.get(timeout=seconds)] += 1
            while True:
                rung[self._rings.get_nowait()] += 1
        except Empty:
            return rung


_bells: Final[list[Bell]] = []


def subscribe(bell: Bell) -> None:
    """Let `bell` ring whenever there is new work in the job database."""
    _bells.append(bell)


def unsubscribe(bell: Bell) -> None:
    _bells.remove(bell)


def ring(queue: str) -> None:
    for bell in list(_bells):
        if bell.only in ("", queue):
            bell.ring(queue)


def found_at() -> float:
    """When somebody in this process last found new work, by the monotonic clock."""
    return max((bell.found_at for bell in list(_bells)), default=NEVER)


def can_wait() -> bool:
    """Whether nobody in this process would do anything at once about new work."""
    return all(bell.can_wait for bell in list(_bells) if bell.only in ("", ANY))
