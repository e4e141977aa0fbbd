"""Writes down now and then how this process is: processor, memory, threads, connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final

import psutil

from forge_jobs.metrics.tally import longest_span_between
from forge_jobs.models import Process, ProcessGauge
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.runtime.sessions import count_open
from forge_jobs.services.base import Service

TICK_SECONDS: Final = 0.01
"""The grain of what the system says of a process's time."""


class Gauging(Service):
    """`database_seconds()` tells how long the database took for the last beat."""

    interval = timedelta(seconds=10)
    rests_at_first = timedelta(seconds=1)

    def __init__(
        self,
        process: Process,
        *,
        workers: Workers,
        database_seconds: Callable[[], float],
        writing: AbstractContextManager[object],
    ) -> None:
        self._process = process
        self._workers = workers
        self._database_seconds = database_seconds
        self._writing = writing
        self._os_process = psutil.Process()
        age = time.time() - self._os_process.create_time()
        self._cpu_used, self._cpu_seen_at = 0.0, time.monotonic() - age
        self._last_at: datetime | None = None

    def run_once(self, *, now: datetime) -> int:
        span = longest_span_between(self._last_at, now)
        if not span:
            return 0
        gauge = ProcessGauge(
            at=now,
            span_seconds=span,
            process_name=self._process.name,
            host=self._process.host,
            cpu_percent=self._cpu_percent(),
            rss_bytes=self._os_process.memory_info().rss,
            busy=len(self._workers.runs()),
            threads=self._process.threads,
            database_seconds=self._database_seconds(),
            connections=count_open(),
        )
        with self._writing:
            ProcessGauge.objects.bulk_create([gauge])
        self._last_at = now
        return 1

    def _cpu_percent(self) -> float:
        """Of one core, since the last look, the first time since the process began.

        psutil compares with its own last look, which at the start was too short ago to mean much.
        """
        times, seen_at = self._os_process.cpu_times(), time.monotonic()
        used, seconds = times.user + times.system, max(TICK_SECONDS, seen_at - self._cpu_seen_at)
        percent = 100 * (used - self._cpu_used) / seconds
        self._cpu_used, self._cpu_seen_at = used, seen_at
        return percent
