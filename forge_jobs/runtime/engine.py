"""One process of `runjobs`: its threads, and the order in which they start and stop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Final

from forge_jobs import clock, db, wake
from forge_jobs.backoff import RetryPolicy
from forge_jobs.conf import conf
from forge_jobs.context import SHUTDOWN, JobContext
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, Process
from forge_jobs.outcomes import Released
from forge_jobs.registry import registry
from forge_jobs.runtime.fetcher import Fetcher
from forge_jobs.runtime.finalizer import Finalizer, Finished
from forge_jobs.runtime.hold import Hold
from forge_jobs.runtime.registration import measure_clock, sign_on
from forge_jobs.runtime.service_loop import ServiceLoop
from forge_jobs.runtime.worker import Worker
from forge_jobs.services.stager import Stager
from forge_jobs.settlement import settle
from forge_jobs.signals import process_started, process_stopped, process_stopping

GRACE: Final = 1.0
"""Seconds for handlers to heed that they are asked to stop, and for what is left to be written."""

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
    is_stopping: bool = field(init=False, default=False)
    failure: str = field(init=False, default="")
    """Why the process could not stop in order, or had to stop; empty if all is well."""

    def __post_init__(self) -> None:
        self.buffer: SimpleQueue[ClaimedJob | None] = SimpleQueue()
        self.hold = Hold()
        # A signal handler may put into a SimpleQueue at any moment; an Event could deadlock.
        self._stop_requests: SimpleQueue[str] = SimpleQueue()
        self.kinds = registry.kinds()
        # SQLite lets one write at a time, and makes the others sleep in growing steps until they
        # find it free. Our own threads take turns instead.
        self.writing: AbstractContextManager[object] = (
            Lock() if db.connection().vendor == "sqlite" else nullcontext()
        )
        self.fetcher = Fetcher(self, queues=self.queues, kinds=self.kinds)
        self.finalizer = Finalizer(self)
        self.workers = [Worker(self, number) for number in range(1, self.threads + 1)]
        self.listener = wake.listener()
        self.services = [ServiceLoop(self, Stager())]

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
        if self.drain:
            Stager().run_once(now=clock.now())
        db.connection().close()
        for thread in [self.finalizer, *self.workers, self.fetcher, self.listener, *self.services]:
            thread.start()
        reason = self._await_stop()
        self.is_stopping = True
        process_stopping.send_robust(type(self), reason=reason)
        self._stop()
        process_stopped.send_robust(type(self), engine=self)
        return reason

    def request_stop(self, reason: str) -> None:
        """Stop in order; asked again, at once. Safe to call from a signal handler."""
        self._stop_requests.put(reason)

    def fail(self, reason: str) -> None:
        """Remember what broke, and stop because of it; the first fault stays."""
        if not self.failure and not self.is_stopping:
            self.request_stop(reason)
        self.failure = self.failure or reason

    def work_done(self) -> tuple[int, float]:
        """How many runs have ended, and the seconds that they took."""
        jobs, seconds = 0, 0.0
        for worker in self.workers:
            jobs += worker.jobs_run
            seconds += worker.seconds
        return jobs, seconds

    def policy_of(self, job: ClaimedJob) -> RetryPolicy:
        return registry.get(job.kind).retry or conf().retry_of(job.queue)

    def release(self, job: ClaimedJob) -> None:
        """Give a job back unfinished, with its attempt."""
        outcome = Released()
        transition = settle(job, outcome, policy=conf().retry, now=clock.now())
        self.finalizer.inbox.put(Finished(job, transition, outcome, 0.0))

    def release_unstarted(self) -> int:
        """Give back what waits in the buffer; returns how many jobs."""
        waiting: list[ClaimedJob | None] = []
        try:
            while True:
                waiting.append(self.buffer.get_nowait())
        except Empty:
            pass
        unstarted = [job for job in waiting if job]
        for job in unstarted:
            self.release(job)
        for _ in range(len(waiting) - len(unstarted)):
            self.buffer.put(None)  # which ends a worker
        return len(unstarted)

    def release_unheld(self) -> None:
        """Give back what the table says we run but a lost answer kept us from knowing of."""
        Job.objects.claimed_by(self.process).exclude(pk__in=self.hold.ids()).release()

    def running_contexts(self) -> list[JobContext]:
        return [worker.running for worker in self.workers if worker.running]

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
        """Let everything end in order; nothing is waited for beyond the shutdown timeout."""
        deadline = time.monotonic() + self.shutdown_timeout.total_seconds()
        self.fetcher.stop()
        self.listener.stop()
        for service in self.services:
            service.stop()
        in_time = self._await([self.fetcher], deadline)
        self.release_unstarted()
        for _ in self.workers:
            self.buffer.put(None)
        in_time = in_time and self._await(self.workers, deadline)
        if not in_time:
            for context in self.running_contexts():
                context.cancelled.set(SHUTDOWN)
            self._await(self.workers, time.monotonic() + GRACE)
        for context in self.running_contexts():
            self.release(context.job)
        self._await([self.fetcher], time.monotonic() + GRACE)
        self.finalizer.stop()
        self._await([self.finalizer], max(deadline, time.monotonic()) + GRACE)
        self.finalizer.giving_up.set()
        self._await([self.finalizer, self.listener, *self.services], time.monotonic() + GRACE)
        if self.hold:
            self.fail(f"{len(self.hold)} outcomes could not be written")

    def _await(self, threads: Sequence[Thread], deadline: float) -> bool:
        """Wait for threads to end, until the deadline or a further request to stop."""
        while any(thread.is_alive() for thread in threads):
            if time.monotonic() >= deadline:
                return False
            try:
                self._stop_requests.get(timeout=LAST_TICK_SECONDS)
            except Empty:
                self._enforce_deadlines()
            else:
                return False
        return True
