"""One thread that runs jobs, one after the other."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Coroutine
from contextvars import copy_context
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, cast

from django.db import Error, connections, transaction

from forge_jobs import clock, db
from forge_jobs.backoff import Exponential
from forge_jobs.context import SHUTDOWN, JobContext
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.exceptions import JobTimedOut
from forge_jobs.handler import JobHandler
from forge_jobs.models import Job
from forge_jobs.outcomes import Cancelled, Dead, Done, Failed, Outcome, Released, Throttled
from forge_jobs.registry import registry
from forge_jobs.runtime.aio import EventLoop
from forge_jobs.runtime.connections import tidy
from forge_jobs.runtime.deadline import Deadline
from forge_jobs.runtime.finalizer import Finished
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.settlement import settle
from forge_jobs.signals import job_started

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

NOTHING: Final = Done()
LOCKED_SECONDS: Final = 1.0


class Worker(EngineThread):
    """Takes claimed jobs from the engine's buffer and hands their outcomes to the finalizer."""

    def __init__(self, engine: Engine, number: int) -> None:
        super().__init__(engine, f"worker-{number}")
        self.running: JobContext | None = None
        self.deadline: Deadline | None = None
        self.jobs_run = 0
        self.seconds = 0.0
        self._loop: EventLoop | None = None

    def work(self) -> None:
        try:
            while job := self.next_job():
                self.run_job(job)
        finally:
            if self._loop:
                self._loop.close()

    def next_job(self) -> ClaimedJob | None:
        self.engine.fetcher.worker_is_free()
        try:
            return self.engine.buffer.get_nowait()
        except Empty:
            # Another worker may have taken what seemed to be left for this one.
            self.engine.fetcher.worker_is_free()
            return self.engine.buffer.get()

    def run_job(self, job: ClaimedJob) -> None:
        """Whatever the handler does, there is an outcome, and a clean connection after it."""
        self.running = ctx = JobContext(job, process_name=self.engine.name)
        if job_started.has_listeners():
            job_started.send_robust(type(self), job=job)
        began = time.perf_counter()
        # A context of its own keeps what a handler activates (time zone, language) from the next.
        outcome, stored = copy_context().run(self.run_handler, job, ctx)
        seconds = time.perf_counter() - began
        self.engine.finalizer.inbox.put(
            Finished(job, stored or self.settled(job, outcome), outcome, seconds, bool(stored))
        )
        self.running = None
        tidy()
        self.seconds += seconds
        self.jobs_run += 1

    def run_handler(self, job: ClaimedJob, ctx: JobContext) -> tuple[Outcome, Transition | None]:
        """The outcome of a run, with the transition if that has been stored already."""
        self.deadline = None
        try:
            handler = registry.get(job.kind)
            if handler.atomic:
                return self.run_atomically(handler, job, ctx)
            outcome = self.call(handler, job, ctx)
        except Outcome as raised:
            outcome = _heeding(ctx, _with_cause(raised))
        except BaseException as error:  # SystemExit ends a job, not its worker
            outcome = self.failure(job, error)
        return outcome, None

    def run_atomically(
        self, handler: JobHandler, job: ClaimedJob, ctx: JobContext
    ) -> tuple[Outcome, Transition | None]:
        """Commit what the handler wrote together with the outcome that it returned.

        What it raises rolls its writes back, and so do a shutdown and the loss of the claim. That
        SQLite lets one write at a time costs no attempt.
        """
        try:
            with transaction.atomic(using=db.connection().alias):
                outcome = self.call(handler, job, ctx)
                if isinstance(outcome, Released):
                    raise outcome
                transition = self.settled(job, outcome)
                if not Job.objects.finalize([transition], process=self.engine.process):
                    raise Released
        except Error as error:
            if db.connection().vendor == "sqlite" and db.twin().is_locked(error):
                return Throttled(LOCKED_SECONDS), None
            raise
        return outcome, transition

    def failure(self, job: ClaimedJob, error: BaseException) -> Failed:
        if isinstance(error, JobTimedOut) or (self.deadline and self.deadline.has_struck):
            connections.close_all()  # it may have struck in the middle of a query
            limit = f" after {job.timeout_seconds:g} s" if job.timeout_seconds else ""
            return _failure(error, saying=f"Timed out{limit}")
        return _failure(error)

    def call(self, handler: JobHandler, job: ClaimedJob, ctx: JobContext) -> Outcome:
        payload = json.loads(job.payload)
        if handler.is_async:
            self._loop = self._loop or EventLoop()
            coroutine = cast("Coroutine[Any, Any, object]", handler.run(ctx, payload))
            returned = self._loop.run(coroutine, timeout=job.timeout_seconds)
        elif job.timeout_seconds is None:
            returned = handler.run(ctx, payload)
        else:
            with Deadline(job.timeout_seconds) as self.deadline:
                returned = handler.run(ctx, payload)
        if returned is None:
            return NOTHING
        return _heeding(ctx, returned) if isinstance(returned, Outcome) else Done(returned)

    def settled(self, job: ClaimedJob, outcome: Outcome) -> Transition:
        now = clock.now()
        try:
            return settle(job, outcome, policy=self.engine.policy_of(job), now=now)
        except BaseException as error:
            failure = _failure(error, saying="The retry policy failed")
            return settle(job, failure, policy=Exponential(), now=now)


def _failure(error: BaseException, *, saying: str = "") -> Failed:
    message = "".join(traceback.format_exception_only(error)).strip()
    return Failed(
        f"{saying}: {message}" if saying else message,
        traceback="".join(traceback.format_exception(error)),
    )


def _heeding(ctx: JobContext, outcome: Outcome) -> Outcome:
    """A job that ends because its process stops is not cancelled; it will run again."""
    if isinstance(outcome, Cancelled) and ctx.cancelled.reason == SHUTDOWN:
        return Released()
    return outcome


def _with_cause(raised: Outcome) -> Outcome:
    """The outcome without the frames it came through, but with the error that led to it."""
    if isinstance(raised, Failed | Dead) and raised.__cause__ and not raised.traceback:
        raised.traceback = "".join(traceback.format_exception(raised.__cause__))
    raised.__cause__ = raised.__context__ = None
    return raised.with_traceback(None)
