"""One process of `runjobs`: its threads, and the order in which they start and stop."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Final

from forge_jobs import clock, db, wake
from forge_jobs.backoff import Exponential
from forge_jobs.conf import conf
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.outcomes import Dead, Failed, Outcome, Released
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.settlement import as_resident, settle
from forge_jobs.models import Job, Process, ProcessState, Queue, RateLimitBudget, State
from forge_jobs.runtime.claiming.claims import Hold
from forge_jobs.runtime.claiming.fetcher import Fetcher
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.command.retirement import Limits
from forge_jobs.runtime.ending import Ending
from forge_jobs.runtime.finalizer import Finalizer, Finished
from forge_jobs.runtime.heartbeat import Heartbeat
from forge_jobs.runtime.metering.recorder import Recorder
from forge_jobs.runtime.metering.writer import MeteringLoop
from forge_jobs.runtime.registration import measure_clock, sign_on
from forge_jobs.runtime.running.workers import Crew
from forge_jobs.runtime.service_loop import LeaderLoop, ServiceLoop
from forge_jobs.runtime.services import employ_services
from forge_jobs.services.leader import Leader
from forge_jobs.services.stager import Stager
from forge_jobs.signals import process_started, process_stopped, process_stopping

TICK_SECONDS: Final = 0.1


@dataclass(kw_only=True)
class Engine:
    """Claims and runs jobs from `run()` until `request_stop()`.

    Unstarted jobs go back at once then, running ones have `shutdown_timeout` to finish; those
    that don't are told so through `ctx.cancelled` and go back as well, with their attempt.
    `health_file` is touched with every heartbeat while the process is able to run jobs.
    """

    queues: Mapping[str, int]
    """Their names, with how often each is served relative to the others."""

    threads: int
    name: str
    poll_interval: timedelta
    shutdown_timeout: timedelta
    drain: bool = False
    limits: Limits = field(default_factory=Limits)
    health_file: Path | None = None

    process: Process = field(init=False)
    leader: Leader = field(init=False)
    heartbeat: Heartbeat = field(init=False)
    pulse: ServiceLoop = field(init=False)
    watch: ServiceLoop = field(init=False)
    services: LeaderLoop = field(init=False)
    upkeep: LeaderLoop = field(init=False)
    metering: MeteringLoop = field(init=False)
    is_stopping: bool = field(init=False, default=False)
    is_signed_off: bool = field(init=False, default=False)
    is_quiet: bool = field(init=False, default=False)
    failure: str = field(init=False, default="")
    """Why the process could not stop in order, or had to stop; empty if all is well."""

    def __post_init__(self) -> None:
        self.buffer: SimpleQueue[ClaimedJob | None] = SimpleQueue()
        self.hold = Hold()
        # A signal handler may put into a SimpleQueue at any moment; an Event could deadlock.
        self.stop_requests: SimpleQueue[str] = SimpleQueue()
        self._retiring = ""
        self.kinds = registry.kinds()
        # SQLite lets one write at a time, and makes the others sleep in growing steps until they
        # find it free. Our own threads take turns instead.
        self.writing: AbstractContextManager[object] = (
            Lock() if db.connection().vendor == "sqlite" else nullcontext()
        )
        self.steering = Steering(self)
        self.fetcher = Fetcher(self, queues=self.queues, kinds=self.kinds)
        self.recorder = Recorder()
        self.finalizer = Finalizer(self)
        self.crew = Crew(self, size=self.threads)
        self.listener = wake.listener()

    @property
    def state(self) -> ProcessState:
        if self.is_stopping:
            return ProcessState.STOPPING
        return ProcessState.QUIET if self.is_quiet else ProcessState.RUNNING

    @property
    def is_retired(self) -> bool:
        """Whether it stopped to make way for another."""
        return bool(self._retiring)

    @property
    def died(self) -> int:
        """How many jobs became dead letters here."""
        return self.finalizer.died

    @property
    def is_stuck(self) -> bool:
        """Whether threads are left, after the end, that nobody can wait for."""
        threads = [*self.crew.workers, *self.crew.abandoned, self.finalizer]
        return any(thread.is_alive() for thread in threads)

    def run(self) -> str:
        """Work until a stop is requested; returns the reason.

        Raises `ProcessNameTaken` before anything has started.
        """
        measure_clock()
        self.process = sign_on(
            self.name,
            queues=list(self.queues),
            kinds=self.kinds,
            threads=self.threads,
            now=clock.now(),
        )
        Queue.objects.sow({name: one.columns() for name, one in conf().queues.items()})
        RateLimitBudget.objects.sow({name: one.columns() for name, one in conf().budgets.items()})
        self.steering.run_once(now=clock.now())
        employ_services(self)
        self.metering.look_at_watermark()
        process_started.send_robust(type(self), engine=self)
        if self.drain:
            Stager().run_once(now=clock.now())
        db.connection().close()
        self.crew.start()
        for thread in (
            self.finalizer,
            self.fetcher,
            self.listener,
            self.pulse,
            self.watch,
            self.services,
            self.upkeep,
            self.metering,
        ):
            thread.start()
        reason = self._await_stop()
        self.is_stopping = True
        process_stopping.send_robust(type(self), reason=reason)
        Ending(self).carry_out()
        process_stopped.send_robust(type(self), engine=self)
        return reason

    def request_stop(self, reason: str) -> None:
        """Stop in order; asked again, at once. Safe to call from a signal handler."""
        self.stop_requests.put(reason)

    def was_stopped_within(self, seconds: float) -> bool:
        """Wait before `run()`, but for no longer than until a stop is requested."""
        try:
            return bool(self.stop_requests.get(timeout=seconds)) if seconds else False
        except Empty:
            return False

    def be_quiet(self) -> None:
        """Claim nothing more, and finish what runs."""
        self.is_quiet = True

    def claim_again(self) -> None:
        """Be quiet no longer, unless it is to retire."""
        self.is_quiet = bool(self._retiring)

    def retire(self, reason: str) -> None:
        """Be quiet, and stop once everything that runs has ended, however long that takes."""
        self._retiring = self._retiring or reason
        self.be_quiet()

    def give_up(self, reason: str) -> None:
        """Retire, because something here can't be mended."""
        self.failure = self.failure or reason
        self.retire(reason)

    def fail(self, reason: str) -> None:
        """Remember what broke, and stop because of it; the first fault stays."""
        if not self.failure and not self.is_stopping:
            self.request_stop(reason)
        self.failure = self.failure or reason

    def settled(self, job: ClaimedJob, outcome: Outcome) -> Transition:
        """What becomes of a job; a retry policy that fails is the job's failure."""
        now = clock.now()
        steering = self.steering
        try:
            handler = registry.get(job.kind)
            policy = handler.retry or steering.retry_of(job.queue)
            if handler.resident:
                outcome = as_resident(outcome)
            elif isinstance(outcome, Failed) and not steering.allows_retries(job.queue):
                outcome = Dead(outcome.message, outcome.traceback)
            transition = settle(job, outcome, policy=policy or conf().retry_of(job.queue), now=now)
            if transition.state is State.SUCCEEDED and not steering.keeps_successes(job.queue):
                return transition._replace(is_forgotten=True)
            return transition
        except BaseException as error:
            failure = failed(error, saying="The retry policy failed")
            return settle(job, failure, policy=Exponential(), now=now)

    def release(self, job: ClaimedJob) -> None:
        """Give a job back unfinished, with its attempt."""
        outcome = Released()
        self.finalizer.inbox.put(Finished(job, self.settled(job, outcome), outcome, 0.0))

    def release_unstarted(self, *, queues: AbstractSet[str] | None = None) -> int:
        """Give back what waits in the buffer, of some queues or of all; returns how many jobs."""
        waiting: list[ClaimedJob | None] = []
        try:
            while True:
                waiting.append(self.buffer.get_nowait())
        except Empty:
            pass
        unstarted = [job for job in waiting if job and (queues is None or job.queue in queues)]
        for job in unstarted:
            self.release(job)
        for kept in waiting:
            if kept not in unstarted:
                self.buffer.put(kept)  # None ends a worker
        return len(unstarted)

    def release_unheld(self) -> None:
        """Give back what the table says we run but a lost answer kept us from knowing of."""
        claimed = Job.objects.claimed_by(self.process)
        claimed.exclude(pk__in=self.hold.ids()).release(now=clock.now())

    def _await_stop(self) -> str:
        while True:
            try:
                return self.stop_requests.get(timeout=TICK_SECONDS)
            except Empty:
                self.crew.look_after()
            if self.limits.is_orphaned():
                return "its supervisor is gone"
            if self.crew.stuck >= self.threads:
                self.give_up(f"{self.crew.stuck} threads are stuck")
            if reason := self.limits.exceeded(self):
                self.retire(reason)
            if self._retiring and not self.hold:
                return self._retiring
