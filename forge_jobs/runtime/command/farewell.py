"""Says what a process that stops waits for, so that nobody takes its patience for a hang."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Thread
from typing import Any, Final, NamedTuple

from forge_jobs.context import SHUTDOWN
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.secrecy import shown_job
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.signals import jobs_awaited, process_stopping

TICK_SECONDS: Final = 0.25
FIRST_SECONDS: Final = 0.5
"""What ends sooner is not worth a line."""

EVERY_SECONDS: Final = 5.0


class Awaited(NamedTuple):
    """A job that still runs, and for how long it has."""

    job: ClaimedJob
    seconds: float


class Farewell:
    """Speaks soon after the stop, then every few seconds, and once when time is up."""

    def __init__(self, workers: Workers, *, timeout: timedelta) -> None:
        self.workers = workers
        self.timeout = timeout.total_seconds()
        self.is_over = False
        self._reason = ""
        self._due_at = self._deadline = 0.0

    def attach(self) -> None:
        """Wait for the stop of this process."""
        process_stopping.connect(self._watch, weak=False)

    def begin(self, reason: str, *, now: float) -> None:
        self._reason = reason
        self._due_at, self._deadline = now + FIRST_SECONDS, now + self.timeout

    def run_once(self, *, now: float) -> int:
        """Tell of what runs if it is time to; returns of how many jobs it told."""
        runs = self.workers.runs()
        is_due = now >= self._due_at
        are_told = any(run.context.cancelled.reason == SHUTDOWN for run in runs)
        self.is_over = are_told or (is_due and not runs)
        if not runs or not (are_told or is_due):
            return 0
        self._due_at = now + EVERY_SECONDS
        awaited = [Awaited(shown_job(run.job), now - run.began_at) for run in runs]
        jobs_awaited.send_robust(
            type(self),
            awaited=sorted(awaited, key=lambda one: -one.seconds),
            seconds=0.0 if self.is_over else max(0.0, self._deadline - now),
            reason=self._reason,
        )
        return len(awaited)

    def _watch(self, *, reason: str, **kwargs: Any) -> None:
        self.begin(reason, now=time.monotonic())
        Thread(target=self._run, name="forge_jobs-farewell", daemon=True).start()

    def _run(self) -> None:
        while not self.is_over:
            self.run_once(now=time.monotonic())
            time.sleep(TICK_SECONDS)
