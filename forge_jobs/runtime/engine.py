"""One process of `runjobs`: its threads, and the order in which they start and stop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Final

from django.db import Error

from forge_jobs import clock, db, wake
from forge_jobs.backoff import RetryPolicy
from forge_jobs.conf import conf
from forge_jobs.context import SHUTDOWN, JobContext
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Process
from forge_jobs.outcomes import Released
from forge_jobs.registry import registry
from forge_jobs.runtime.fetcher import Fetcher
from forge_jobs.runtime.finalizer import Finalizer, Finished
from forge_jobs.runtime.registration import measure_clock, sign_off, sign_on
from forge_jobs.runtime.service_loop import ServiceLoop
from forge_jobs.runtime.worker import Worker
from forge_jobs.services.stager import Stager
from forge_jobs.settlement import settle
from forge_jobs.signals import database_trouble, process_started, process_stopped, process_stopping

GRACE: Final = timedelta(seconds=1)
"""For handlers to notice that they are asked to stop, and for the last outcomes to be written."""

TICK_SECONDS: Final = 0.1
LAST_TICK_SECONDS: Final = 0.01


@dataclass(kw_only=True)
class Engine:
    """Claims and runs jobs from `run()` until `request_stop()`.

    Unstarted jobs go back at once then, running ones have `shutdown_timeout` to finish; those
    that don't are told so through `ctx.cancelled` and go back as well, with their attempt.
    """

    queues: Sequence[str]
    threads: int
    name: str
    poll_interval: timedelta
    shutdown_timeout: timedelta
    drain: bool = False
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.buffer: SimpleQueue[ClaimedJob | None] = SimpleQueue()
        # A signal handler may put into a SimpleQueue at any moment; an Event could deadlock.
        self._stop_requests: SimpleQueue[str] = SimpleQueue()
        self.kinds = registry.kinds()
        self.fetcher = Fetcher(self, queues=self.queues, kinds=self.kinds)
        self.finalizer = Finalizer(self)
        self.workers = [Worker(self, number) for number in range(1, self.threads + 1)]
        self.listener = wake.listener()
        self.services = [ServiceLoop(Stager())]

    @property
    def abandoned(self) -> list[Worker]:
        """Workers whose handlers have not returned."""
        return [worker for worker in self.workers if worker.is_alive()]

    @property
    def died(self) -> int:
        """How many jobs became dead letters here."""
        return self.finalizer.died

    def run(self) -> str:
        """Work until a stop is requested; returns the reason.

        Raises `ProcessNameTaken` before anything has started.
        """
        measure_clock()
        self.process = sign_on(self.name, now=clock.now())
        process_started.send_robust(type(self), engine=self)
        db.connection().close()
        for thread in [self.finalizer, *self.workers, self.fetcher, self.listener, *self.services]:
            thread.start()
        reason = self._await_stop()
        process_stopping.send_robust(type(self), reason=reason)
        self._stop()
        process_stopped.send_robust(type(self), engine=self)
        return reason

    def request_stop(self, reason: str) -> None:
        """Stop in order; asked again, at once. Safe to call from a signal handler."""
        self._stop_requests.put(reason)

    def work_done(self) -> tuple[int, float]:
        """How many runs have ended, and the seconds that they took."""
        jobs = seconds = 0.0
        for worker in self.workers:
            jobs += worker.jobs_run
            seconds += worker.seconds
        return int(jobs), seconds

    def policy_of(self, job: ClaimedJob) -> RetryPolicy:
        return registry.get(job.kind).retry or conf().retry_of(job.queue)

    def release(self, job: ClaimedJob) -> None:
        """Give a job back unfinished, with its attempt."""
        outcome = Released()
        transition = settle(job, outcome, policy=self.policy_of(job), now=clock.now())
        self.finalizer.inbox.put(Finished(job, transition, outcome, 0.0))

    def release_unstarted(self) -> int:
        """Give back what waits in the buffer; returns how many jobs."""
        released = 0
        try:
            while True:
                if job := self.buffer.get_nowait():
                    self.release(job)
                    released += 1
        except Empty:
            return released

    def _await_stop(self) -> str:
        while True:
            try:
                return self._stop_requests.get(timeout=TICK_SECONDS)
            except Empty:
                self._enforce_deadlines()

    def _enforce_deadlines(self) -> None:
        for worker in self.workers:
            if worker.deadline:
                worker.deadline.enforce()

    def _stop(self) -> None:
        self.fetcher.stop()
        self.listener.stop()
        for service in self.services:
            service.stop()
        self.fetcher.join()
        self.release_unstarted()
        for _ in self.workers:
            self.buffer.put(None)
        self._await_workers(self.shutdown_timeout)
        for context in self.running_contexts():
            context.cancelled.set(SHUTDOWN)
        self._await_workers(GRACE)
        for context in self.running_contexts():
            self.release(context.job)
        self.finalizer.stop()
        self.finalizer.join(GRACE.total_seconds())
        self.finalizer.giving_up.set()
        for helper in [self.listener, *self.services]:
            helper.join(GRACE.total_seconds())
        try:
            sign_off(self.process)
        except Error as error:
            database_trouble.send_robust(
                type(self), error=error, doing="signing off", retry_in=None
            )
        db.connection().close()

    def running_contexts(self) -> list[JobContext]:
        return [worker.running for worker in self.workers if worker.running]

    def _await_workers(self, patience: timedelta) -> None:
        """Wait for workers to end, until patience or another request to stop ends the wait."""
        deadline = time.monotonic() + patience.total_seconds()
        while self.abandoned and time.monotonic() < deadline:
            try:
                self._stop_requests.get(timeout=LAST_TICK_SECONDS)
            except Empty:
                self._enforce_deadlines()
                continue
            return
