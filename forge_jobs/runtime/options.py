"""What one process of `runjobs` is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from forge_jobs.runtime.retirement import Limits


@dataclass(frozen=True, kw_only=True)
class Options:
    """`queues` are names, with how often each is served relative to the others. `health_file` is
    touched with every heartbeat while the process is able to run jobs. Without `async_concurrency`
    coroutines are run by workers, one at a time.
    """

    queues: Mapping[str, int]
    threads: int
    name: str
    poll_interval: timedelta
    shutdown_timeout: timedelta
    async_concurrency: int = 0
    drain: bool = False
    limits: Limits = field(default_factory=Limits)
    health_file: Path | None = None
