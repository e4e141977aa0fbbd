"""Gives back the jobs of processes that died and have no successor of their name."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

from forge_jobs.runtime.command.shutdown import JOBS_DIED


class Burials:
    """Each is a process that `bury(names)` starts, for the supervisor has no connection.

    What can't be given back at once is tried again at the end; if that fails too, others' reapers
    do it.
    """

    def __init__(self, bury: Callable[[list[str]], int]) -> None:
        self._bury = bury
        self._put_off: list[str] = []
        self._under_way: dict[int, list[str]] = {}

    @property
    def are_under_way(self) -> bool:
        return bool(self._under_way)

    def put_off(self, name: str) -> None:
        self._put_off.append(name)

    def begin(self, names: list[str]) -> None:
        try:
            pid = self._bury(names)
        except OSError:
            self._put_off += names
        else:
            self._under_way[pid] = names

    def begin_the_last(self) -> None:
        names, self._put_off = self._put_off, []
        if names:
            self.begin(names)

    def have_killed(self, pid: int, code: int) -> bool:
        """Whether this was one, and jobs became dead letters by it."""
        names = self._under_way.pop(pid, [])
        if code not in (0, JOBS_DIED):
            self._put_off += names
        return bool(names) and code == JOBS_DIED

    def break_off(self) -> None:
        for pid in self._under_way:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
