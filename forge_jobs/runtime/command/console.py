"""What `runjobs` says: one block at the start, then a line a job where somebody looks on."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.core.management.base import OutputWrapper

from forge_jobs import db, log, signals
from forge_jobs.durations import spelled
from forge_jobs.models import Process
from forge_jobs.wording import in_one_line


class Console:
    """Verbosity 0 says nothing but errors, 1 a line a job on a terminal, 2 everywhere."""

    def __init__(self, stdout: OutputWrapper, *, verbosity: int, as_json: bool) -> None:
        self.stdout = stdout
        self.verbosity = verbosity
        self.as_json = as_json

    def attach(self) -> None:
        """Start to listen; a project's own LOGGING for "forge_jobs" keeps the upper hand."""
        log.log_trouble()
        if self.as_json or self.verbosity > 1 or (self.verbosity and self.stdout.isatty()):
            log.log_jobs()
        if not log.logger.hasHandlers():
            handler = logging.StreamHandler(self.stdout)
            handler.setFormatter(self._formatter())
            log.logger.addHandler(handler)
            log.logger.setLevel(logging.INFO if self.verbosity else logging.ERROR)
            log.logger.propagate = False

    def introduce(self, *, processes: int, threads: int) -> None:
        """Say in one block what starts, once this process has signed on."""
        self._processes, self._threads = processes, threads
        signals.process_started.connect(self._started, weak=False)

    def _formatter(self) -> logging.Formatter:
        if self.as_json:
            return log.JSONFormatter()
        return log.TextFormatter("%(asctime)s %(message)s", datefmt="%H:%M:%S")

    def _started(
        self, *, process: Process, hears_by: str, poll_interval: timedelta, **kwargs: Any
    ) -> None:
        facts = self._facts(process, hears_by, poll_interval)
        if self.as_json:
            log.logger.info("started", extra=facts)
        elif self.verbosity:
            width = max(map(len, facts))
            for name, value in facts.items():
                self.stdout.write(f"  {name:<{width}}  {in_one_line(value)}")
            self.stdout.write("")
            self.stdout.flush()

    def _facts(self, process: Process, hears_by: str, poll_interval: timedelta) -> dict[str, str]:
        from forge_jobs import __version__

        connection = db.connection()
        version = ".".join(map(str, connection.get_database_version()))
        return {
            "forge_jobs": f"{__version__}, process {process.name}",
            "database": f"{connection.display_name} {version}, {connection.settings_dict['NAME']}",
            "queues": ", ".join(process.queues),
            "kinds": ", ".join(process.kinds) or "none: no app has a jobs.py with handlers",
            "threads": self._told_threads(coroutines=process.threads - self._threads),
            "wake": f"{hears_by}, and a look every {spelled(poll_interval.total_seconds())}",
        }

    def _told_threads(self, *, coroutines: int) -> str:
        times = f"{self._processes} times " if self._processes > 1 else ""
        beside = f", and {coroutines} coroutines at once" if coroutines else ""
        return f"{times}{self._threads}{beside}"
