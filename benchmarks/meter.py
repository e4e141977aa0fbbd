"""Counts job starts inside a worker process, in the same way for every contestant.

A drain lasts from the start of the first job until the database shows that no job is left
unfinished, every outcome committed. A thread asks the database, on a connection of its own, only
after the last job has started, so that the drain is not disturbed by being watched.
"""

import itertools
import json
import os
import threading
import time
from array import array
from collections.abc import Callable
from typing import Any, Final

WARM_UP: Final = 20
"""How many jobs a worker runs before its pickup times count."""

LOOK_EVERY: Final = 0.002


class Meter:
    """What the no-op job of every contestant calls; a call costs less than half a microsecond."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.began = 0
        self.waits = array("q")
        self.expected = 0
        self.all_started = threading.Event()

    def started(self, moment: int = 0) -> None:
        """A job starts now; `moment` is when its enqueue began (ns), 0 if nobody asks."""
        now = time.time_ns()
        if moment:
            self.waits.append(now - moment)
        number = next(self.numbers)
        if number == 1:
            self.began = now
        if number == WARM_UP:
            announce({"pid": os.getpid()})
        if number == self.expected:
            self.all_started.set()

    def expect(self, jobs: int, *, unfinished: Callable[[], bool]) -> None:
        """Announce the measurements once so many jobs are durably finished."""
        self.expected = jobs
        threading.Thread(target=self._watch, args=[unfinished], daemon=True).start()

    def _watch(self, unfinished: Callable[[], bool]) -> None:
        self.all_started.wait()
        looked_at = time.time_ns()
        while unfinished():
            # A look at a large table is not free: at most half of the time goes into looking.
            time.sleep(max(LOOK_EVERY, (time.time_ns() - looked_at) / 1e9))
            looked_at = time.time_ns()
        announce(self._measurements(finished=time.time_ns()))

    def _measurements(self, *, finished: int) -> dict[str, Any]:
        return {
            "jobs": self.expected,
            "seconds": (finished - self.began) / 1e9,
            "waits_ms": sorted(wait / 1e6 for wait in self.waits[WARM_UP:]),
        }


REPORTS: Final = os.dup(1)
METER: Final = Meter()
started: Final = METER.started


def announce(report: dict[str, Any]) -> None:
    """Tell the benchmark, which reads this process's reports line by line."""
    os.write(REPORTS, json.dumps(report).encode() + b"\n")
