"""The orderly end of a process: what is told, waited for and broken off, and in which order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from threading import Thread
from typing import Final, NamedTuple

from forge_jobs.context import SHUTDOWN
from forge_jobs.runtime import sessions
from forge_jobs.runtime.claiming.buffer import Buffer
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.fetcher import Fetcher
from forge_jobs.runtime.finalizer import Finalizer
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.running.workers import Workers
from forge_jobs.runtime.services import Loops
from forge_jobs.runtime.settlements import Settlements
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.wake.base import Listener

GRACE: Final = 1.0
"""Seconds for handlers to heed that they are asked to stop, and for what is left to be written."""

TICK_SECONDS: Final = 0.01
LONGEST_LOOK: Final = 0.5
"""Seconds until nobody waits any more for the watch to have looked."""


class Threads(NamedTuple):
    """All threads of a process but its workers, in the order in which they start."""

    finalizer: Finalizer
    fetcher: Fetcher
    listener: Listener
    loops: Loops

    def start(self) -> None:
        """The watch first: with the session that it has looked by, the next goes on."""
        watch = self.loops.watch
        watch.start()
        if sessions.can_be_lent():
            watch.has_looked.wait(LONGEST_LOOK)
        for thread in (self.finalizer, self.fetcher, self.listener, *self.loops):
            if thread is not watch:
                thread.start()


class Ending:
    """Nothing is waited for beyond the shutdown timeout; a further request brings that forward."""

    def __init__(
        self,
        threads: Threads,
        *,
        workers: Workers,
        buffer: Buffer,
        claims: Claims,
        settlements: Settlements,
        lifecycle: Lifecycle,
        timeout: timedelta,
    ) -> None:
        self.threads = threads
        self.workers = workers
        self.buffer = buffer
        self.claims = claims
        self.settlements = settlements
        self.lifecycle = lifecycle
        self.deadline = time.monotonic() + timeout.total_seconds()

    def carry_out(self) -> None:
        threads, loops = self.threads, self.threads.loops
        threads.listener.stop()
        loops.services.stop()
        loops.upkeep.stop()
        self.halt(threads.fetcher)
        self.buffer.release_unstarted()
        for _ in self.workers.active:
            self.buffer.end_worker()
        self.workers.end_coroutines()
        self.end_runs()
        self.workers.close()
        self.halt(loops.watch)
        self.halt(loops.pulse)
        self.write_outcomes()
        loops.metering.stop()
        rest = [threads.listener, loops.services, loops.upkeep, loops.metering]
        rest += [*self.workers.helping_threads, *self.workers.loops]
        self.wait(rest, at_most=GRACE)
        sessions.close_lent()
        if self.claims:
            self.lifecycle.fail(f"{len(self.claims)} outcomes could not be written")

    def end_runs(self) -> None:
        """Let them finish; tell those that take too long; break off what then still runs."""
        workers = self.workers
        if not self.wait(workers.threads):
            for run in workers.runs():
                run.context.cancelled.set(SHUTDOWN)
            if not self.wait(workers.threads, at_most=GRACE) and workers.cancel_coroutines():
                self.wait(workers.threads, at_most=GRACE)
        for run in workers.runs():
            if run.end():
                self.settlements.break_off(run.job)

    def write_outcomes(self) -> None:
        finalizer = self.threads.finalizer
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
        while alive := [thread for thread in threads if thread.is_alive()]:
            if time.monotonic() >= (self.deadline if until is None else until):
                return False
            alive[0].join(TICK_SECONDS)
            if self.lifecycle.is_asked_to_stop():
                self.deadline = 0.0
            else:
                self.workers.look_after()
        return True
