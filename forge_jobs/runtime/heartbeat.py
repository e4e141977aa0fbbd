"""Says that this process lives, and how it is; comes back when it had been given up as lost."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psutil

from forge_jobs import clock
from forge_jobs.clock import Verdict
from forge_jobs.conf import conf
from forge_jobs.exceptions import ProcessNameTaken
from forge_jobs.models import Process
from forge_jobs.runtime import registration
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.registration import Heard
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.runtime.watch import Watch
from forge_jobs.services.base import Service
from forge_jobs.services.hearing import Hearing
from forge_jobs.signals import clock_jumped, process_revived, process_troubled

FIRST_REST: Final = timedelta(seconds=1)
"""Who has just signed on has said so."""

NEWS: Final = frozenset({Verdict.JUMPED, Verdict.CONFIRMED, Verdict.WITHDRAWN})


class Heartbeat(Service):
    """Measures the clock as well, and listens to the beats of others."""

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
        self.rests_at_first = min(FIRST_REST, self.interval)
        self.hearing = Hearing()
        self._trouble = ""
        self._os_process = psutil.Process()
        self.database_seconds = 0.0
        """How long the last beat took to be stored."""

    def run_once(self, *, now: datetime) -> int:
        heard = registration.hear()
        self._compare_clock(heard)
        trouble = self._watch.trouble(now=clock.now())
        facts = {
            "state": self._lifecycle.state,
            "running": len(self._workers.runs()),
            "abandoned_threads": self._workers.stuck,
            "rss_bytes": self._os_process.memory_info().rss,
            "trouble": trouble or self._clock_trouble(),
        }
        began = time.monotonic()
        # What has held it up until here must not make this process look silent.
        is_known = Process.objects.beat(self._process, now=clock.now(), **facts)
        self.database_seconds = time.monotonic() - began
        if not is_known and not self._lifecycle.is_signed_off:
            self._come_back()
        self.hearing.listen(heard.said)
        self._tell(trouble)
        return int(is_known)

    def _compare_clock(self, heard: Heard) -> None:
        reading = registration.compare_clock(heard)
        if reading and reading.verdict in NEWS:
            clock_jumped.send_robust(type(self), reading=reading)

    def _clock_trouble(self) -> str:
        if (jump := clock.measured.jump) is None:
            return ""
        way = "ahead" if jump > timedelta(0) else "back"
        seconds = abs(jump.total_seconds())
        return f"The clock has jumped {seconds:,.0f} s {way}; nothing goes by that unless it lasts."

    def _come_back(self) -> None:
        try:
            registration.sign_on_again(self._process, now=clock.now())
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
