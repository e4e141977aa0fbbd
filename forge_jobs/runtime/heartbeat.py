"""Says that this process lives, and how it is; comes back when it had been given up as lost."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import psutil

from forge_jobs import clock
from forge_jobs.clock import Verdict
from forge_jobs.conf import conf
from forge_jobs.exceptions import ProcessNameTaken
from forge_jobs.models import Process
from forge_jobs.runtime.registration import compare_clock, sign_on_again
from forge_jobs.runtime.watch import Watch
from forge_jobs.services.base import Service
from forge_jobs.services.hearing import Hearing
from forge_jobs.signals import clock_jumped, process_revived, process_troubled

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

NEWS: Final = frozenset({Verdict.JUMPED, Verdict.CONFIRMED, Verdict.WITHDRAWN})


class Heartbeat(Service):
    """Measures the clock as well, and listens to the beats of others."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.interval = conf().heartbeat
        self.hearing = Hearing()
        self.watch = Watch(engine)
        self._trouble = ""
        self._os_process = psutil.Process()
        self.database_seconds = 0.0
        """How long the last beat took to be stored."""

    def run_once(self, *, now: datetime) -> int:
        self._compare_clock()
        trouble = self.watch.trouble(now=clock.now())
        facts = {
            "state": self.engine.state,
            "running": len(self.engine.crew.runs()),
            "abandoned_threads": self.engine.crew.stuck,
            "rss_bytes": self._os_process.memory_info().rss,
            "trouble": trouble or self._clock_trouble(),
        }
        began = time.monotonic()
        # What has held it up until here must not make this process look silent.
        is_known = Process.objects.beat(self.engine.process, now=clock.now(), **facts)
        self.database_seconds = time.monotonic() - began
        if not is_known and not self.engine.is_signed_off:
            self._come_back()
        self.hearing.listen()
        self._tell(trouble)
        return int(is_known)

    def _compare_clock(self) -> None:
        reading = compare_clock()
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
            sign_on_again(self.engine.process, now=clock.now())
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
