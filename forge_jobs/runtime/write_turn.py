"""Whose turn it is to write, where a database lets one session do so at a time."""

from __future__ import annotations

from threading import Event, Lock, current_thread
from typing import Final, Protocol

PATIENCE: Final = 0.005
"""Seconds that a write waits for the end of a job."""

LONGEST_GAP: Final = 0.1
"""Seconds after which jobs go on, whether the write has ended or not."""


class Soloist(Protocol):
    """A worker that runs all jobs alone; `current` is the one that it runs."""

    jobs_started: int

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
        self._waits_itself = False
        self._long_one = 0
        """The last job of which a write did not see the end: its number."""
        self.soloist: Soloist | None = None
        self.is_wanted = False
        """Whether the soloist is to make way."""

    def take(self) -> None:
        caller: object = current_thread()
        if caller is self.soloist:  # its handler does not write now: nobody has to wait for it
            self._waits_itself = True
            self._is_gap.set()
            self._lock.acquire()
            self._waits_itself = False
            return
        self._lock.acquire()
        if (soloist := self.soloist) and self._may_write(soloist):
            self._await_gap(soloist.jobs_started)

    def give_back(self) -> None:
        self.is_wanted = False
        self._is_over.set()
        self._lock.release()

    def make_way(self) -> None:
        """Called by the soloist between two jobs."""
        self._is_gap.set()
        if not self._is_over.wait(LONGEST_GAP):
            self.is_wanted = False  # once for each write, however long it takes

    def dismiss(self) -> None:
        """Have no soloist any more; one that makes way goes on."""
        self.soloist = None
        self._is_over.set()

    def _may_write(self, soloist: Soloist) -> bool:
        is_short = soloist.jobs_started != self._long_one
        return soloist.current is not None and is_short and not self._waits_itself

    def _await_gap(self, number: int) -> None:
        self._is_gap.clear()
        self._is_over.clear()
        self.is_wanted = True
        if not self._is_gap.wait(PATIENCE):
            self._long_one = number
