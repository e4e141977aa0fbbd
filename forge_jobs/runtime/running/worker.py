"""One thread that runs jobs, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Final

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.runtime.claiming.buffer import Buffer
from forge_jobs.runtime.claiming.desk import Desk
from forge_jobs.runtime.running.calls import Caller
from forge_jobs.runtime.running.ends import Ends
from forge_jobs.runtime.running.handling import Handling
from forge_jobs.runtime.running.keeping import Claimed
from forge_jobs.runtime.running.members import Call
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.running.solo import Solo
from forge_jobs.runtime.sessions import tidy
from forge_jobs.runtime.thread import HandlersThread

LOOK_EVERY: Final = 32
"""How many jobs a worker runs before it asks whether it should."""


class Worker(HandlersThread):
    """Takes claimed jobs from the buffer and hands their outcomes to the finalizer."""

    tidy = staticmethod(tidy)

    def __init__(
        self,
        number: int,
        *,
        buffer: Buffer,
        solo: Solo,
        handling: Handling,
        caller_of: Callable[[Call, ChunkHandler[Any]], Caller],
        ends: Ends,
        process_name: str,
        store: Claimed,
        fail: Callable[[str], None],
    ) -> None:
        super().__init__(f"worker-{number}", fail=fail)
        self.number = number
        self._buffer = buffer
        self._solo = solo
        self._handling = handling
        self._caller_of = caller_of
        self._ends = ends
        self._process_name = process_name
        self._store = store
        self.current: Run | None = None
        self.jobs_run = 0
        self.jobs_started = 0
        self.seconds = 0.0

    def work(self) -> None:
        try:
            while next_one := self.take():
                if isinstance(next_one, Desk):
                    is_ours = self.run_chunk(next_one)
                else:
                    is_ours = self.run_job(next_one)
                if not is_ours:
                    return
        except BaseException as error:
            for one in self.current.members if self.current else ():
                if one.end():
                    self._ends.put(self._ends.broken(one, error, what="worker"))
            raise
        finally:
            self._solo.leave(self)
            self._handling.close()

    def take(self) -> ClaimedJob | Desk | None:
        """What to run next; None: nothing any more."""
        solo = self._solo
        if not self.jobs_run % LOOK_EVERY:
            solo.consider(self)
        if solo.is_on:
            solo.stand_aside(self)
        return self._buffer.take()

    def run_job(self, job: ClaimedJob) -> bool:
        """Whatever the handler does, there is an outcome, and a clean connection after it.

        False if the run was given up in the meantime: another worker has taken this one's place.
        """
        self.current = run = Run(job, process_name=self._process_name, store=self._store)
        self.jobs_started += 1
        outcome, stored = self._handling.outcome_of(run)
        finished = self._ends.finished(run, outcome, stored)
        if is_ours := run.end():
            self._ends.put(finished)
        self.current = None
        self.tidy()
        self.seconds += finished.seconds
        self.jobs_run += 1
        return is_ours

    def run_chunk(self, desk: Desk) -> bool:
        """Call a handler with the jobs that are gathered at its desk; returns as `run_job()`."""
        if not (jobs := desk.gather()):
            desk.end_call([], seconds=0.0)
            return True
        self.current = call = Call(
            jobs, desk=desk, process_name=self._process_name, store=self._store
        )
        self.jobs_started += len(jobs)
        caller = self._caller_of(call, desk.handler)
        try:
            copy_context().run(caller.answer_all)
        except BaseException as error:  # of looking at how it failed
            for run in call.members:
                caller.conclude(run, failed(error))
        if is_ours := call.end():
            call.let_go()
            self.jobs_run += len(jobs)
            # As if each had taken so long, for their worker was not free for others.
            self.seconds += len(jobs) * (time.monotonic() - call.began_at)
        self.current = None
        self.tidy()
        return is_ours
