"""Says that this process lives, and how it is; comes back when it had been given up as lost."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from forge_jobs.conf import conf
from forge_jobs.exceptions import ProcessNameTaken
from forge_jobs.models import Process
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.registration import measure_clock, sign_on_again
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.runtime.watch import Watch
from forge_jobs.services.base import Service
from forge_jobs.signals import process_revived, process_troubled

MISSED_BEATS: Final = 2


class Heartbeat(Service):
    """Also knows for how long this process was heard, and so may judge the silence of others."""

    def __init__(
        self,
        process: Process,
        *,
        workers: Workers,
        watch: Watch,
        lifecycle: Lifecycle,
        health_file: Path | None = None,
    ) -> None:
        self._process = process
        self._workers = workers
        self._watch = watch
        self._lifecycle = lifecycle
        self._health_file = health_file
        self.interval = conf().heartbeat
        self._heard_since = self._last_beat = process.started_at
        self._trouble = ""
        self._os_process = psutil.Process()
        self.database_seconds = 0.0
        """How long the last beat took to be stored."""

    def run_once(self, *, now: datetime) -> int:
        trouble = self._watch.trouble(now=now)
        facts = {
            "state": self._lifecycle.state,
            "running": len(self._workers.runs()),
            "abandoned_threads": self._workers.stuck,
            "rss_bytes": self._os_process.memory_info().rss,
            "trouble": trouble,
        }
        began = time.monotonic()
        is_known = Process.objects.beat(self._process, now=now, **facts)
        self.database_seconds = time.monotonic() - began
        if not is_known and not self._lifecycle.is_signed_off:
            self._come_back(now)
        self._heard_since, self._last_beat = self.heard_since(now=now), now
        self._tell(trouble)
        measure_clock()
        return int(is_known)

    def heard_since(self, *, now: datetime) -> datetime:
        """When the beats began that have come without a gap since; now, if there is a gap now."""
        has_gap = now - self._last_beat > MISSED_BEATS * self.interval
        return now if has_gap else self._heard_since

    def _come_back(self, now: datetime) -> None:
        try:
            sign_on_again(self._process, now=now)
        except ProcessNameTaken as error:
            self._lifecycle.fail(str(error))
        else:
            process_revived.send_robust(type(self), process=self._process)

    def _tell(self, trouble: str) -> None:
        if bool(trouble) != bool(self._trouble):
            process_troubled.send_robust(type(self), trouble=trouble)
        self._trouble = trouble
        if self._health_file and not self._watch.is_stuck:
            with suppress(OSError):  # whoever looks at it sees that it is old
                self._health_file.touch()
