"""Writes the outcomes of a group of runs, in one commit, and passes on what they set free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import count
from threading import Event

from django.db import DataError, IntegrityError

from forge_jobs.db.rows import ClaimedJob, Promoted, Transition
from forge_jobs.db.wanted import Wanted
from forge_jobs.handlers.outcomes import Throttled
from forge_jobs.models import Job, Process
from forge_jobs.runtime.claiming.heirs import Heirs, Settled
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.outage import ride_out
from forge_jobs.runtime.settlements import Finished
from forge_jobs.states import State


class OutcomeStore:
    """Goes on until the database takes them, or `giving_up` is set.

    Raises `Stopped` then, and what the database says of an outcome that it will never take.
    """

    def __init__(
        self,
        process: Process,
        *,
        steering: Steering,
        heirs: Heirs,
        writing: AbstractContextManager[object],
        giving_up: Event,
    ) -> None:
        self._process = process
        self._steering = steering
        self._heirs = heirs
        self._writing = writing
        self._giving_up = giving_up
        self.promoted: Counter[tuple[str, str]] = Counter()
        """How many jobs of a queue and kind have become ready by our doing, and nobody was told."""

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
        freeing = _freeing(group)
        promoted: list[Promoted] = []
        tries = count(1)

        def step() -> Settled:
            is_repeated = next(tries) > 1
            with self._writing:
                written = self._finalize(transitions, freeing=freeing)
            if is_repeated and len(written[0]) < len(transitions):
                # The write may have succeeded the first time, and only its answer been lost; with
                # it, what was promoted.
                keyed = [finished.job for finished in group if finished.job.concurrency_key]
                self.promoted.update((job.queue, job.kind) for job in keyed)
                return written[0] | Job.objects.carried_out(transitions), written[1]
            return written

        if transitions:
            settled, promoted = ride_out(
                step,
                doing="writing outcomes",
                stopping=self._giving_up,
                unless=(DataError, IntegrityError),
            )
            states |= settled
        group = [
            finished.as_settled(states.get(finished.job.id, finished.transition.state))
            for finished in group
        ]
        freed = Counter(str(job.concurrency_key) for job in _freeing(group))
        self._pass_keys_on(freed, promoted)
        return group, states.keys()

    def _finalize(self, transitions: list[Transition], *, freeing: list[ClaimedJob]) -> Settled:
        process = self._process
        if not freeing:
            return Job.objects.finalize(transitions, process=process), []

        def settle(wanted: Wanted) -> Settled:
            return Job.objects.finalize_and_promote(transitions, process=process, wanted=wanted)

        return self._heirs.inherit(freeing, settle)

    def _pass_keys_on(self, freed: Counter[str], promoted: list[Promoted]) -> None:
        """See to the keys that were set free, as far as the outcomes' commit has not done it."""
        left = set(freed - Counter(one.key for one in promoted))
        left |= {one.key for one in promoted if one.limit > 1}

        def step() -> list[Promoted]:
            with self._writing:
                return Job.objects.pass_on(left)

        if left:
            promoted = promoted + ride_out(
                step, doing="passing concurrency keys on", stopping=self._giving_up
            )
        self.promoted.update((one.queue, one.kind) for one in promoted if not one.claimed)


def _freeing(group: list[Finished]) -> list[ClaimedJob]:
    """The jobs that set a concurrency key free: those that are given back keep theirs."""
    return [
        done.job
        for done in group
        if done.job.concurrency_key and done.transition.state is not State.READY
    ]
