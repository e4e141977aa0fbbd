"""When a process has done enough and should make way for a fresh one."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import psutil

LONGEST_NOTICES: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many jobs a process may run, and how much memory it may come to use; None is no limit.

    It runs one job at least, however much memory it needs to begin with. `make_way()` lets its
    successor start while it finishes what it runs."""

    max_jobs: int | None = None
    max_memory_bytes: int | None = None
    supervisor: int | None = None
    make_way: Callable[[], None] = lambda: None
    process: psutil.Process = field(default_factory=psutil.Process)

    def jobs_left(self, claimed: int) -> int:
        """How many jobs may still be claimed."""
        return sys.maxsize if self.max_jobs is None else self.max_jobs - claimed

    def exceeded(self, *, jobs: int) -> str:
        """Why the process should retire that has begun so many jobs; empty if it should not."""
        if self.max_jobs is not None and jobs >= self.max_jobs:
            return f"it has run {jobs:,} jobs"
        if self.max_memory_bytes and jobs:
            rss = self.process.memory_info().rss
            if rss > self.max_memory_bytes:
                return f"it uses {rss / 2**20:,.0f} MiB of memory"
        return ""

    def is_orphaned(self) -> bool:
        """Whether the supervisor is gone."""
        return self.supervisor is not None and os.getppid() != self.supervisor


class Notice:
    """How a process tells its supervisor something about itself, once: by a pipe."""

    def __init__(self, writer: int) -> None:
        self._writer = writer
        os.set_inheritable(writer, False)
        self._is_given = False

    def give(self) -> None:
        """Tell it; once is enough."""
        if not self._is_given:
            self._is_given = True
            with suppress(OSError):  # its supervisor sees all the same when it has ended
                os.write(self._writer, b"%d\n" % os.getpid())


class Notices(Notice):
    """The supervisor's side, made before its processes are."""

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(writer, False)
        super().__init__(writer)

    def handed_on(self) -> int:
        """For a fresh interpreter: the file in which it may give notice."""
        os.set_inheritable(self._writer, True)
        return self._writer

    def take(self, *, within: float) -> list[int]:
        """Wait for so many seconds at most; the pids of those that gave notice."""
        if not select.select([self._reader], [], [], within)[0]:
            return []
        return [int(pid) for pid in os.read(self._reader, LONGEST_NOTICES).split()]
