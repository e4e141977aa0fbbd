"""Sessions that threads of a process lend each other while they rest."""

from __future__ import annotations

import os
import time
from threading import Lock
from typing import Any, NamedTuple


class Resting(NamedTuple):
    """A session, with what its last user knows of it."""

    session: Any
    traits: object
    dies_at: float
    since: float


class Shelf:
    """The last one comes first: where few are needed at a time, the others rest until closed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._resting: list[Resting] = []
        os.register_at_fork(after_in_child=self._forget)

    def __len__(self) -> int:
        return len(self._resting)

    def put(self, session: Any, *, traits: object, dies_at: float) -> None:
        with self._lock:
            self._resting.append(Resting(session, traits, dies_at, time.monotonic()))

    def take(self) -> Resting | None:
        with self._lock:
            return self._resting.pop() if self._resting else None

    def close(self, *, after: float = 0.0) -> int:
        """Close those that have rested for so many seconds; returns how many."""
        oldest = time.monotonic() - after
        with self._lock:
            over = [one for one in self._resting if one.since <= oldest]
            self._resting = [one for one in self._resting if one.since > oldest]
        for one in over:
            one.session.close()
        return len(over)

    def _forget(self) -> None:
        """What lies here after a fork is the other process's, and so is the lock, maybe."""
        self._lock, self._inherited, self._resting = Lock(), self._resting, []
