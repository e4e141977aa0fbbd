"""When a process has done enough and should make way for a fresh one."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field

import psutil


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many jobs a process may run, and how much memory it may come to use; None is no limit.

    It runs one job at least, however much memory it needs to begin with."""

    max_jobs: int | None = None
    max_memory_bytes: int | None = None
    supervisor: int | None = None
    process: psutil.Process = field(default_factory=psutil.Process)

    def jobs_left(self, claimed: int) -> int:
        """How many jobs may still be claimed."""
        return sys.maxsize if self.max_jobs is None else self.max_jobs - claimed

    def exceeded(self, *, jobs: int) -> str:
        """Why the process should retire after so many jobs; empty if it should not."""
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
