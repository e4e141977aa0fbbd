"""Writes the outcomes of a group of runs, in one commit, and passes on what they set free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import count
from threading import Event
from typing import NamedTuple

from django.db import DataError, Error, IntegrityError

from forge_jobs import clock
from forge_jobs.db.rows import ClaimedJob, Promoted, Take, Transition
from forge_jobs.handlers.outcomes import Throttled
from forge_jobs.models import Job, Process
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.handover import Handover
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.outage import ride_out
from forge_jobs.runtime.settlements import Finished
from forge_jobs.states import State


class Written(NamedTuple):
    """The states that jobs came to, by id, and what became of those that waited for their keys."""

    states: dict[int, str]
    promoted: list[Promoted]
    claimed: Sequence[ClaimedJob] = ()


class OutcomeStore:
    """Goes on until the database takes them, or `giving_up` is set.

    Raises `Stopped` then, and what the database says of an outcome that it will never take.
    """

    def __init__(
        self,
        process: Process,
        *,
        steering: Steering,
        claims: Claims,
        handover: Handover,
        writing: AbstractContextManager[object],
        giving_up: Event,
    ) -> None:
        self._process = process
        self._steering = steering
        self._claims = claims
        self._handover = handover
        self._writing = writing
        self._giving_up = giving_up
        self.promoted: Counter[tuple[str, str]] = Counter()
        """How many jobs of a queue and kind have become ready by our doing, and nobody was told."""
        self._others_waited = False
        """Whether any did for the keys that were set free last."""

    def cool_down(self, group: list[Finished]) -> None:
        """Throttle the queues of jobs that were told to be patient, before they are due again."""
        longest: dict[str, timedelta] = {}
        for finished in group:
            match finished.outcome:
                case Throttled(scope="queue") as throttled:
                    queue = finished.job.queue
                    asked = max(longest.get(queue, throttled.retry_after), throttled.retry_after)
                    longest[queue] = asked

        def step() -> None:
            with self._writing:
                for queue, retry_after in longest.items():
                    self._steering.throttle(queue, retry_after=retry_after)

        if longest:
            ride_out(step, doing="cooling queues down", stopping=self._giving_up)

    def write(self, group: list[Finished]) -> tuple[list[Finished], AbstractSet[int]]:
        """Store the outcomes, and let those be next who wait for the jobs' keys.

        Returns the group as it was stored, and the ids of those whose claim still held.
        """
        transitions = [finished.transition for finished in group if not finished.is_stored]
        states: dict[int, str] = {
            finished.job.id: finished.transition.state for finished in group if finished.is_stored
        }
        freed = _freed_keys(group)
        written = Written({}, [])
        tries = count(1)

        def step() -> Written:
            if next(tries) == 1:
                return self._finalize(transitions, group if freed else [])
            return self._finalize_again(transitions, group)

        if transitions:
            written = ride_out(
                step,
                doing="writing outcomes",
                stopping=self._giving_up,
                unless=(DataError, IntegrityError),
            )
            states |= written.states
        group = [
            finished.as_settled(states.get(finished.job.id, finished.transition.state))
            for finished in group
        ]
        self._pass_keys_on(_freed_keys(group), written)
        return group, states.keys()

    def _finalize(self, transitions: list[Transition], freeing: list[Finished]) -> Written:
        """Some of the outcomes may set keys free."""
        process = self._process
        if not freeing:
            with self._writing:
                return Written(Job.objects.finalize(transitions, process=process), [])
        if take := self._take(transitions, freeing):
            return self._finalize_and_claim(transitions, take)
        with self._writing:
            return Written(*Job.objects.finalize_and_promote(transitions, process=process))

    def _take(self, transitions: list[Transition], freeing: list[Finished]) -> Take | None:
        """What to claim at the same time, instead of what ends."""
        if not self._others_waited or any(one.is_forgotten for one in transitions):
            return None
        queues = Counter(done.job.queue for done in freeing if done.job.concurrency_key)
        ((queue, jobs),) = queues.most_common(1)
        return self._handover.wanted(queue, at_most=jobs)

    def _finalize_and_claim(self, transitions: list[Transition], take: Take) -> Written:
        with self._writing, self._claims.lock:
            try:
                written = Written(
                    *Job.objects.finalize_promote_and_claim(
                        transitions, process=self._process, take=take, now=clock.now()
                    )
                )
            except Error:
                self._claims.are_in_doubt = True
                raise
            for job in written.claimed:
                self._claims.add(job)
        self._handover.put(written.claimed)
        return written

    def _finalize_again(self, transitions: list[Transition], group: list[Finished]) -> Written:
        """It may have succeeded the first time, and only its answer been lost; with it, what was
        promoted.
        """
        with self._writing:
            written = Written(*Job.objects.finalize_and_promote(transitions, process=self._process))
        if len(written.states) == len(transitions):
            return written
        keyed = [finished.job for finished in group if finished.job.concurrency_key]
        self.promoted.update((job.queue, job.kind) for job in keyed)
        carried_out = Job.objects.carried_out(transitions)
        return written._replace(states=written.states | carried_out)

    def _pass_keys_on(self, freed: Counter[str], written: Written) -> None:
        """See to the keys that were set free, as far as the outcomes' commit has not done it."""
        promoted = written.promoted
        if not freed and not promoted:
            return
        left = set(freed - Counter(one.key for one in promoted))
        left |= {one.key for one in promoted if one.limit > 1}

        def step() -> list[Promoted]:
            with self._writing:
                return Job.objects.pass_on(left)

        if left:
            promoted = promoted + ride_out(
                step, doing="passing concurrency keys on", stopping=self._giving_up
            )
        self._others_waited = bool(promoted)
        claimed = Counter((job.queue, job.kind) for job in written.claimed)
        self.promoted += Counter((one.queue, one.kind) for one in promoted) - claimed


def _freed_keys(group: list[Finished]) -> Counter[str]:
    """Jobs that are given back keep their concurrency keys."""
    return Counter(
        done.job.concurrency_key
        for done in group
        if done.job.concurrency_key and done.transition.state is not State.READY
    )
