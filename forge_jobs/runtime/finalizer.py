"""Writes outcomes in groups: whatever arrived during one commit shares the next."""

from __future__ import annotations

from collections.abc import Collection
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import DataError, IntegrityError

from forge_jobs import clock, db
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.models import Job
from forge_jobs.outcomes import Failed, Outcome
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.settlement import settle
from forge_jobs.signals import claim_lost, job_finished
from forge_jobs.states import State

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

LARGEST_GROUP: Final = 1_000


class Finished(NamedTuple):
    """A run that came to its end, `seconds` after it began.

    `is_stored` says that its worker has written the transition, in the handler's transaction.
    """

    job: ClaimedJob
    transition: Transition
    outcome: Outcome
    seconds: float
    is_stored: bool = False


class Finalizer(Thread):
    """No timer and no size to tune: idle, an outcome is durable in one commit; busy, many are."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="forge_jobs-finalizer", daemon=True)
        self.engine = engine
        self.giving_up = Event()
        self.inbox: SimpleQueue[Finished | None] = SimpleQueue()
        self.settled = 0
        self.died = 0

    def run(self) -> None:
        try:
            while group := self.next_group():
                self.finalize(group)
                self.engine.fetcher.some_are_settled()
        except Stopped:
            pass
        finally:
            db.connection().close()

    def stop(self) -> None:
        """End after the outcomes that have arrived."""
        self.inbox.put(None)

    def next_group(self) -> list[Finished]:
        """Wait for an outcome, and take all others that are there; empty at the end."""
        if (first := self.inbox.get()) is None:
            return []
        group = [first]
        try:
            while len(group) < LARGEST_GROUP:
                if (finished := self.inbox.get_nowait()) is None:
                    self.inbox.put(None)
                    break
                group.append(finished)
        except Empty:
            pass
        return group

    def finalize(self, group: list[Finished]) -> None:
        try:
            held = self.write(group)
        except (DataError, IntegrityError, ValueError, TypeError) as error:
            if len(group) == 1:
                group = [self.unstorable(group[0], error)]
                held = self.write(group)
            else:
                for finished in group:
                    self.finalize([finished])
                return
        self.announce(group, held)

    def write(self, group: list[Finished]) -> Collection[int]:
        """Returns the ids whose claim still held."""
        transitions = [finished.transition for finished in group if not finished.is_stored]
        stored = {finished.job.id for finished in group if finished.is_stored}
        if not transitions:
            return stored
        held = ride_out(
            lambda: Job.objects.finalize(transitions, process=self.engine.process),
            doing="writing outcomes",
            stopping=self.giving_up,
        )
        return stored.union(held) if stored else held

    def announce(self, group: list[Finished], held: Collection[int]) -> None:
        """Tell what is durable, and which claims had been lost."""
        self.settled += len(group)
        everything_held, listening = len(held) == len(group), job_finished.has_listeners()
        for finished in group:
            if not everything_held and finished.job.id not in held:
                claim_lost.send_robust(type(self), job=finished.job)
                continue
            if finished.transition.state is State.DEAD:
                self.died += 1
            if listening:
                job_finished.send_robust(
                    type(self),
                    job=finished.job,
                    transition=finished.transition,
                    outcome=finished.outcome,
                    seconds=finished.seconds,
                )

    def unstorable(self, finished: Finished, error: Exception) -> Finished:
        """The same run as a failure that says what the database would not take."""
        outcome = Failed(f"The outcome could not be stored: {str(error)!a}")
        handler_policy = self.engine.policy_of(finished.job)
        transition = settle(finished.job, outcome, policy=handler_policy, now=clock.now())
        return finished._replace(outcome=outcome, transition=transition)
