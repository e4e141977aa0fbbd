"""One thread that runs jobs, one after the other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import Any, ClassVar, Final, cast

from django.db import Error, connections, transaction

from forge_jobs import clock, db
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.exceptions import ClaimLost, JobTimedOut
from forge_jobs.handlers import middleware
from forge_jobs.handlers.border import failed, own
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.isolation import children_of
from forge_jobs.handlers.outcomes import Cancelled, Done, Expired, Outcome, Released, Throttled
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.secrecy import shown_job, told_progress
from forge_jobs.models import Job, Process
from forge_jobs.runtime.claiming.buffer import Buffer
from forge_jobs.runtime.claiming.desks import Desk
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.runtime.running import forks, transactions
from forge_jobs.runtime.running.aio import EventLoop
from forge_jobs.runtime.running.apart import Apart
from forge_jobs.runtime.running.calls import Call, Caller
from forge_jobs.runtime.running.calls_apart import CallerApart
from forge_jobs.runtime.running.interruption import excuse
from forge_jobs.runtime.running.keeping import Claimed, concluded
from forge_jobs.runtime.running.run import NEVER, Run
from forge_jobs.runtime.sessions import tidy
from forge_jobs.runtime.settlements import Finished, Settlements
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.signals import job_raised, job_started
from forge_jobs.states import State

NOTHING: Final = Done()
read_json: Final = json.JSONDecoder().decode
"""As `json.loads()` does it, without a look at what it is given."""
LOCKED_SECONDS: Final = 1.0


class Worker(EngineThread):
    """Takes claimed jobs from the buffer and hands their outcomes to the finalizer."""

    session_limits: ClassVar[dict[str, str]] = {}  # a handler takes its time
    tidy = staticmethod(tidy)
    drop_sessions = staticmethod(connections.close_all)

    def __init__(
        self,
        number: int,
        *,
        process: Process,
        buffer: Buffer,
        doors: Mapping[str, Door],
        settlements: Settlements,
        writing: AbstractContextManager[object],
        claiming_stops: Event,
        fail: Callable[[str], None],
    ) -> None:
        super().__init__(f"worker-{number}", fail=fail)
        self.number = number
        self._process = process
        self._buffer = buffer
        self.doors = doors
        self.settlements = settlements
        self._writing = writing
        self.claiming_stops = claiming_stops
        self._store = Claimed(process, stopping=claiming_stops)
        self.current: Run | None = None
        self.jobs_run = 0
        self.jobs_started = 0
        self.seconds = 0.0
        self._loop: EventLoop | None = None
        self.layers = middleware.installed()

    @property
    def process_id(self) -> int:
        return self._process.pk

    def work(self) -> None:
        try:
            while (next_one := self._buffer.take()) and self.run_next(next_one):
                pass
        except BaseException as error:
            self.fail_current(error)
            raise
        finally:
            if self._loop:
                self._loop.close()

    def run_next(self, next_one: ClaimedJob | Desk) -> bool:
        if isinstance(next_one, Desk):
            return self.run_chunk(next_one)
        return self.run_job(next_one)

    def run_chunk(self, desk: Desk) -> bool:
        """Call a handler with the jobs that are gathered at its desk; returns as `run_job()`."""
        if not (jobs := desk.gather()):
            desk.end_call(0, seconds=0.0)
            return True
        name = self._process.name
        self.current = call = Call(jobs, desk=desk, process_name=name, store=self._store)
        self.jobs_started += len(jobs)
        make = CallerApart if desk.handler.isolation else Caller
        caller = make(self, call, desk.handler)
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

    def run_job(self, job: ClaimedJob) -> bool:
        """Whatever the handler does, there is an outcome, and a clean connection after it.

        False if the run was given up in the meantime: another worker has taken this one's place.
        """
        self.current = run = Run(job, process_name=self._process.name, store=self._store)
        self.jobs_started += 1
        outcome, stored = self.outcome_of(run)
        seconds = time.monotonic() - run.began_at
        transition = stored or self.settled(run, outcome)
        if is_ours := run.end():
            self.settlements.put(Finished(job, transition, outcome, seconds, bool(stored)))
        self.current = None
        self.tidy()
        self.seconds += seconds
        self.jobs_run += 1
        return is_ours

    def fail_current(self, error: BaseException) -> None:
        """Let the job that ends this thread, and its process, spend its attempt for it.

        Given back with its attempt, it would end one process after the other.
        """
        for run in self.current.members if self.current else ():
            if run.end():
                failure = failed(error, saying="The run broke its worker")
                transition = self.settled(run, failure)
                seconds = time.monotonic() - run.began_at
                self.settlements.put(Finished(run.job, transition, failure, seconds))

    def outcome_of(self, run: Run) -> tuple[Outcome, Transition | None]:
        try:
            # A context of its own keeps what a handler activates (time zone, language) from the
            # next.
            return copy_context().run(self.run_handler, run)
        except BaseException as error:  # of looking at how it failed
            return failed(error), None

    def run_handler(self, run: Run) -> tuple[Outcome, Transition | None]:
        """The outcome of a run, with the transition if that has been stored already."""
        stored = None
        try:
            if (door := self.doors.get(run.job.queue)) and not door.may_begin(run.job):
                return Released(), None
            if not self.begins(run):
                return self.unbegun(run.job)
            handler = registry.get(run.job.kind)
            if handler.pool is None:  # else it starts when a child has the job
                run.start_clock()
            if handler.isolation:
                outcome, stored = self.run_apart(handler, run)
            elif handler.atomic:
                outcome, stored = self.run_atomically(handler, run)
            else:
                outcome = self.call(handler, run)
        except Outcome as raised:
            outcome = run.heeding(own(raised))
        except BaseException as error:  # SystemExit ends a job, not its worker
            outcome = self.failure(run, error)
        if run.context.has_kept and not stored:
            outcome = concluded(run, outcome)
        return outcome, stored

    def begins(self, run: Run) -> bool:
        """Whether it may; then those are told who want to know."""
        if run.job.is_on_record and not self.may_begin(run.job):
            return False
        if job_started.has_listeners():
            job_started.send_robust(type(self), job=shown_job(run.job))
        return True

    def may_begin(self, job: ClaimedJob) -> bool:
        """Put on record that an attempt begins which must not be taken for one that did not."""
        return self.put_on_record(
            lambda: Job.objects.begin(job, process=self._process, now=clock.now())
        )

    def unbegun(self, job: ClaimedJob) -> tuple[Outcome, Transition | None]:
        """What comes of a job that may not begin: it has expired, or is not ours any more."""
        now = clock.now()
        expire = partial(Job.objects.expire_claimed, job, process=self._process, now=now)
        if job.expires_at is None or not self.put_on_record(expire):
            return Released(), None
        reason = f"Expired at {datetime.fromtimestamp(job.expires_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        ended = Transition(job.id, job.claimed_at, State.CANCELLED, job.attempt - 1)
        return Expired(), ended._replace(finished_at=now, last_error=reason)

    def put_on_record(self, write: Callable[[], bool]) -> bool:
        """Whether the database took it before this process stops."""

        def step() -> bool:
            with self._writing:
                return write()

        try:
            return ride_out(step, doing="starting a job", stopping=self.claiming_stops)
        except Stopped:
            return False

    def run_apart(self, handler: JobHandler, run: Run) -> tuple[Outcome, Transition | None]:
        """In a child, where middleware and transactions are."""
        pool = handler.pool or children_of(handler)
        apart = Apart(
            run, pool, process=self.process_id, stopping=self.claiming_stops, settled=self.settled
        )
        outcome, stored = apart.held()
        return run.heeding(outcome), stored

    def run_here(self, handler: JobHandler, run: Run) -> tuple[Outcome, Transition | None]:
        """The same of one who is that child, or has none."""
        if handler.atomic:
            return self.run_atomically(handler, run)
        return self.call(handler, run), None

    def run_atomically(self, handler: JobHandler, run: Run) -> tuple[Outcome, Transition | None]:
        """Commit what the handler wrote together with the outcome that it returned.

        What it raises rolls its writes back, and so do a shutdown and the loss of the claim. That
        others were writing, where SQLite lets one at a time and PostgreSQL may refuse to
        serialize, costs no attempt.
        """
        try:
            with transaction.atomic(using=db.connection().alias):
                outcome = self.call(handler, run)
                if isinstance(outcome, Released):
                    raise outcome
                transition = self.settled(run, outcome)
                states = Job.objects.finalize([transition], process=self._process)
                if not states:
                    raise Released
                transition = transition._replace(state=State(states[run.job.id]))
        except Error as error:
            if db.twin().is_locked(error):
                return Throttled(LOCKED_SECONDS, scope="job"), None
            raise
        return outcome, transition

    def settled(self, run: Run, outcome: Outcome) -> Transition:
        """What becomes of the job, with the last that its handler told of its progress."""
        has_moved = run.context.has_moved
        transition = self.settlements.settled(
            run.job, outcome, has_moved=has_moved, place=run.context.place
        )
        if progress := run.untold_progress:
            return transition._replace(progress=told_progress(run.job, progress.as_json()))
        return transition

    def failure(self, run: Run, error: BaseException) -> Outcome:
        """What an error comes to; the loss of its session costs the job no attempt."""
        if isinstance(error, ClaimLost):
            return Released()
        if job_raised.has_listeners():
            job_raised.send_robust(type(self), job=shown_job(run.job), error=error)
        if run.killed_at != NEVER:
            self.drop_sessions()  # it may have struck in the middle of a query
            return Cancelled(run.context.cancelled.reason)
        if run.has_timed_out or isinstance(error, JobTimedOut):
            self.drop_sessions()  # it may have struck in the middle of a query
            limit = run.job.timeout_seconds
            return failed(error, saying=f"Timed out after {limit:g} s" if limit else "Timed out")
        run.due_at = NEVER  # the handler is over, however long the database may be away
        handler = registry.find(run.job.kind)
        if handler and handler.counts_interruptions:
            return failed(error)
        return excuse(error, run.job, stopping=self.claiming_stops) or failed(error)

    def call(self, handler: JobHandler, run: Run) -> Outcome:
        payload = read_json(run.job.payload)
        if handler.is_async:
            self._loop = self._loop or EventLoop()
            run.cancel_coroutine = self._loop.cancel
            coroutine = cast("Coroutine[Any, Any, object]", handler.run(run.context, payload))
            if self.layers:
                coroutine = self.layers.arun(run.context, coroutine)
            returned: object = self._loop.run(coroutine, timeout=run.job.timeout_seconds)
        else:
            transactions.begin()
            with nullcontext() if handler.ends_itself else run:
                try:
                    if self.layers:
                        handle = partial(handler.run, run.context, payload)
                        returned = self.layers.run(run.context, handle)
                    else:
                        returned = handler.run(run.context, payload)
                finally:
                    forks.leave()
            transactions.check()
        if returned is None:
            return NOTHING
        return run.heeding(own(returned)) if isinstance(returned, Outcome) else Done(returned)
