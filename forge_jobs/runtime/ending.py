"""The orderly end of a process: what is told, waited for and broken off, and in which order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from queue import Empty
from threading import Thread
from typing import TYPE_CHECKING, Final

from forge_jobs.context import SHUTDOWN
from forge_jobs.runtime.thread import EngineThread

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

GRACE: Final = 1.0
"""Seconds for handlers to heed that they are asked to stop, and for what is left to be written."""

TICK_SECONDS: Final = 0.01


class Ending:
    """Nothing is waited for beyond the shutdown timeout; a further request brings that forward."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.deadline = time.monotonic() + engine.shutdown_timeout.total_seconds()

    def carry_out(self) -> None:
        engine = self.engine
        engine.listener.stop()
        engine.services.stop()
        engine.upkeep.stop()
        self.halt(engine.fetcher)
        engine.release_unstarted()
        engine.crew.stop()
        self.end_runs()
        self.halt(engine.watch)
        self.halt(engine.pulse)
        self.write_outcomes()
        engine.metering.stop()
        rest = [engine.listener, engine.services, engine.upkeep, engine.metering]
        self.wait(rest, at_most=GRACE)
        if engine.hold:
            engine.fail(f"{len(engine.hold)} outcomes could not be written")

    def end_runs(self) -> None:
        """Let them finish; tell those that take too long; give back what then still runs."""
        crew = self.engine.crew
        if not self.wait(crew.workers):
            for run in crew.runs():
                run.context.cancelled.set(SHUTDOWN)
            self.wait(crew.workers, at_most=GRACE)
        for run in crew.runs():
            if run.end():
                self.engine.release(run.job)

    def write_outcomes(self) -> None:
        finalizer = self.engine.finalizer
        finalizer.stop()
        if not self.wait([finalizer]) and not self.wait([finalizer], at_most=GRACE):
            finalizer.giving_up.set()
            self.wait([finalizer], at_most=GRACE)

    def halt(self, thread: EngineThread) -> None:
        """Stop a thread; break off what it waits for if that takes long."""
        thread.stop()
        if not self.wait([thread], at_most=GRACE):
            thread.interrupt()
            self.wait([thread], at_most=GRACE)

    def wait(self, threads: Sequence[Thread], *, at_most: float | None = None) -> bool:
        """Wait for threads to end, so many seconds; if none are given, until the deadline."""
        until = None if at_most is None else time.monotonic() + at_most
        while any(thread.is_alive() for thread in threads):
            if time.monotonic() >= (self.deadline if until is None else until):
                return False
            try:
                self.engine.stop_requests.get(timeout=TICK_SECONDS)
            except Empty:
                self.engine.crew.look_after()
            else:
                self.deadline = 0.0
        return True
