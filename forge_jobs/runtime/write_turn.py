"""Whose turn it is to write, where a database lets one session do so at a time."""

from __future__ import annotations

from threading import Event, Lock, current_thread
from typing import Final, Protocol

PATIENCE: Final = 0.005
"""Seconds that a write waits for the end of a job."""

LONGEST_GAP: Final = 0.1
"""Seconds after which the next job begins, whether the write has ended or not."""


class Soloist(Protocol):
    """A worker that runs all jobs alone; `current` is the one that it runs."""

    @property
    def current(self) -> object | None: ...


class WriteTurn:
    """A lock for what this process writes by itself, with a gap for it between two jobs.

    Handlers write when they please, and of two sessions that want to write at once one sleeps in
    growing steps until it finds the other gone. A worker that runs all jobs alone makes way: a
    write waits for the end of its job, and the next job for the end of the write.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_gap = Event()
        self._is_over = Event()
        self.soloist: Soloist | None = None
        self.is_wanted = False
        """Whether the soloist is to make way."""

    def take(self) -> None:
        soloist = self.soloist
        caller: object = current_thread()
        if caller is soloist:  # its handler does not write now: no need to wait for it
            self._is_gap.set()
            self._lock.acquire()
            return
        self._lock.acquire()
        if soloist and soloist.current is not None:
            self._is_gap.clear()
            self._is_over.clear()
            self.is_wanted = True
            self._is_gap.wait(PATIENCE)

    def give_back(self) -> None:
        self.is_wanted = False
        self._is_over.set()
        self._lock.release()

    def make_way(self) -> None:
        """Called by the soloist between two jobs."""
        self._is_gap.set()
        self._is_over.wait(LONGEST_GAP)
