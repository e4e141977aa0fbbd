"""Warm children of one program: each is lent to one job at a time, and replaced when in doubt."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Condition
from typing import Final, TypeVar

from forge_jobs.children.program import Program
from forge_jobs.children.warm import TICK_SECONDS, Fault, WarmChild
from forge_jobs.exceptions import ChildUnfit, JobTimedOut
from forge_jobs.signals import pool_child_ended
from forge_jobs.states import ChildEnd

T = TypeVar("T")

LEAVE_SECONDS: Final = 1.0
"""How long children may take to end by themselves once they are not needed any more."""

LOOK_SECONDS: Final = 1.0
LONGEST_PAUSE: Final = 60.0


class Pool:
    """So many of its children start with the process, the others with jobs; for any thread.

    After one that could not be started the next is not tried at once.
    """

    def __init__(self, program: Program, *, size: int, at_start: int | None = None) -> None:
        self.program = program
        self.size = size
        self.at_start = size if at_start is None else at_start
        self._lock = Condition()
        self._free: list[WarmChild] = []
        self._all: set[WarmChild] = set()
        self._vacancies = size
        self._failure = ""
        self._failures = 0
        self._resumes_at = self._looked_at = 0.0
        os.register_at_fork(after_in_child=self._disown)

    def start(self, *, heed: Callable[[], None]) -> None:
        """Start those that it begins with at once, and wait until each has proved that it can.

        Raises `ChildUnfit` if one can't, or as `heed()` does; then none is left.
        """
        began, started = time.monotonic(), list[WarmChild]()
        try:
            while len(self._all) < self.at_start and self._may_start():
                started.append(self._started())
            for child in started:
                self.program.prove(child, since=began, heed=heed)
        except BaseException:
            for child in started:
                self._discard(child, None)
            raise
        for child in started:
            self._give_back(child)

    def lend(self, borrow: Callable[[WarmChild], T], *, heed: Callable[[], None]) -> T:
        """What `borrow(child)` returns of one that is free, or of a new one.

        The wait for it ends when `heed()` raises. It is replaced if `borrow` raises, or finds a
        `fault` with it. Raises `ChildUnfit`.
        """
        child = self._taken(heed)
        try:
            return borrow(child)
        except BaseException as error:
            child.blame(_reason(error), "its job was broken off")
            raise
        finally:
            self._take_back(child)

    def look_after(self) -> None:
        """Bury those that have died at rest; may be called again and again."""
        if time.monotonic() < self._looked_at + LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        with self._lock:
            dead = [child for child in self._free if not child.is_fit()]
            self._free = [child for child in self._free if not child.fault]
        for child in dead:
            self._discard(child, child.fault)

    def children(self) -> list[WarmChild]:
        """Those that there are, whatever they do."""
        with self._lock:
            return [*self._all]

    def stop(self) -> None:
        """End all: those at rest by themselves, if they do, and those that still work at once."""
        with self._lock:
            free, self._free = self._free, []
            for busy in self._all.difference(free):
                busy.strike()
        for child in free:
            child.finish_input()
        deadline = time.monotonic() + LEAVE_SECONDS
        for child in free:
            child.has_ended(within=deadline - time.monotonic())
            self._discard(child, None)

    def _taken(self, heed: Callable[[], None]) -> WarmChild:
        while True:
            if child := self._free_one():
                if child.is_fit():
                    return child
                self._discard(child, child.fault)
            elif self._may_start():
                return self._new(heed)
            else:
                self._wait()
            heed()

    def _free_one(self) -> WarmChild | None:
        with self._lock:
            return self._free.pop() if self._free else None

    def _wait(self) -> None:
        with self._lock:
            if not self._free and not self._vacancies:
                self._lock.wait(TICK_SECONDS)

    def _new(self, heed: Callable[[], None]) -> WarmChild:
        began, child = time.monotonic(), self._started()
        try:
            if self.program.ready:
                self.program.prove(child, since=began, heed=heed)
        except BaseException as error:
            if isinstance(error, ChildUnfit):
                self._discard(child, Fault(ChildEnd.UNFIT, str(error)))
                self._pause(error)
            else:
                self._discard(child, Fault(_reason(error), "its job was broken off"))
            raise
        self._failure, self._failures = "", 0
        return child

    def _started(self) -> WarmChild:
        """After `_may_start()`."""
        try:
            child = self.program.started()
        except BaseException as error:
            with self._lock:
                self._vacancies += 1
            if isinstance(error, ChildUnfit):
                self._pause(error)
            raise
        with self._lock:
            self._all.add(child)
        return child

    def _may_start(self) -> bool:
        """Whether there is room for another; then it is taken."""
        with self._lock:
            if not self._vacancies:
                return False
            if self._failure and time.monotonic() < self._resumes_at:
                raise ChildUnfit(self._failure)
            self._vacancies -= 1
            return True

    def _pause(self, error: ChildUnfit) -> None:
        with self._lock:
            self._failure, self._failures = str(error), self._failures + 1
            self._resumes_at = time.monotonic() + min(LONGEST_PAUSE, 2.0 ** (self._failures - 1))

    def _take_back(self, child: WarmChild) -> None:
        child.job_id = None
        if child.fault:
            self._discard(child, child.fault)
        elif enough := self.program.has_done_enough(child):
            child.finish_input()
            child.has_ended(within=LEAVE_SECONDS)
            self._discard(child, enough)
        else:
            self._give_back(child)

    def _give_back(self, child: WarmChild) -> None:
        child.rests_since = time.monotonic()
        with self._lock:
            self._free.append(child)
            self._lock.notify()

    def _discard(self, child: WarmChild, fault: Fault | None) -> None:
        child.kill()
        with self._lock:
            self._all.discard(child)
            self._vacancies += 1
            self._lock.notify()
        reason, why = fault or ("", "")
        pool_child_ended.send_robust(
            Pool, name=self.program.name, child=child, why=why, reason=reason
        )

    def _disown(self) -> None:
        """In a fork of this process: the children are the parent's."""
        self._lock = Condition()
        self._free, self._all = [], set()
        self._vacancies = self.size


def _reason(error: BaseException) -> ChildEnd:
    return ChildEnd.TIMED_OUT if isinstance(error, JobTimedOut) else ChildEnd.CANCELLED
