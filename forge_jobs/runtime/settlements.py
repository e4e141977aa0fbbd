"""Where runs come to their end: what becomes of their jobs is decided, and kept to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from forge_jobs import clock
from forge_jobs.backoff import Exponential
from forge_jobs.conf import conf
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers import secrecy
from forge_jobs.handlers.border import failed, plain
from forge_jobs.handlers.outcomes import Done, Failed, Outcome, Released
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.settlement import as_resident, settle, stopped
from forge_jobs.handlers.verdicts import final, judged
from forge_jobs.runtime import sessions
from forge_jobs.runtime.claiming.doors import Door
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.states import State

REST_SECONDS: Final = 2.0


class Finished(NamedTuple):
    """A run that came to its end, `seconds` after it began.

    `is_stored` says that its worker has written the transition, in the handler's transaction.
    """

    job: ClaimedJob
    transition: Transition
    outcome: Outcome
    seconds: float
    is_stored: bool = False

    @property
    def size(self) -> int:
        """About how many characters there are to write."""
        return len(self.transition.result or "") + len(self.transition.error or "")

    def as_settled(self, state: str) -> Finished:
        """With the state that it came to: cancelled, if it would have gone on but for a cancel, or
        succeeded, if its handler had completed it.
        """
        if state == self.transition.state:
            return self
        transition = self.transition._replace(state=State(state))
        if transition.state is State.SUCCEEDED:  # it had been completed before it failed
            transition = transition._replace(error=None, last_error="")
        return self._replace(transition=transition)

    def for_others(self) -> Finished:
        """As receivers of signals may see it."""
        job = self.job
        if not secrecy.names_of(job.kind):
            return self
        return self._replace(
            job=secrecy.shown_job(job),
            transition=secrecy.shown_transition(job, self.transition),
            outcome=secrecy.shown_outcome(job, self.outcome, self.transition),
        )


class Settlements:
    """Filled by workers and whoever gives jobs back, emptied by the finalizer."""

    def __init__(self, steering: Steering, *, doors: Mapping[str, Door], process_name: str) -> None:
        self._steering = steering
        self._doors = doors
        self._process_name = process_name
        self.inbox: SimpleQueue[Finished | list[Finished] | None] = SimpleQueue()

    def settled(
        self, job: ClaimedJob, outcome: Outcome, *, has_moved: bool = False, place: str = ""
    ) -> Transition:
        """What becomes of a job; a retry policy that fails is the job's failure.

        One whose run `has_moved` its cursor gets the attempt back. One that was run in another
        `place` than the process itself says so as long as it is kept.
        """
        now, where = clock.now(), place or self._process_name
        steering, error = self._steering, None
        try:
            says_nothing = type(outcome) is Done and outcome.result is None and not place
            if says_nothing and (bare := self._bare_success(job, now=now)):
                return bare
            handler = registry.get(job.kind)
            policy = handler.retry or steering.retry_of(job.queue)
            if type(outcome) is not Done:
                # Not kept until the commit: it would keep its frames, and all that is in them.
                error = vars(outcome).pop("error", None)
                outcome = secrecy.without_secrets(job, outcome)
            if handler.resident:
                outcome = as_resident(outcome)
            elif isinstance(outcome, Failed):
                outcome = judged(outcome, error, handler=handler, job=job, now=now)
                if not steering.allows_retries(job.queue):
                    outcome = final(outcome)
            transition = settle(
                job,
                outcome,
                policy=policy or conf().retry_of(job.queue),
                now=now,
                process_name=where,
                error=error,
                has_moved=has_moved,
            )
            if transition.error or transition.last_error:
                transition = secrecy.told(job, transition, outcome=outcome)
            if place or (handler.keeps_process and transition.finished_at):
                transition = transition._replace(process_name=where)
            if transition.state is State.SUCCEEDED and not steering.keeps_successes(job.queue):
                return transition._replace(is_forgotten=True)
            return transition
        except BaseException as fault:
            failure = failed(fault, saying="The retry policy failed")
            return secrecy.told(job, self._by_default(job, failure), outcome=failure)

    def _bare_success(self, job: ClaimedJob, *, now: datetime) -> Transition | None:
        """What becomes of most jobs, as `settle()` says it of each: asking takes longer, when the
        code of a handler has just gone through the processor's caches. None if it is to be asked.
        """
        handler = registry.find(job.kind)
        if handler is None or handler.resident or handler.keeps_process:
            return None
        if not self._steering.keeps_successes(job.queue):
            return None
        return Transition(job.id, job.claimed_at, State.SUCCEEDED, job.attempt, None, now)

    def settled_alike(self, jobs: Sequence[ClaimedJob], outcome: Done) -> list[Transition]:
        """The same for jobs of one kind and queue, of which a success is decided once for all."""
        first = self.settled(jobs[0], outcome)
        if first.state is not State.SUCCEEDED:
            return [self.settled(job, outcome) for job in jobs]
        _id, _claimed_at, state, _attempt, *rest = first
        make = Transition._make
        return [make((job.id, job.claimed_at, state, job.attempt, *rest)) for job in jobs]

    def unstorable(self, finished: Finished, error: Exception) -> Finished:
        """The same run as a failure that says what the database would not take."""
        outcome = Failed(f"The outcome could not be stored: {plain(error)!a}")
        transition = self._by_default(finished.job, outcome)
        transition = secrecy.told(finished.job, transition, outcome=finished.outcome)
        return finished._replace(outcome=outcome, transition=transition)

    def put(self, finished: Finished) -> None:
        self.inbox.put(finished)
        if door := self._doors.get(finished.job.queue):
            door.leave(finished.job, seconds=finished.seconds)

    def put_all(self, group: list[Finished]) -> None:
        """The same of jobs of one queue."""
        if not group:
            return
        self.inbox.put(group)
        if door := self._doors.get(group[0].job.queue):
            for finished in group:
                door.leave(finished.job, seconds=finished.seconds)

    def next(self) -> Finished | list[Finished] | None:
        """What arrived first, or will; None at the end. The caller's session rests meanwhile."""
        try:
            return self.inbox.get(timeout=REST_SECONDS)
        except Empty:
            sessions.rest()
            return self.inbox.get()

    def release(self, job: ClaimedJob) -> None:
        """Give a job back unfinished, with its attempt."""
        outcome = Released()
        self.put(Finished(job, self.settled(job, outcome), outcome, 0.0))

    def break_off(self, job: ClaimedJob) -> None:
        """Give a job back that runs; where that counts as an attempt, it has failed."""
        outcome = self.broken_off(job)
        self.put(Finished(job, self.settled(job, outcome), outcome, 0.0))

    def broken_off(self, job: ClaimedJob) -> Outcome:
        """What a run comes to whose process ends it before its time."""
        handler = registry.find(job.kind)
        is_to_count = handler is not None and handler.counts_interruptions
        return stopped(self._process_name) if is_to_count else Released()

    def end(self) -> None:
        """Let the finalizer end after what has arrived."""
        self.inbox.put(None)

    def _by_default(self, job: ClaimedJob, failure: Failed) -> Transition:
        """What becomes of a failure where nobody's own policy can be asked."""
        return settle(
            job, failure, policy=Exponential(), now=clock.now(), process_name=self._process_name
        )
