"""Says that this process lives, and how it is; comes back when it had been given up as lost."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final

import psutil

from forge_jobs.conf import conf
from forge_jobs.exceptions import ProcessNameTaken
from forge_jobs.models import Process
from forge_jobs.runtime.registration import measure_clock, sign_on_again
from forge_jobs.runtime.watch import Watch
from forge_jobs.services.base import Service
from forge_jobs.signals import process_revived, process_troubled

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

MISSED_BEATS: Final = 2


class Heartbeat(Service):
    """Also knows for how long this process was heard, and so may judge the silence of others."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.interval = conf().heartbeat
        self._heard_since = self._last_beat = engine.process.started_at
        self.watch = Watch(engine)
        self._trouble = ""
        self._os_process = psutil.Process()
        self.database_seconds = 0.0
        """How long the last beat took to be stored."""

    def run_once(self, *, now: datetime) -> int:
        trouble = self.watch.trouble(now=now)
        facts = {
            "state": self.engine.state,
            "running": len(self.engine.crew.runs()),
            "abandoned_threads": self.engine.crew.stuck,
            "rss_bytes": self._os_process.memory_info().rss,
            "trouble": trouble,
        }
        began = time.monotonic()
        is_known = Process.objects.beat(self.engine.process, now=now, **facts)
        self.database_seconds = time.monotonic() - began
        if not is_known and not self.engine.is_signed_off:
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
            sign_on_again(self.engine.process, now=now)
        except ProcessNameTaken as error:
            self.engine.fail(str(error))
        else:
            process_revived.send_robust(type(self), process=self.engine.process)

    def _tell(self, trouble: str) -> None:
        if bool(trouble) != bool(self._trouble):
            process_troubled.send_robust(type(self), trouble=trouble)
        self._trouble = trouble
        if self.engine.health_file and not self.watch.is_stuck:
            with suppress(OSError):  # whoever looks at it sees that it is old
                self.engine.health_file.touch()
